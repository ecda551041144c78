"""The list of runs: one row each, newest first, with what a person looks for when choosing one.

Only reads the workspace. Which run is open lives in the address, so that a link or a reload shows the same one.
"""

from __future__ import annotations

import streamlit as st

from lib.runs import book, intents
from lib.runs.book import Run
from lib.ui import frame, runs_reading, runs_words, session, train_launch, trouble
from lib.ui.plain import plain, shortened

PAGE = 12
LIVE_SECONDS = 2
# Also while nothing goes on: a job that another program starts appears by itself.
QUIET_SECONDS = 4
SHAPE = (8, 8, 5, 2)


def opened() -> str | None:
    """The run that the address names; without one, the run chosen last, unless the person went back to the list."""
    chosen = session.run_id()
    if "run" not in st.query_params and chosen is not None and chosen != st.session_state.get("left_run"):
        st.query_params["run"] = chosen
    return st.query_params.get("run")


def open_run(run_id: str) -> None:
    """Make a run the open one and show the page anew. Ends the script that called it."""
    st.session_state.pop("left_run", None)
    session.choose_run(run_id)
    st.query_params["run"] = run_id
    st.rerun()


def leave() -> None:
    """Go back from a run to the list. Ends the script that called it."""
    st.session_state["left_run"] = session.run_id()
    st.query_params.pop("run", None)
    st.rerun()


def show() -> None:
    """Every run of the workspace, brought up to date by itself."""
    live = _live()
    st.fragment(_rows, run_every=LIVE_SECONDS if live else QUIET_SECONDS)(live)


def _live() -> bool:
    ws = session.workspace()
    return bool(intents.launches(ws, unsettled=True)) or any(not run.finished for run in book.runs(ws))


@trouble.told()
def _rows(was_live: bool) -> None:
    if was_live != _live():
        st.rerun()
    train_launch.show_pending()
    runs = book.runs(session.workspace())
    if not runs:
        _empty()
        return
    pages = -(-len(runs) // PAGE)
    page = st.session_state.get("runs_page", 1)
    with st.container(gap="xsmall"):
        for run in runs[(page - 1) * PAGE : page * PAGE]:
            _row(run)
    if pages > 1:
        st.pagination(pages, key="runs_page")


def _empty() -> None:
    st.markdown("No model has been trained yet. A run appears here the moment it is launched.")
    if st.button("Train a model", type="primary", icon=":material/model_training:"):
        frame.go("train")


def _row(run: Run) -> None:
    reading = runs_reading.read(run)
    status = runs_words.status(run.status)
    now = session.workspace().clock()
    with st.container(border=True, key=f"row-{run.id}"):
        what, how, result, button = st.columns(SHAPE, vertical_alignment="center")
    with what.container(gap=None):
        st.text(shortened(runs_words.name(run), 60))
        st.caption(plain(runs_reading.origin(run)))
    with how.container(gap=None):
        st.badge(plain(status.word), icon=status.icon, color=status.colour)
        st.caption(runs_words.how_far(reading.progress, run, now, brief=True))
    with result.container(gap=None):
        best = reading.best_loss
        st.text("" if best is None else f"Best loss {best:.3f}")
        st.caption(f"Started {runs_words.clock(run.created_at, now)}")
    if button.button("Open", key=f"open-{run.id}", width="stretch"):
        open_run(run.id)
