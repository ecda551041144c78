"""Choose a base model and a version of your data, read the request, launch once."""

from __future__ import annotations

from lib.ui import frame

frame.require()
frame.heading("Train", "Choose a base model and a version of your data, read the request, launch once.")
