"""cost"""

from lib.ui import frame

frame.require()
frame.heading("cost", "…")
