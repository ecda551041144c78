"""The catalog: which models can be or could be fine-tuned, for how much, until when, and within which limits."""
