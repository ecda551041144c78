"""How a person's files become a dataset: read, asked about where there is something to ask, checked and kept."""
