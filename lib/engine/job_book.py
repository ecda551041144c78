"""Fine-tuning jobs, their events and checkpoints: the rows, and how the protocol shows them.

Every event carries a mark that says what it tells; telling it twice changes nothing, so whoever was interrupted may
simply do its step again. Knows no process and no route.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from lib.engine.job_request import NAMES
from lib.engine.job_status import AT_REST, ENDED, PAUSED
from lib.engine.model_book import fine_tuned_id
from lib.engine.protocol import not_there
from lib.engine.store import Store, new_id

JOB_PREFIX = "ftjob-"
TAG_LENGTH = 8


class JobBook:
    """Jobs by id."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def now(self) -> int:
        """The time as the protocol says it: whole seconds."""
        return int(self._clock())

    def create(self, fields: Mapping[str, Any]) -> sqlite3.Row:
        """Enter a new job in `validating_files`, with its first event. `fields` are columns of the jobs table."""
        row = dict(fields)
        if row.get("seed") is None:
            row["seed"] = secrets.randbelow(2**31)
        row |= {"status": "validating_files", "tag": new_id("", TAG_LENGTH), "created_at": self.now()}
        names = ", ".join(row)
        with self._store.change() as db:
            db.execute(f"INSERT INTO jobs ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
            self.tell(db, row["id"], "created", f"Created fine-tuning job: {row['id']}")
        return self.get(row["id"])

    def get(self, job_id: str) -> sqlite3.Row:
        """The row of a job. Raises NotThere."""
        row = self._store.row("SELECT * FROM jobs WHERE id = ?", (job_id,))
        if row is None:
            raise not_there("FineTuningJob", job_id, param="fine_tuning_job_id", code="fine_tune_not_found")
        return row

    def knows(self, job_id: str) -> bool:
        """Whether there is such a job."""
        return self._store.number("jobs", job_id) is not None

    def by_request_key(self, key: str) -> sqlite3.Row | None:
        """The job that was created by the request with this Idempotency-Key."""
        return self._store.row("SELECT * FROM jobs WHERE request_key = ?", (key,))

    def first(self, *statuses: str) -> sqlite3.Row | None:
        """The oldest job in the first of these statuses that any job is in."""
        for status in statuses:
            found = self._store.row("SELECT * FROM jobs WHERE status = ? ORDER BY number LIMIT 1", (status,))
            if found is not None:
                return found
        return None

    def unfinished(self, *, paused: bool = False) -> int:
        """How many jobs have not ended, with or without those that are paused and wait for a person."""
        left_out = ENDED if paused else AT_REST
        marks = ", ".join("?" * len(left_out))
        found = self._store.row(f"SELECT COUNT(*) AS n FROM jobs WHERE status NOT IN ({marks})", left_out)
        return int(found["n"]) if found else 0

    def listed(
        self, metadata: Mapping[str, str] | None, *, behind: int | None, limit: int
    ) -> tuple[list[sqlite3.Row], bool]:
        """A page of jobs, newest first: with all these pairs, or with no metadata at all for None."""
        values: list[str] = []
        where = "metadata IS NULL" if metadata is None else "TRUE"
        for pair in (metadata or {}).items():
            where += " AND EXISTS (SELECT 1 FROM json_each(jobs.metadata) WHERE key = ? AND value = ?)"
            values += pair
        return self._store.page("jobs", where, values, behind=behind, limit=limit)

    def events(self, job_id: str, *, behind: int | None, limit: int) -> tuple[list[sqlite3.Row], bool]:
        """A page of a job's events, newest first."""
        return self._store.page("events", "job_id = ?", (job_id,), behind=behind, limit=limit)

    def told(self, job_id: str) -> int:
        """How many events a job has. What a trainer repeats is told once, so this grows only with what is new."""
        found = self._store.row("SELECT COUNT(*) AS n FROM events WHERE job_id = ?", (job_id,))
        return int(found["n"]) if found else 0

    def was_told(self, job_id: str, mark: str) -> bool:
        """Whether a job has an event with this mark."""
        return self._store.row("SELECT 1 FROM events WHERE job_id = ? AND mark = ?", (job_id, mark)) is not None

    def metrics(self, job_id: str) -> list[sqlite3.Row]:
        """A job's metrics events, oldest first."""
        return self._store.rows("SELECT * FROM events WHERE job_id = ? AND type = 'metrics' ORDER BY number", (job_id,))

    def checkpoints(self, job_id: str, *, behind: int | None, limit: int) -> tuple[list[sqlite3.Row], bool]:
        """A page of a job's checkpoints, newest first."""
        return self._store.page("checkpoints", "job_id = ?", (job_id,), behind=behind, limit=limit)

    def move(self, job_id: str, mark: str, message: str, **columns: Any) -> None:
        """Change columns of a job and tell it, in one transaction."""
        with self._store.change() as db:
            if columns:
                names = ", ".join(f"{name} = ?" for name in columns)
                db.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*columns.values(), job_id))
            level = "error" if columns.get("status") == "failed" else "info"
            self.tell(db, job_id, mark, message, level=level)

    def tell_checkpoints(self, job_id: str) -> None:
        """Tell the checkpoints that are kept, oldest first, without the last one: that is the model itself.

        OpenAI tells them when the training has ended, though they are there from when they are made.
        """
        with self._store.change() as db:
            kept = db.execute("SELECT * FROM checkpoints WHERE job_id = ? ORDER BY number", (job_id,)).fetchall()
            for row in kept[:-1]:
                said = f"Checkpoint created at step {row['step']} with Snapshot ID: {row['model']}"
                self.tell(db, job_id, f"checkpoint {row['step']}", said)

    def pause(self, job_id: str) -> None:
        """Let a job wait until it is resumed."""
        self._repeated(job_id, "paused", "Fine-tuning job paused", status=PAUSED, estimated_finish=None)

    def resume(self, job_id: str) -> None:
        """Put a paused job back where it was: among those that wait to be trained, or to be looked at."""
        status = "queued" if self.was_told(job_id, "validated") else "validating_files"
        self._repeated(job_id, "resumed", "Fine-tuning job resumed", status=status)

    def _repeated(self, job_id: str, what: str, message: str, **columns: Any) -> None:
        """Tell what may happen to a job more than once. The row of events that it finds makes each time its own."""
        self.move(job_id, f"{what} after {self.told(job_id)}", message, **columns)

    def fail(self, job_id: str, code: str, message: str, param: str | None) -> None:
        """End a job with an error."""
        error = json.dumps({"code": code, "message": message, "param": param})
        self.move(
            job_id,
            "failed",
            message,
            status="failed",
            error=error,
            finished_at=self.now(),
            estimated_finish=None,
        )

    def tell(
        self,
        db: sqlite3.Connection,
        job_id: str,
        mark: str,
        message: str,
        *,
        level: str = "info",
        at: float | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an event inside a transaction, unless one with this mark is there. With `data` it is of type metrics."""
        db.execute(
            "INSERT OR IGNORE INTO events (id, job_id, mark, created_at, level, type, message, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new_id("ftevent-", 24),
                job_id,
                mark,
                self.now() if at is None else int(at),
                level,
                "message" if data is None else "metrics",
                message,
                json.dumps(data or {}),
            ),
        )


def model_of(job: sqlite3.Row) -> str:
    """The id that a job's fine-tuned model has or will have."""
    return fine_tuned_id(job["base"], job["suffix"], job["tag"])


def job_object(row: sqlite3.Row) -> dict[str, Any]:
    """A job as the protocol shows it."""
    own = json.loads(row["hyperparameters"])
    # OpenAI says null here for "dpo", which its own client refuses when it is strict. That client's types, and the
    # published schema, allow these three for every method.
    shared = {name: own[name] for name in NAMES}
    return {
        "object": "fine_tuning.job",
        "id": row["id"],
        "model": row["model"],
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
        "fine_tuned_model": row["fine_tuned_model"],
        "organization_id": "org-local",
        "result_files": [made for made in (row["result_file"], row["example_file"]) if made],
        "status": row["status"],
        "validation_file": row["validation_file"],
        "training_file": row["training_file"],
        "hyperparameters": shared,
        "trained_tokens": row["trained_tokens"],
        # OpenAI says {"code": null, "message": null, "param": null} here, which its own client refuses when it is
        # strict. The published schema allows null as well, and every client reads it.
        "error": json.loads(row["error"]) if row["error"] else None,
        "user_provided_suffix": row["suffix"],
        "seed": row["seed"],
        "estimated_finish": row["estimated_finish"],
        "integrations": [],
        "metadata": json.loads(row["metadata"]) if row["metadata"] else None,
        "method": {"type": row["method"], row["method"]: {"hyperparameters": own}},
    }


def event_object(row: sqlite3.Row) -> dict[str, Any]:
    """An event as the protocol shows it."""
    return {
        "object": "fine_tuning.job.event",
        "id": row["id"],
        "created_at": row["created_at"],
        "level": row["level"],
        "message": row["message"],
        "type": row["type"],
        "data": json.loads(row["data"]),
    }


def checkpoint_object(row: sqlite3.Row, model: str | None = None) -> dict[str, Any]:
    """A checkpoint as the protocol shows it; `model` is what it is called where that is not its own name."""
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": row["id"],
        "created_at": row["created_at"],
        "fine_tuned_model_checkpoint": model or row["model"],
        "fine_tuning_job_id": row["job_id"],
        "metrics": json.loads(row["metrics"]),
        "step_number": row["step"],
    }
