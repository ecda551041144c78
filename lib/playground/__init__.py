"""Talking to models and measuring them: streamed answers, conversations that last, held-out examples."""
