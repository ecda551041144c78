"""The book of runs: every job that is followed, its events and its checkpoints, as the workspace keeps them.

Knows the tables `runs`, `run_events`, `run_checkpoints` and `run_files`. It calls no service and draws no conclusion.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lib.errors import EtudeError, ServiceError, WorkspaceError
from lib.runs.heard import Checkpoint, Event, clean, number, whole
from lib.workspace.database import Workspace, new_id

# Azure has spelled the last one with one l.
FINAL = frozenset({"succeeded", "failed", "cancelled", "canceled"})
# A finished job is listened to a little longer: its last events may come after its last status.
AFTERMATH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be done, as two sentences; `raw` is the service's own text.

    `kind` names the error's class. `wait_until` (seconds since 1970) is set when the service said how long to wait.
    """

    what: str
    todo: str
    raw: str | None = None
    kind: str = "ServiceError"
    wait_until: float | None = None

    @classmethod
    def of(cls, error: EtudeError, now: float) -> Problem:
        """An error that happened at `now` (seconds since 1970), to be kept."""
        wait = error.retry_after if isinstance(error, ServiceError) else None
        return cls(error.what, error.todo, error.raw, type(error).__name__, None if wait is None else now + wait)


@dataclass(frozen=True, slots=True)
class Run:
    """A job as last heard. Times are seconds since 1970; `status` is the service's own word, even an unknown one."""

    id: str
    service_id: str
    job_id: str
    version_id: str | None
    model: str
    status: str
    job: Mapping[str, Any]
    fine_tuned_model: str | None
    created_at: float
    finished_at: float | None
    heard_at: float
    problem: Problem | None

    @property
    def finished(self) -> bool:
        """Whether the service says that nothing more will happen."""
        return self.status in FINAL

    @property
    def paused(self) -> bool:
        """Whether nothing happens until a person resumes the job."""
        return self.status in ("pausing", "paused")

    @property
    def started_elsewhere(self) -> bool:
        """Whether another program started the job: of a launch from here the data is known."""
        return self.version_id is None

    @property
    def error(self) -> str | None:
        """What the service says went wrong with the job. Healthy jobs carry `null`, `{}` or an object full of nulls."""
        error = self.job.get("error")
        if not isinstance(error, Mapping):
            return None
        said = [clean(error[key]) for key in ("message", "code") if error.get(key)]
        return said[0] if said else None

    @property
    def hyperparameters(self) -> Mapping[str, Any]:
        """The job's hyperparameters: of its method, with the older ones at the job's top level underneath."""
        top = self.job.get("hyperparameters")
        method = self.job.get("method")
        inner = method.get(self.method) if isinstance(method, Mapping) else None
        deep = inner.get("hyperparameters") if isinstance(inner, Mapping) else None
        merged = dict(deep) if isinstance(deep, Mapping) else {}
        # The top level carries the numbers that "auto" became, where the method still says "auto".
        if isinstance(top, Mapping):
            merged.update({name: value for name, value in top.items() if merged.get(name) in (None, "auto")})
        return merged

    @property
    def method(self) -> str | None:
        """How it trains, such as "supervised" or "dpo"; None where the service does not say."""
        method = self.job.get("method")
        kind = method.get("type") if isinstance(method, Mapping) else None
        return kind if isinstance(kind, str) else None

    @property
    def n_epochs(self) -> int | None:
        """The number of epochs, None while the service has not decided."""
        return whole(self.hyperparameters.get("n_epochs"))


def runs(ws: Workspace, *, service_id: str | None = None) -> tuple[Run, ...]:
    """All runs (of one service), newest first, without removed ones."""
    rows = ws.read("SELECT * FROM runs WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC")
    return tuple(_run(row) for row in rows if service_id is None or row["service_id"] == service_id)


def unfinished(ws: Workspace) -> tuple[Run, ...]:
    """The runs of which more can be heard than the workspace has, newest first."""
    marks = ", ".join("?" for _ in FINAL)
    rows = ws.read(
        f"SELECT * FROM runs WHERE deleted_at IS NULL AND (status NOT IN ({marks}) OR problem IS NOT NULL"
        " OR heard_at < finished_at + ?) ORDER BY created_at DESC, id DESC",
        (*FINAL, AFTERMATH_SECONDS),
    )
    return tuple(_run(row) for row in rows)


def run(ws: Workspace, run_id: str) -> Run:
    """One run, by its own id or by the service's job id. Raises WorkspaceError when there is none."""
    rows = ws.read("SELECT * FROM runs WHERE id = ? OR job_id = ? ORDER BY created_at DESC", (run_id, run_id))
    if not rows:
        raise WorkspaceError(f"There is no run {run_id} in this workspace.", "List the runs to see their ids.")
    return _run(rows[0])


def events(ws: Workspace, run_id: str) -> tuple[Event, ...]:
    """The events of a run, oldest first. Those of type `result_file` were read from the job's result file."""
    rows = ws.read("SELECT * FROM run_events WHERE run_id = ? ORDER BY created_at, event_id", (run_id,))
    return tuple(
        Event(row["event_id"], row["created_at"], row["level"], row["type"], row["message"], json.loads(row["data"]))
        for row in rows
    )


def count_events(ws: Workspace, run_id: str) -> int:
    """How many events the workspace has of a run."""
    return int(ws.read("SELECT COUNT(*) FROM run_events WHERE run_id = ?", (run_id,))[0][0])


def event_ids(ws: Workspace, run_id: str) -> frozenset[str]:
    """The ids of the events that are already in the workspace."""
    return frozenset(row[0] for row in ws.read("SELECT event_id FROM run_events WHERE run_id = ?", (run_id,)))


