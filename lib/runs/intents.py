"""Intents: what was meant to be launched, written down before anything is sent. They make launching happen once.

A launch goes prepared → uploading → sending → linked, or from sending to unknown and then to linked or not_created.
Each move is a compare-and-swap, so that of two that try, one goes on. Knows the table `launches`; calls no service.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib.errors import EtudeError, WorkspaceError
from lib.runs import book
from lib.runs.plan import LAUNCH_KEY, Plan
from lib.workspace.database import Workspace

State = Literal["prepared", "uploading", "sending", "unknown", "linked", "not_created"]
OPEN: tuple[State, ...] = ("prepared", "uploading", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Launch:
    """One intent. `request` is the body that was sent, `sent_at` when, by the service's clock where it has one."""

    id: str
    service_id: str
    version_id: str | None
    plan: Plan
    state: State
    request: Mapping[str, Any] | None
    sent_at: float | None
    run_id: str | None
    problem: book.Problem | None
    created_at: float
    updated_at: float

    @property
    def settled(self) -> bool:
        """Whether it is known what became of it."""
        return self.state in ("linked", "not_created")


def launches(ws: Workspace, *, unsettled: bool = False) -> tuple[Launch, ...]:
    """All launches, newest first; or those of which it is not known yet what became of them."""
    wanted = "WHERE state NOT IN ('linked', 'not_created')" if unsettled else ""
    return tuple(_launch(row) for row in ws.read(f"SELECT * FROM launches {wanted} ORDER BY created_at DESC, id DESC"))


def launch(ws: Workspace, launch_id: str) -> Launch:
    """One launch. Raises WorkspaceError when there is none."""
    rows = ws.read("SELECT * FROM launches WHERE id = ?", (launch_id,))
    if not rows:
        raise WorkspaceError(f"There is no launch {launch_id} in this workspace.", "Launch again.")
    return _launch(rows[0])


def prepare(ws: Workspace, plan: Plan, launch_id: str) -> Launch:
    """Write the intent down. A launch that exists already is left as it is, whatever the plan."""
    now = ws.clock()
    with ws.write() as db:
        db.execute(
            "INSERT OR IGNORE INTO launches (id, service_id, version_id, plan, state, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, 'prepared', ?, ?)",
            (launch_id, plan.service_id, plan.version_id, json.dumps({"plan": plan.to_json()}), now, now),
        )
    return launch(ws, launch_id)


def move(ws: Workspace, launch_id: str, before: tuple[State, ...], after: State) -> bool:
    """Go to another state if the launch is in one of `before`. False: somebody else moved it."""
    with ws.write() as db:
        return _move(db, ws.clock(), launch_id, before, after)


def begin_sending(ws: Workspace, launch_id: str, request: Mapping[str, Any], sent_at: float | None) -> bool:
    """The last step before the one POST: from uploading to sending, with what will be sent. False: not ours to send."""
    with ws.write() as db:
        if not _move(db, ws.clock(), launch_id, ("uploading",), "sending"):
            return False
        held = json.loads(db.execute("SELECT plan FROM launches WHERE id = ?", (launch_id,)).fetchone()["plan"])
        db.execute(
            "UPDATE launches SET plan = ?, training_file_id = ?, validation_file_id = ? WHERE id = ?",
            (
                json.dumps({**held, "request": request, "sent_at": sent_at}),
                request["training_file"],
                request.get("validation_file"),
                launch_id,
            ),
        )
        return True


def link(ws: Workspace, launch: Launch, job: Mapping[str, Any]) -> str:
    """The job is there: follow it as a run and remember it as what became of this launch. Returns the run's id."""
    with ws.write() as db:
        return _link(db, ws.clock(), launch, job)


def unclear(db: sqlite3.Connection, service_id: str) -> bool:
    """Whether a launch at this service may have made a job that is not known to be its own yet."""
    marks = ", ".join("?" for _ in OPEN)
    found = db.execute(
        f"SELECT 1 FROM launches WHERE service_id = ? AND state IN ({marks}) LIMIT 1", (service_id, *OPEN)
    )
    return found.fetchone() is not None


def link_late(db: sqlite3.Connection, now: float, service_id: str, job: Mapping[str, Any]) -> str | None:
    """Give a job to the launch that it names, where that one was given up before the job was to be seen.

    Returns the run's id, None when there is no such launch.
    """
    metadata = job.get("metadata")
    mark = metadata.get(LAUNCH_KEY) if isinstance(metadata, Mapping) else None
    row = db.execute(
        "SELECT * FROM launches WHERE id = ? AND service_id = ? AND state = 'not_created'", (str(mark), service_id)
    ).fetchone()
    return _link(db, now, _launch(row), job) if row is not None else None


def give_up(ws: Workspace, launch_id: str, error: EtudeError) -> None:
    """No job came of it, for certain; `error` says why."""
    problem = book.problem_json(book.Problem.of(error, ws.clock()))
    with ws.write() as db:
        _move(db, ws.clock(), launch_id, OPEN, "not_created")
        db.execute("UPDATE launches SET problem = ? WHERE id = ? AND state = 'not_created'", (problem, launch_id))


def taken_jobs(ws: Workspace, service_id: str) -> frozenset[str]:
    """The service's jobs that are followed already, or were until a person removed them."""
    return frozenset(row[0] for row in ws.read("SELECT job_id FROM runs WHERE service_id = ?", (service_id,)))


def _link(db: sqlite3.Connection, now: float, launch: Launch, job: Mapping[str, Any]) -> str:
    run_id = book.record_job(db, launch.service_id, job, heard_at=now, version_id=launch.version_id)
    db.execute(
        "UPDATE launches SET state = 'linked', run_id = ?, problem = NULL, updated_at = ? WHERE id = ?",
        (run_id, now, launch.id),
    )
    return run_id


def _move(db: sqlite3.Connection, now: float, launch_id: str, before: tuple[State, ...], after: State) -> bool:
    marks = ", ".join("?" for _ in before)
    changed = db.execute(
        f"UPDATE launches SET state = ?, updated_at = ? WHERE id = ? AND state IN ({marks})",
        (after, now, launch_id, *before),
    )
    return changed.rowcount == 1


def _launch(row: sqlite3.Row) -> Launch:
    held = json.loads(row["plan"])
    return Launch(
        id=row["id"],
        service_id=row["service_id"],
        version_id=row["version_id"],
        plan=Plan.from_json(held["plan"]),
        state=row["state"],
        request=held.get("request"),
        sent_at=held.get("sent_at"),
        run_id=row["run_id"],
        problem=book.problem_of(row["problem"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
