"""What lies under the chart of a run: its checkpoints, its events, and the job as the service tells it.

Shows what the workspace holds. Words from a service stay text.
"""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from lib.runs import book
from lib.runs.heard import whole
from lib.runs.metrics import metrics_in
from lib.ui import runs_words, session
from lib.ui.runs_reading import Reading

EVENTS = 200
TABLE_HEIGHT = 260


def show(reading: Reading) -> None:
    """Checkpoints, events and the job, of which only the open one is worked out."""
    checkpoints, events, job = st.tabs(["Checkpoints", "Events", "Job"], key="run-details", on_change="rerun")
    if checkpoints.open:
        with checkpoints:
            _checkpoints(reading)
    if events.open:
        with events:
            _events(reading)
    if job.open:
        with job:
            _job(reading)


def _checkpoints(reading: Reading) -> None:
    if not reading.checkpoints:
        st.caption(
            "This job left no checkpoint."
            if reading.run.finished
            else "The first checkpoint comes at the end of the first epoch."
        )
        return
    rows = []
    for checkpoint in reversed(reading.checkpoints):
        metrics = metrics_in(checkpoint.metrics)
        rows.append(
            {
                "Step": checkpoint.step,
                "Epoch": reading.curves.epoch(checkpoint.step),
                "Training loss": metrics.get("train_loss"),
                "Full validation loss": metrics.get("full_valid_loss", metrics.get("valid_loss")),
                "Best": checkpoint.step == reading.verdict.best_step,
                "Model": checkpoint.model,
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Epoch": st.column_config.NumberColumn(format="%.1f"),
            "Training loss": st.column_config.NumberColumn(format="%.4f"),
            "Full validation loss": st.column_config.NumberColumn(format="%.4f"),
            "Best": st.column_config.CheckboxColumn(width="small"),
            "Model": st.column_config.TextColumn(width="large"),
        },
        alt="Checkpoints of this run, the latest first",
    )


def _events(reading: Reading) -> None:
    ws = session.workspace()
    told = [event for event in book.events(ws, reading.run.id) if event.type != "result_file"]
    # Services tell whole seconds, in which several steps fit.
    found = sorted(told, key=lambda event: (event.created_at, whole(event.data.get("step")) or 0))
    if not found:
        st.caption("The service has not reported anything yet.")
        return
    now = ws.clock()
    st.dataframe(
        [
            {"Time": runs_words.clock(event.created_at, now), "Level": event.level, "Message": event.message}
            for event in reversed(found[-EVENTS:])
        ],
        hide_index=True,
        height=TABLE_HEIGHT,
        column_config={
            "Time": st.column_config.TextColumn(width="small"),
            "Level": st.column_config.TextColumn(width="small"),
            "Message": st.column_config.TextColumn(width="large"),
        },
        alt="Events of this run, the latest first",
    )
    if len(found) > EVENTS:
        st.caption(f"The latest {EVENTS} of {len(found):,} events.")


def _job(reading: Reading) -> None:
    st.caption("The job as the service last told it, word for word.")
    st.code(_indented(reading.run.job), language="json", height=TABLE_HEIGHT)


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
