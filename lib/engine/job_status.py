"""The states in which a job rests: nobody works on it, and it waits for nothing of the engine."""

from __future__ import annotations

ENDED = ("succeeded", "failed", "cancelled")
# Left alone until a person resumes it. OpenAI answers this status, although its published types lack it.
PAUSED = "paused"
AT_REST = (*ENDED, PAUSED)