def checkpoints(ws: Workspace, run_id: str) -> tuple[Checkpoint, ...]:
    """The checkpoints of a run by step. A service may have dropped old ones; the workspace keeps what it has seen."""
    rows = ws.read("SELECT * FROM run_checkpoints WHERE run_id = ? ORDER BY step, checkpoint_id", (run_id,))
    return tuple(
        Checkpoint(row["checkpoint_id"], row["step"], row["model"], row["created_at"], json.loads(row["metrics"]))
        for row in rows
    )


def file_names(ws: Workspace, run_id: str) -> dict[str, str | None]:
    """What the service calls the files of a run that was started elsewhere, by their ids; None for what it keeps."""
    return {row["file_id"]: row["name"] for row in ws.read("SELECT * FROM run_files WHERE run_id = ?", (run_id,))}


def record_file_name(ws: Workspace, run_id: str, file_id: str, name: str | None) -> None:
    """Keep what the service calls a file of a run; None when it does not tell."""
    with ws.write() as db:
        db.execute("INSERT OR REPLACE INTO run_files VALUES (?, ?, ?)", (run_id, file_id, name))


def record_job(
    db: sqlite3.Connection, service_id: str, job: Mapping[str, Any], *, heard_at: float, version_id: str | None = None
) -> str:
    """Write down what the service says about a job, inside the caller's transaction, and return the run's id.

    A job that is followed already is brought up to date; fields that the answer lacks keep their last value.
    """
    row = db.execute(
        "SELECT id, model, status, job, fine_tuned_model, created_at, finished_at FROM runs"
        " WHERE service_id = ? AND job_id = ?",
        (service_id, clean(job["id"])),
    ).fetchone()
    job = {**json.loads(row["job"]), **job} if row else job
    model = clean(job["model"]) if isinstance(job.get("model"), str) else (row["model"] if row else "")
    status = clean(job["status"]) if isinstance(job.get("status"), str) else (row["status"] if row else "unknown")
    tuned = clean(job["fine_tuned_model"]) if isinstance(job.get("fine_tuned_model"), str) else None
    finished = number(job.get("finished_at"))
    if status in FINAL and finished is None:
        finished = row["finished_at"] if row and row["finished_at"] is not None else heard_at
    if row is not None:
        db.execute(
            "UPDATE runs SET model = ?, status = ?, job = ?, fine_tuned_model = ?, finished_at = ?, heard_at = ?,"
            " problem = NULL, version_id = COALESCE(version_id, ?) WHERE id = ?",
            (
                model,
                status,
                json.dumps(job),
                tuned or row["fine_tuned_model"],
                finished,
                heard_at,
                version_id,
                row["id"],
            ),
        )
        return str(row["id"])
    run_id = new_id("run")
    created = number(job.get("created_at"))
    db.execute(
        "INSERT INTO runs (id, service_id, job_id, version_id, model, status, job, fine_tuned_model, created_at,"
        " finished_at, heard_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run_id,
            service_id,
            clean(job["id"]),
            version_id,
            model,
            status,
            json.dumps(job),
            tuned,
            heard_at if created is None else created,
            finished,
            heard_at,
        ),
    )
    return run_id


def expect_history(db: sqlite3.Connection, run_id: str) -> None:
    """Have a run that has ended asked about until `record_history`: whoever is killed before that asks again."""
    db.execute("UPDATE runs SET heard_at = MIN(heard_at, COALESCE(finished_at, heard_at)) WHERE id = ?", (run_id,))


def record_history(ws: Workspace, run_id: str) -> None:
    """All that the service had to say about a run has been written down just now."""
    with ws.write() as db:
        db.execute("UPDATE runs SET heard_at = ? WHERE id = ?", (ws.clock(), run_id))


def record_events(ws: Workspace, run_id: str, found: Iterable[Event]) -> int:
    """Add events; those with a known id change nothing. Returns how many were new."""
    with ws.write() as db:
        before = db.total_changes
        db.executemany(
            "INSERT OR IGNORE INTO run_events VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(run_id, e.id, e.created_at, e.level, e.type, e.message, json.dumps(e.data)) for e in found],
        )
        return db.total_changes - before


def record_checkpoints(ws: Workspace, run_id: str, found: Iterable[Checkpoint]) -> int:
    """Add checkpoints or bring them up to date. Returns how many were new."""
    known = {checkpoint.id for checkpoint in checkpoints(ws, run_id)}
    rows = [(run_id, c.id, c.step, c.model, c.created_at, json.dumps(c.metrics)) for c in found]
    with ws.write() as db:
        db.executemany("INSERT OR REPLACE INTO run_checkpoints VALUES (?, ?, ?, ?, ?, ?)", rows)
    return len({row[1] for row in rows} - known)


def record_problem(ws: Workspace, run_id: str, problem: Problem) -> None:
    """Note why the service could not be heard. Status, history and `heard_at` stay as they are."""
    with ws.write() as db:
        db.execute("UPDATE runs SET problem = ? WHERE id = ?", (problem_json(problem), run_id))


def problem_json(problem: Problem) -> str:
    """A problem as the JSON that the tables keep."""
    return json.dumps(asdict(problem))


def problem_of(text: str | None) -> Problem | None:
    """The problem in a table's column."""
    return Problem(**json.loads(text)) if text is not None else None


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        service_id=row["service_id"],
        job_id=row["job_id"],
        version_id=row["version_id"],
        model=row["model"],
        status=row["status"],
        job=json.loads(row["job"]),
        fine_tuned_model=row["fine_tuned_model"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        heard_at=row["heard_at"],
        problem=problem_of(row["problem"]),
    )
