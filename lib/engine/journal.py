"""From the trainer's event file into the database: each line once, in order, however often it is read or repeated.

The place up to which the file was read changes in the same transaction as the rows made from it, so an engine that is
killed goes on without a gap. Knows the lines of `events.jsonl`, not who writes them.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lib.engine.job_book import JobBook, model_of
from lib.engine.store import Store, new_id

EVENTS_FILE = "events.jsonl"
MANIFEST_FILE = "manifest.json"
BLOCK = 1 << 20

log = logging.getLogger("etude.engine")


class Metrics(Struct, kw_only=True):
    step: int
    train_loss: float | None = None
    train_mean_token_accuracy: float | None = None
    valid_loss: float | None = None
    valid_mean_token_accuracy: float | None = None
    full_valid_loss: float | None = None
    full_valid_mean_token_accuracy: float | None = None
    train_rewards_accuracy: float | None = None
    train_rewards_margin: float | None = None
    valid_rewards_accuracy: float | None = None
    valid_rewards_margin: float | None = None
    full_valid_rewards_accuracy: float | None = None
    full_valid_rewards_margin: float | None = None


class Step(Metrics, tag_field="kind", tag="step", kw_only=True):
    total_steps: int
    at: float
    seconds_left: float | None = None
    warning: str | None = None


class Checkpoint(Metrics, tag_field="kind", tag="checkpoint", kw_only=True):
    folder: str


class Examples(Struct, tag_field="kind", tag="examples"):
    file: str


class Done(Struct, tag_field="kind", tag="done"):
    trained_tokens: int
    folder: str


class Failed(Struct, tag_field="kind", tag="failed"):
    code: str
    message: str
    param: str | None = None


Line = Step | Checkpoint | Examples | Done | Failed
Outcome = Done | Failed


class Journal:
    """Reads the event files of jobs."""

    def __init__(self, store: Store, book: JobBook) -> None:
        self._store = store
        self._book = book

    def catch_up(self, job_id: str, folder: Path) -> bool:
        """Enter the lines that came since the last time. Returns whether there were any."""
        job = self._book.get(job_id)
        lines, read_to = _complete_lines(folder / EVENTS_FILE, job["read_to"])
        if not lines:
            return False
        with self._store.change() as db:
            for line in lines:
                self._enter(db, job, folder, line)
            db.execute("UPDATE jobs SET read_to = ? WHERE id = ?", (read_to, job_id))
        return True

    def outcome(self, job_id: str) -> Outcome | None:
        """What the trainer said last, if it said that it ended."""
        said = self._book.get(job_id)["outcome"]
        return None if said is None else msgspec.json.decode(said, type=Done | Failed)

    def _enter(self, db: sqlite3.Connection, job: sqlite3.Row, folder: Path, line: bytes) -> None:
        try:
            event = msgspec.json.decode(line, type=Line)
        except msgspec.DecodeError as error:
            log.warning("Job %s: a line of the trainer's events was left out: %s.", job["id"], error)
            return
        if isinstance(event, Step):
            self._step(db, job["id"], event)
        elif isinstance(event, Checkpoint):
            self._checkpoint(db, job, folder, event)
        elif isinstance(event, Examples):
            losses = within(folder, event.file).relative_to(folder.resolve())
            db.execute("UPDATE jobs SET example_losses = ? WHERE id = ?", (str(losses), job["id"]))
        else:
            db.execute("UPDATE jobs SET outcome = ? WHERE id = ?", (msgspec.json.encode(event).decode(), job["id"]))

    def _step(self, db: sqlite3.Connection, job_id: str, event: Step) -> None:
        data = {"step": event.step, "total_steps": event.total_steps} | metrics(event)
        self._book.tell(db, job_id, f"step {event.step}", _step_message(event), at=event.at, data=data)
        if event.warning is not None:
            self._book.tell(db, job_id, f"warning {event.step}", event.warning, at=event.at, level="warn")
        if event.seconds_left is not None:
            finish = round(event.at + event.seconds_left)
            db.execute("UPDATE jobs SET estimated_finish = ? WHERE id = ?", (finish, job_id))

    def _checkpoint(self, db: sqlite3.Connection, job: sqlite3.Row, folder: Path, event: Checkpoint) -> None:
        db.execute(
            "INSERT OR IGNORE INTO checkpoints (id, job_id, step, model, folder, metrics, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                new_id("ftckpt_", 24),
                job["id"],
                event.step,
                f"{model_of(job)}:ckpt-step-{event.step}",
                str(within(folder, event.folder).relative_to(folder.resolve())),
                json.dumps({"step": event.step} | metrics(event)),
                self._book.now(),
            ),
        )
        self._forget_removed(db, job["id"], folder)

    def _forget_removed(self, db: sqlite3.Connection, job_id: str, folder: Path) -> None:
        """The trainer keeps the last few checkpoints only; a listed one must be there to talk to."""
        rows = db.execute("SELECT id, folder FROM checkpoints WHERE job_id = ?", (job_id,)).fetchall()
        for row in rows:
            if not (folder / row["folder"] / MANIFEST_FILE).exists():
                db.execute("DELETE FROM checkpoints WHERE id = ?", (row["id"],))


def metrics(event: Metrics) -> dict[str, Any]:
    """The numbers of a line that are there, under the protocol's names, without the step."""
    fields = (name for name in Metrics.__struct_fields__ if name != "step")
    return {name: value for name in fields if (value := getattr(event, name)) is not None}


def within(folder: Path, said: str) -> Path:
    """A path that the trainer named, which must lie in the job's folder. Raises ValueError otherwise."""
    path = (folder / said).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{path} is not in {folder}")
    return path


def _step_message(event: Step) -> str:
    parts = [
        f"{words}={value:.2f}"
        for words, value in (
            ("training loss", event.train_loss),
            ("validation loss", event.valid_loss),
            ("full validation loss", event.full_valid_loss),
        )
        if value is not None
    ]
    return f"Step {event.step}/{event.total_steps}: {', '.join(parts)}"


def _complete_lines(path: Path, start: int) -> tuple[list[bytes], int]:
    """The lines of at most one block that end in a newline, and the place behind them."""
    if not path.exists():
        return [], start
    with path.open("rb") as file:
        file.seek(start)
        block = file.read(BLOCK)
    whole = block[: block.rfind(b"\n") + 1]
    return whole.splitlines(), start + len(whole)
