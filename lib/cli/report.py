"""A run as a command prints it: as JSON for other programs, as lines for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lib.cli.printing import local_time
from lib.runs import book
from lib.runs.book import Run
from lib.runs.heard import Event
from lib.runs.metrics import Curves, Progress, curves, progress
from lib.runs.series import Series
from lib.runs.verdict import verdict
from lib.workspace.database import Workspace

LOSSES = ("train_loss", "valid_loss", "full_valid_loss")


def run_json(run: Run) -> dict[str, Any]:
    """A run in short. Times are seconds since 1970."""
    return {
        "id": run.id,
        "job_id": run.job_id,
        "service_id": run.service_id,
        "status": run.status,
        "model": run.model,
        "fine_tuned_model": run.fine_tuned_model,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "heard_at": run.heard_at,
        "trained_tokens": run.job.get("trained_tokens"),
        "error": run.error,
        "problem": None if run.problem is None else f"{run.problem.what} {run.problem.todo}",
    }


def whole_run_json(ws: Workspace, run: Run) -> dict[str, Any]:
    """A run with everything that is known of it: progress, verdict, curves, checkpoints and events."""
    found, how_far = measured(ws, run)
    said = verdict(found, run.status, run.method)
    return {
        **run_json(run),
        "hyperparameters": dict(run.hyperparameters),
        "progress": asdict(how_far),
        "verdict": asdict(said),
        "curves": {name: _points(getattr(found, name)) for name in LOSSES},
        "checkpoints": [asdict(checkpoint) for checkpoint in book.checkpoints(ws, run.id)],
        "events": [_event_json(event) for event in book.events(ws, run.id)],
    }


def measured(ws: Workspace, run: Run) -> tuple[Curves, Progress]:
    """The curves of a run and how far it is now."""
    found = curves(book.events(ws, run.id), book.checkpoints(ws, run.id), n_epochs=run.n_epochs)
    return found, progress(run, found, ws.clock())


def line(run: Run) -> str:
    """A run on one line."""
    tuned = f" → {run.fine_tuned_model}" if run.fine_tuned_model else ""
    return f"{run.id}  {local_time(run.created_at)}  {run.status:<10}  {run.model}{tuned}"


def how_far(found: Curves, at: Progress) -> str:
    """Where a run is, on one line."""
    step = f"step {at.step:,}" + (f" of {at.total_steps:,}" if at.total_steps else "")
    loss = found.train_loss[-1].value if found.train_loss else None
    left = f", about {at.seconds_left:.0f} s left" if at.seconds_left is not None else ""
    return step + (f", training loss {loss:.3f}" if loss is not None else "") + left


def _points(series: Series) -> list[list[float]]:
    """Pairs of step and value."""
    return [[point.step, point.value] for point in series]


def _event_json(event: Event) -> Mapping[str, Any]:
    return {"created_at": event.created_at, "level": event.level, "type": event.type, "message": event.message}
