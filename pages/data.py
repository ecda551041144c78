"""data"""

from lib.ui import frame

frame.require()
frame.heading("data", "…")
