"""Stopping, pausing and resuming a run: what that costs is said first, and nothing is asked before the second click."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from lib.catalog import models
from lib.errors import BadCredentials, NotThere, UnknownModel
from lib.runs import book
from lib.runs.book import Run
from lib.services.credentials import missing_key
from lib.services.service import EMBEDDED
from lib.ui import runs_reading, session, trouble
from lib.ui.figures import day, price
from lib.ui.plain import plain

if TYPE_CHECKING:
    from lib.services.connection import Connection
    from lib.workspace.database import Workspace

# Nebius has no endpoint for it. A service that is not known is asked, and a refusal is told.
NEVER_PAUSE = frozenset({"nebius"})


def show(run: Run) -> None:
    """What this run's service can be asked to do with it now."""
    service = runs_reading.service_of(run)
    pauses = service is not None and service.kind not in NEVER_PAUSE
    with st.container(horizontal=True, width="content"):
        if pauses and run.status in ("queued", "running"):
            kept = f"It keeps its state and goes on from there when it is resumed. {_billed(run, 'until then')}"
            _ask("Pause", ":material/pause_circle:", "Pause this training?", kept, "Pause the training", run, _pause)
        if pauses and run.status == "paused":
            then = f"It waits in the queue and goes on with the next step. {_billed(run, 'from here on')}"
            _ask(
                "Resume",
                ":material/play_circle:",
                "Go on with this training?",
                then,
                "Resume the training",
                run,
                _resume,
            )
        kept = f"Checkpoints made so far are kept. {_billed(run, 'until then')}"
        _ask("Cancel", ":material/stop_circle:", "Stop this training?", kept, "Stop the training", run, _stop)


def _ask(
    order: str, icon: str, question: str, meaning: str, label: str, run: Run, ordered: Callable[[str], None]
) -> None:
    # A key of its own: or the second click of two would meet the next question in the place of the first.
    with st.popover(order, icon=icon, key=f"{order.lower()}-{run.id}"):
        st.markdown(question)
        st.caption(meaning)
        st.button(label, type="primary", key=f"{order.lower()}-run", on_click=ordered, args=(run.id,))


def _billed(run: Run, when: str) -> str:
    """What the service bills for, with the catalog's price where there is one."""
    service = runs_reading.service_of(run)
    if run.service_id == EMBEDDED.id:
        return "Nothing is billed on this machine."
    billed = f"The service bills the steps that are trained {when}"
    try:
        model = models.find(run.model, service.kind if service is not None else None)
    except UnknownModel:
        return f"{billed}; the price is not known here."
    if model.training_price is None:
        return f"{billed}; the price is not known here."
    return plain(f"{billed}, at {price(model.training_price)} for 1,000,000 tokens (price of {day(model.checked)}).")


@trouble.told()
def _stop(run_id: str) -> None:
    from lib.runs.orders import cancel

    _order(run_id, cancel)


@trouble.told()
def _pause(run_id: str) -> None:
    from lib.runs.orders import pause

    _order(run_id, pause)


@trouble.told()
def _resume(run_id: str) -> None:
    from lib.runs.orders import resume

    _order(run_id, resume)


def _order(run_id: str, order: Callable[[Workspace, Connection, Run], Run]) -> None:
    ws = session.workspace()
    run = book.run(ws, run_id)
    service = runs_reading.service_of(run)
    if service is None:
        raise NotThere("The service of this run is no longer in the list.", "Add it again, then come back to the run.")
    connection = session.connection(service)
    if connection is None:
        raise BadCredentials(f"{service.name} needs a key.", missing_key(service))
    order(ws, connection, run)
    session.watcher().wake()
