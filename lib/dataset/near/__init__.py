"""Near duplicates: examples that say nearly the same, found among a million in about the time it takes to read them."""
