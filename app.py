"""Etude in a browser: the frame, and in it the page that the address asks for."""

from __future__ import annotations

from lib.ui import frame, trouble

page = frame.navigation()
with trouble.told():
    frame.context()
    page.run()
