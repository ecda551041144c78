"""The life of jobs: files are validated one job after the other, one job trains at a time, the others wait their turn.

Everything it needs to go on is in the database and the jobs' folders, and every step may be done twice: an engine that
was killed is started again and continues. Knows no route and nothing of how training works.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from lib.engine import job_orders
from lib.engine.conclusion import Conclusion
from lib.engine.home import Home
from lib.engine.job_book import JOB_PREFIX, JobBook
from lib.engine.job_orders import TRAINING_FILE, VALIDATION_FILE
from lib.engine.job_status import AT_REST, ENDED, PAUSED
from lib.engine.journal import Journal
from lib.engine.model_book import ModelBook
from lib.engine.trainer_process import TrainerProcess
from lib.engine.training_files import Examine, GivenFile, Unusable
from lib.errors import EngineError, EtudeError, Rejected

LOOK_SECONDS = 0.2
# Starts of a trainer, one after the other, that brought nothing that was not known before. More than one that is killed
# by accident needs, few enough for one that dies of the same example each time.
FRUITLESS_STARTS = 5
DATABASE_PAUSE_SECONDS = 5.0
# What a trainer finds in its folder when a person wants it to end.
CANCEL_FILE = "cancel"
PAUSE_FILE = "pause"

log = logging.getLogger("etude.engine")


class Supervisor:
    """Moves jobs on. `trainer` is the command that gets a job's folder; `examine` says whether files can be used."""

    def __init__(
        self,
        home: Home,
        book: JobBook,
        models: ModelBook,
        journal: Journal,
        conclusion: Conclusion,
        *,
        trainer: Sequence[str],
        examine: Examine,
    ) -> None:
        self._home = home
        self._book = book
        self._models = models
        self._journal = journal
        self._conclusion = conclusion
        self._trainer = tuple(trainer)
        self._examine = examine
        self._to_validate = asyncio.Event()
        self._to_train = asyncio.Event()
        self._running: tuple[str, TrainerProcess] | None = None
        self._settled = asyncio.Condition()
        self._last_words = ""
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up whatever is unfinished, and remove folders whose job a crash kept from being entered."""
        for folder in self._home.jobs.glob(f"{JOB_PREFIX}*"):
            if folder.is_dir() and not folder.is_symlink() and not self._book.knows(folder.name):
                shutil.rmtree(folder)
        for work in (self._validate_all, self._train_all):
            self._tasks.append(asyncio.create_task(work(), name=work.__name__))

    async def stop(self) -> None:
        """End the trainer, which keeps its state; its job stays `running` and goes on with the next engine."""
        self._stopping = True
        if self._running is not None:
            await self._running[1].stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def prepare(self, job_id: str, training: Path, validation: Path | None) -> None:
        """Prepare the folder of a new job before its row is made: it keeps its own copy of the files (as links)."""
        folder = self._home.job(job_id)
        folder.mkdir(mode=0o700)
        os.link(training, folder / TRAINING_FILE)
        if validation is not None:
            os.link(validation, folder / VALIDATION_FILE)

    def begin(self) -> None:
        """A job was entered: look at it."""
        self._to_validate.set()

    async def cancel(self, job_id: str) -> None:
        """Cancel a job; returns when it has taken effect, within two seconds. Raises NotThere, Rejected when ended."""
        job = self._book.get(job_id)
        if job["status"] not in ENDED:
            (self._home.job(job_id) / CANCEL_FILE).touch(mode=0o600)
            if self._running is not None and self._running[0] == job_id:
                await self._running[1].stop()
                async with self._settled:
                    await self._settled.wait_for(lambda: self._book.get(job_id)["status"] in ENDED)
            else:
                self._conclusion.cancel(job_id)
            if self._book.get(job_id)["status"] == "cancelled":
                return
        status = self._book.get(job_id)["status"]
        raise Rejected(
            f"Job has already completed: the job {job_id} has the status '{status}'.",
            status=400,
            param="fine_tuning_job_id",
            code="job_not_cancellable",
        )

    async def pause(self, job_id: str) -> None:
        """Pause a job; returns when its trainer is gone, within two seconds, and the next job may train.

        Raises NotThere, Rejected when it has ended or is paused.
        """
        status = self._book.get(job_id)["status"]
        if status == "running":
            (self._home.job(job_id) / PAUSE_FILE).touch(mode=0o600)
            if self._running is not None and self._running[0] == job_id:
                await self._running[1].leave()
            async with self._settled:
                await self._settled.wait_for(lambda: self._book.get(job_id)["status"] != "running")
        elif status not in AT_REST:
            self._book.pause(job_id)
        else:
            raise _refused(job_id, status, "paused", "job_not_pausable")
        status = self._book.get(job_id)["status"]
        if status != PAUSED:
            raise _refused(job_id, status, "paused", "job_not_pausable")

    def resume(self, job_id: str) -> None:
        """Put a paused job back into the queue, where it stands by the time at which it was created.

        Raises NotThere, Rejected when it is not paused.
        """
        status = self._book.get(job_id)["status"]
        if status != PAUSED:
            raise _refused(job_id, status, "resumed", "job_not_resumable")
        (self._home.job(job_id) / PAUSE_FILE).unlink(missing_ok=True)
        self._book.resume(job_id)
        self._to_validate.set()
        self._to_train.set()

    async def _validate_all(self) -> None:
        while True:
            job = self._book.first("validating_files")
            if job is None:
                self._to_validate.clear()
                await self._to_validate.wait()
                continue
            await self._guarded(job, self._validate)

    async def _train_all(self) -> None:
        while not self._stopping:
            # One that is `running` was interrupted: it comes first.
            job = self._book.first("running", "queued")
            if job is None:
                self._to_train.clear()
                await self._to_train.wait()
                continue
            await self._guarded(job, self._train)
            async with self._settled:
                self._settled.notify_all()

    async def _guarded(self, job: sqlite3.Row, work: Callable[[sqlite3.Row], Awaitable[None]]) -> None:
        """Do one job's work; what goes wrong ends that job with an error and never the queue."""
        try:
            await work(job)
        except sqlite3.Error:
            # A full disk, say. Nothing is lost: the job is where it was, and is taken up again.
            log.exception("Job %s waits: the database could not be changed.", job["id"])
            await asyncio.sleep(DATABASE_PAUSE_SECONDS)
        except Exception as error:
            log.exception("Job %s failed inside the engine.", job["id"])
            said = f" {error}" if isinstance(error, (EtudeError, OSError)) else ""
            self._conclusion.give_up(job["id"], f"The job failed due to an internal error.{said}")

    async def _validate(self, job: sqlite3.Row) -> None:
        folder = self._home.job(job["id"])
        if (folder / CANCEL_FILE).exists():
            self._conclusion.cancel(job["id"])
            return
        training, validation = GivenFile(folder / TRAINING_FILE, job["training_file"]), None
        files = training.id
        if job["validation_file"]:
            validation = GivenFile(folder / VALIDATION_FILE, job["validation_file"])
            files += f" and validation file: {validation.id}"
        self._book.move(job["id"], "validating", f"Validating training file: {files}")
        found = await asyncio.to_thread(self._examine, job["method"], training, validation)
        if self._book.get(job["id"])["status"] != "validating_files":
            return
        if isinstance(found, Unusable):
            self._book.fail(job["id"], found.code, found.message, found.param)
            return
        resolved = job_orders.resolve(json.loads(job["hyperparameters"]), found.examples)
        self._book.move(
            job["id"],
            "validated",
            "Files validated, moving job to queued state",
            status="queued",
            hyperparameters=json.dumps(resolved),
        )
        self._to_train.set()

    async def _train(self, job: sqlite3.Row) -> None:
        job_id = job["id"]
        folder = self._home.job(job_id)
        if job["status"] == "queued":
            job_orders.write(job, folder, self._models)
            self._book.move(job_id, "started", "Fine-tuning job started", status="running")
        fruitless, known = 0, -1
        while not self._at_rest(job_id, folder):
            told = self._book.told(job_id)
            fruitless = fruitless + 1 if told == known else 0
            if fruitless == FRUITLESS_STARTS:
                raise EngineError(self._last_words)
            known = told
            await self._run_trainer(job_id, folder)
            if self._stopping:
                return

    def _at_rest(self, job_id: str, folder: Path) -> bool:
        """Read what the trainer said; end the job if that or a person's wish ends it, or let it wait."""
        while self._journal.catch_up(job_id, folder):
            pass
        outcome = self._journal.outcome(job_id)
        if outcome is not None:
            self._conclusion.reach(job_id, outcome)
        elif (folder / CANCEL_FILE).exists():
            self._conclusion.cancel(job_id)
        elif (folder / PAUSE_FILE).exists():
            self._book.pause(job_id)
        return self._book.get(job_id)["status"] in AT_REST

    async def _run_trainer(self, job_id: str, folder: Path) -> None:
        process = await TrainerProcess.start(self._trainer, folder)
        self._running = (job_id, process)
        try:
            while not await process.ended(LOOK_SECONDS):
                self._journal.catch_up(job_id, folder)
        finally:
            await process.stop()
            self._running = None
        self._last_words = process.how_it_ended()
        log.info("Job %s: %s", job_id, self._last_words)


def _refused(job_id: str, status: str, what: str, code: str) -> Rejected:
    return Rejected(
        f"Job cannot be {what}: the job {job_id} has the status '{status}'.",
        status=400,
        param="fine_tuning_job_id",
        code=code,
    )
