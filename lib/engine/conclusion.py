"""How jobs end: the fine-tuned model is kept, the result file made, the last events told, and room made on the disk.

Every ending may be reached twice, by an engine that was killed in the middle of it. Knows no process and no route.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from pathlib import Path

from lib.engine import result_file
from lib.engine.file_shelf import FileShelf
from lib.engine.home import Home
from lib.engine.job_book import JobBook, model_of
from lib.engine.job_status import ENDED
from lib.engine.journal import Done, Outcome, within
from lib.engine.model_book import ModelBook

RESUME_FOLDER = "resume"
FILE_ID_LENGTH = 22


class Conclusion:
    """Ends jobs."""

    def __init__(self, home: Home, book: JobBook, models: ModelBook, files: FileShelf) -> None:
        self._home = home
        self._book = book
        self._models = models
        self._files = files

    def reach(self, job_id: str, outcome: Outcome) -> None:
        """End a job as its trainer said."""
        if isinstance(outcome, Done):
            self._succeed(job_id, outcome)
        else:
            self._book.fail(job_id, outcome.code, outcome.message, outcome.param)
        self._tidy(job_id)

    def give_up(self, job_id: str, message: str) -> None:
        """End a job that cannot go on, through no fault of its files."""
        self._book.fail(job_id, "server_error", message, None)
        self._tidy(job_id)

    def cancel(self, job_id: str) -> None:
        """End a job that was cancelled. Its checkpoints stay."""
        if self._book.get(job_id)["status"] not in ENDED:
            self._book.move(
                job_id,
                "cancelled",
                "Fine-tuning job cancelled",
                status="cancelled",
                finished_at=self._book.now(),
                estimated_finish=None,
            )
        self._tidy(job_id)

    def _succeed(self, job_id: str, outcome: Done) -> None:
        job = self._book.get(job_id)
        model = model_of(job)
        weights = within(self._home.job(job_id), outcome.folder)
        self._models.keep(model, job["base"], weights, job["tag"])
        created = f"New fine-tuned model created: {model}"
        if job["result_file"] is None:
            content = result_file.content(self._book.metrics(job_id))
            written = {"result_file": self._write(job_id, result_file.NAME, content)}
            losses = self._losses(job)
            if losses is not None:
                written["example_file"] = self._write(job_id, result_file.LOSSES_NAME, losses)
            self._book.tell_checkpoints(job_id)
            self._book.move(job_id, "model", created, **written)
        self._book.move(
            job_id,
            "succeeded",
            "The job has successfully completed",
            status="succeeded",
            fine_tuned_model=model,
            trained_tokens=outcome.trained_tokens,
            finished_at=self._book.now(),
            estimated_finish=None,
        )

    def _write(self, job_id: str, filename: str, content: bytes) -> str:
        """Keep a result file under an id made of the job's, so that writing it twice makes one; its id."""
        digest = hashlib.sha256(f"{job_id} {filename}".encode()).hexdigest()
        row = self._files.write(content, name=digest[:FILE_ID_LENGTH], filename=filename, purpose="fine-tune-results")
        return str(row["id"])

    def _losses(self, job: sqlite3.Row) -> bytes | None:
        """What the trainer wrote of single examples, as a result file; None when it wrote nothing."""
        if job["example_losses"] is None:
            return None
        path = self._home.job(job["id"]) / job["example_losses"]
        return result_file.encoded(path.read_bytes()) if path.is_file() else None

    def _tidy(self, job_id: str) -> None:
        """What only a running training needs: its resume state is three times the size of a model."""
        folder: Path = self._home.job(job_id)
        shutil.rmtree(folder / RESUME_FOLDER, ignore_errors=True)
