"""What is being trained, how it is going, and how it went."""

from __future__ import annotations

from lib.ui import frame

frame.require()
frame.heading("Runs", "What is being trained, how it is going, and how it went.")
