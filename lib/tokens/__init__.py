"""Tokens: encodings that work without a network, counting that never fails, and what a service bills for an example."""
