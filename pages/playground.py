"""Talk to the base model and to your own side by side."""

from __future__ import annotations

from lib.ui import frame

frame.require()
frame.heading("Playground", "Talk to the base model and to your own side by side.")
