"""Answering in a process of its own: `python -m lib.engine.answer`, JSON lines in, JSON lines out."""
