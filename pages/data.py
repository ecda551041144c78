"""Data: bring examples in, look at them, see what is wrong, repair and edit, split, keep versions."""

from __future__ import annotations

from lib.ui import (
    data_arrival,
    data_choice,
    data_examples,
    data_findings,
    data_profile,
    data_split,
    data_table,
    data_undo,
    data_versions,
    data_work,
    frame,
)

frame.require()
frame.heading("Data", "Bring examples in, see what is wrong with them, repair it, and keep versions.")
data_choice.offer_undo()

work = data_work.current()
if work is None:
    data_arrival.welcome()
else:
    data_choice.show(work)
    data_work.summary(work)
    data_arrival.left_out(work.version)
    with frame.row():
        view = data_work.choose_view(work)
        data_undo.show(work)
    match view:
        case "Examples":
            data_examples.show(work)
        case "Table":
            data_table.show(work)
        case "Findings":
            data_findings.show(work)
        case "Profile":
            data_profile.show(work)
        case "Split":
            data_split.show(work)
        case "Versions":
            data_versions.show(work)
