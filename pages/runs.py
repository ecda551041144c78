"""What is being trained, how it is going, and how it went."""

from __future__ import annotations

from lib.ui import frame, runs_elsewhere, runs_list, runs_open, session

frame.require()
session.watcher()
run_id = runs_list.opened()
if run_id is None:
    with frame.row():
        frame.heading("Runs", "What is being trained, how it is going, and how it went.")
        runs_elsewhere.offer()
    runs_elsewhere.show()
    runs_list.show()
else:
    runs_open.show(run_id)
