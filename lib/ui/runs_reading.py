"""All that the screen shows of one run, read from the workspace at once. Calls no service.

Working out curves reads every event, so a reading of the same events is kept; the number of events and checkpoints and
the moment the service was last heard tell whether anything is new.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lib.errors import WorkspaceError
from lib.runs import book
from lib.runs.book import Run
from lib.runs.heard import Checkpoint
from lib.runs.metrics import Curves, Progress, curves, progress
from lib.runs.verdict import Verdict, verdict
from lib.services.service import Service
from lib.ui import session
from lib.ui.plain import shortened


@dataclass(frozen=True, slots=True)
class Reading:
    """A run and what follows from it."""

    run: Run
    curves: Curves
    checkpoints: tuple[Checkpoint, ...]
    verdict: Verdict
    progress: Progress

    @property
    def best_loss(self) -> float | None:
        """The loss at the verdict's best step, None without validation."""
        return next(
            (
                point.value
                for series in (self.curves.full_valid_loss, self.curves.valid_loss)
                for point in series
                if point.step == self.verdict.best_step and point.measured
            ),
            None,
        )

    @property
    def models(self) -> tuple[str, ...]:
        """The ids that can be talked to: the fine-tuned model first, then checkpoints from the last to the first."""
        kept = (checkpoint.model for checkpoint in reversed(self.checkpoints))
        # A service may call the last checkpoint by the name of the model itself.
        return tuple(dict.fromkeys(model for model in (self.run.fine_tuned_model, *kept) if model))


def read(run: Run) -> Reading:
    """A run with its curves, its checkpoints, how far it is now, and what to make of it."""
    ws = session.workspace()
    found = book.checkpoints(ws, run.id)
    drawn = _curves(str(ws.home), run.id, run.n_epochs, len(book.event_ids(ws, run.id)), len(found), run.heard_at)
    return Reading(run, drawn, found, verdict(drawn, run.status, run.method), progress(run, drawn, ws.clock()))


def version_name(version_id: str) -> str:
    """The dataset and version that a run was trained on, as a person calls them."""
    from lib.dataset import shelf

    try:
        version = shelf.version(session.workspace(), version_id)
    except WorkspaceError:
        return "Data no longer in this workspace"
    return f"{version.dataset_name} · version {version.number}"


def service_of(run: Run) -> Service | None:
    """The service that a run is at; None when it was taken off the list."""
    return next((service for service in session.services() if service.id == run.service_id), None)


def origin(run: Run) -> str:
    """The data that a run was trained on, and where."""
    service = service_of(run)
    data = version_name(run.version_id) if run.version_id is not None else _elsewhere(run)
    return f"{data} · {service.name if service is not None else run.service_id}"


def _elsewhere(run: Run) -> str:
    """Of a job that another program started, its service knows the files."""
    known = book.file_names(session.workspace(), run.id)
    files = [known.get(str(run.job.get(which))) for which in ("training_file", "validation_file")]
    names = " and ".join(shortened(name, 40) for name in files if name)
    return f"Started elsewhere with {names}" if names else "Started elsewhere"


@st.cache_data(max_entries=64, show_spinner=False)
def _curves(home: str, run_id: str, n_epochs: int | None, events: int, checkpoints: int, heard_at: float) -> Curves:
    ws = session.workspace()
    return curves(book.events(ws, run_id), book.checkpoints(ws, run_id), n_epochs=n_epochs)
