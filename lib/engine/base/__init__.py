"""The built-in base model: the text it learns from, the script that trains it, and the weights that are shipped."""
