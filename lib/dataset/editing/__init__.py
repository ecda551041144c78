"""Changing one example: every function takes its data and returns new data, and leaves what it was given as it was."""
