"""Follows jobs into the workspace: one poll of one run, and the watcher that polls all that are not finished.

What a service says is written down as it is; not hearing from it is a problem of the hearing, never a state of the job.
Knows nothing of screens; whoever reads the workspace sees what was heard last, and when.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from lib.errors import BadCredentials, EtudeError, NotAllowed, NotThere, Rejected, ServiceError, Unreachable
from lib.runs import book, intents, result_file
from lib.runs.book import Problem, Run
from lib.runs.elsewhere import Newcomers
from lib.runs.heard import checkpoint_of, clean, event_of
from lib.runs.launch import settle
from lib.runs.locks import held_if_free
from lib.runs.metrics import curves
from lib.runs.wire import ask_for_one, pages
from lib.services.connection import Connection
from lib.services.diagnosis import explain
from lib.workspace.database import Workspace

log = logging.getLogger(__name__)

Connect = Callable[[str], Connection | None]

QUICKEST, SLOWEST = 2.0, 60.0
# Trying again here costs nobody anything, and a network that is back or a key that was given should be noticed soon.
SLOWEST_NEARBY = 4.0
NEARBY_PROBLEMS = frozenset({"Unreachable", "BadCredentials"})
JITTER = 0.25
ANSWER_SECONDS = 20.0
LOOK_FOR_NEW_SECONDS = 1.0


def poll(ws: Workspace, connection: Connection, run: Run) -> Run:
    """Write down what the service says about a job now: its state, its new events, its checkpoints.

    May be repeated at any time. When the service cannot be heard, the run keeps all that is known of it and carries the
    problem; nothing is raised.
    """
    try:
        _hear_job(ws, connection, run)
        now = book.run(ws, run.id)
        _hear_events(ws, connection, now)
        _hear_checkpoints(ws, connection, now)
        if now.status == "succeeded":
            _fill_gaps(ws, connection, now)
        if now.started_elsewhere:
            _hear_file_names(ws, connection, now)
        if now.finished:
            book.record_history(ws, run.id)
    except ServiceError as error:
        book.record_problem(ws, run.id, Problem.of(error, ws.clock()))
    return book.run(ws, run.id)


def _hear_job(ws: Workspace, connection: Connection, run: Run) -> None:
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    try:
        job = ask_for_one(connection, "read the job", lambda: jobs.retrieve(run.job_id)).body
    except NotThere as error:
        raise NotThere(
            f"{connection.service.name} does not show this job to this key.",
            "What was heard before is kept. Use a key of the project that the job was made in.",
            raw=error.raw,
            status=error.status,
        ) from error
    with ws.write() as db:
        book.record_job(db, run.service_id, {**job, "id": run.job_id}, heard_at=ws.clock())
        book.expect_history(db, run.id)


def _hear_events(ws: Workspace, connection: Connection, run: Run) -> None:
    """All events that are not known yet.

    They are written in one go, so that what is known has no holes before it: then a page of known ones, newest first,
    ends the search. Once a job is over, everything is read again for what came late.
    """
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    known, found = book.event_ids(ws, run.id), {}
    for page in pages(connection, "read the events", lambda query: jobs.list_events(run.job_id, **query)):
        heard = [event_of(said) for said in page]
        found.update({event.id: event for event in heard if event.id not in known})
        times = [event.created_at for event in heard]
        newest_first = times == sorted(times, reverse=True) and times[0] > times[-1]
        if newest_first and not run.finished and all(event.id in known for event in heard):
            break
    book.record_events(ws, run.id, found.values())


def _hear_checkpoints(ws: Workspace, connection: Connection, run: Run) -> None:
    checkpoints = connection.once.fine_tuning.jobs.checkpoints.with_raw_response
    try:
        listed = list(pages(connection, "read the checkpoints", lambda query: checkpoints.list(run.job_id, **query)))
    except (NotThere, Rejected):
        # Some services have no checkpoints at all, and say so in this way.
        return
    found = [checkpoint_of(said) for page in listed for said in page]
    book.record_checkpoints(ws, run.id, [checkpoint for checkpoint in found if checkpoint is not None])


def _fill_gaps(ws: Workspace, connection: Connection, run: Run) -> None:
    """Take the steps that no event told of from the result file. What cannot be read is not missed."""
    named = run.job.get("result_files")
    files = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    known = curves(book.events(ws, run.id), ())
    if not files or (known.total_steps is not None and len(known.train_loss) >= known.total_steps):
        return
    steps = {point.step for point in known.train_loss}
    for file_id in files:
        try:
            content = connection.once.files.with_raw_response.content(file_id).content
        except Exception as error:
            explained = explain(error, connection.service, "read the result file")
            if isinstance(explained, Unreachable):
                raise explained from error
            continue
        book.record_events(ws, run.id, result_file.events(content, file_id, steps, run.finished_at or run.created_at))


def _hear_file_names(ws: Workspace, connection: Connection, run: Run) -> None:
    """What the service calls the files of a job that another program made; asked once."""
    known, files = book.file_names(ws, run.id), connection.once.files.with_raw_response
    for file_id in (run.job.get("training_file"), run.job.get("validation_file")):
        if not isinstance(file_id, str) or not file_id or clean(file_id) in known:
            continue
        try:
            told = ask_for_one(connection, "read the file's name", partial(files.retrieve, file_id)).body
        except (NotThere, NotAllowed, Rejected):
            told = {}
        name = told.get("filename")
        book.record_file_name(ws, run.id, clean(file_id), clean(name) if isinstance(name, str) and name else None)


@dataclass(slots=True)
class _Turn:
    """When something is asked about next (by the monotonic clock), and how long the pause before that was."""

    due: float = 0.0
    pause: float = QUICKEST


class Watcher:
    """Follows every unfinished run and settles every launch of unknown outcome, in one thread.

    However many watchers a workspace has, in this process and in others, one of them asks services; if it ends, another
    takes over. `connect_for` is called afresh for every attempt, so that a new address or key is used at once, and what
    it gives is closed afterwards; None means that there is no key. `newcomers` finds jobs that others have started.
    """

    def __init__(
        self,
        ws: Workspace,
        connect_for: Connect,
        *,
        newcomers: Newcomers | None = None,
        quickest: float = QUICKEST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ws = ws
        self._connect_for = connect_for
        self._newcomers = newcomers
        self._quickest = quickest
        self._monotonic = monotonic
        self._turns: dict[str, _Turn] = {}
        self._ending = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch; nothing happens when it has begun already."""
        if self._thread is None:
            self._ending.clear()
            self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, after the request that is under way."""
        self._ending.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(ANSWER_SECONDS)
            self._thread = None

    def wake(self) -> None:
        """Ask about everything now: a key was given, a job was launched. A service's own wish to wait is kept."""
        self._woken.set()

    def look(self) -> None:
        """One round: ask about all that is due, service by service."""
        runs, launches = book.unfinished(self._ws), intents.launches(self._ws, unsettled=True)
        asked: list[Run | intents.Launch] = [*launches, *runs]
        names = {one.id for one in asked}
        self._turns = {name: turn for name, turn in self._turns.items() if name in names}
        for service_id in dict.fromkeys(one.service_id for one in asked):
            mine = [run for run in runs if run.service_id == service_id]
            if any(run.problem and (run.problem.wait_until or 0.0) > self._ws.clock() for run in mine):
                continue
            due_runs = [run for run in mine if self._is_due(run.id)]
            due_launches = [one for one in launches if one.service_id == service_id and self._is_due(one.id)]
            if due_runs or due_launches:
                self._ask(service_id, due_runs, due_launches)
        if self._newcomers is not None:
            self._newcomers.look()

    def _ask(self, service_id: str, runs: list[Run], launches: list[intents.Launch]) -> None:
        try:
            with self._connected(service_id) as connection:
                for launch in launches:
                    settled = settle(self._ws, connection, launch.id, sleep=self._sleep).settled
                    self._again(launch.id, news=settled, problem=None, failed=not settled)
                self._poll(connection, runs)
        except EtudeError as error:
            problem = Problem.of(error, self._ws.clock())
            self._fail([*runs, *launches], problem)

    def _poll(self, connection: Connection, runs: list[Run]) -> None:
        for position, run in enumerate(runs):
            if self._ending.is_set():
                return
            events = book.count_events(self._ws, run.id)
            after = poll(self._ws, connection, run)
            if after.problem is not None and (after.problem.kind == "Unreachable" or after.problem.wait_until):
                # It is the service, not the run: the others need not find out one by one.
                self._fail(runs[position:], after.problem)
                return
            news = after.status != run.status or book.count_events(self._ws, run.id) != events
            self._again(run.id, news=news, problem=after.problem, failed=after.problem is not None)

    def _fail(self, asked: Sequence[Run | intents.Launch], problem: Problem) -> None:
        for one in asked:
            if isinstance(one, Run) and one.problem != problem:
                book.record_problem(self._ws, one.id, problem)
            self._again(one.id, news=False, problem=problem, failed=True)

    def _again(self, name: str, *, news: bool, problem: Problem | None, failed: bool) -> None:
        """Say when to ask next: soon after news, later and later without, and later still after a failure."""
        turn = self._turns.setdefault(name, _Turn(pause=self._quickest))
        slowest = SLOWEST_NEARBY if problem is not None and problem.kind in NEARBY_PROBLEMS else SLOWEST
        grown = turn.pause * (2.0 if failed else 1.3)
        turn.pause = self._quickest if news else min(grown, slowest)
        turn.due = self._monotonic() + turn.pause * (1 + JITTER * random.random())

    def _is_due(self, name: str) -> bool:
        return name not in self._turns or self._monotonic() >= self._turns[name].due

    @contextmanager
    def _connected(self, service_id: str) -> Iterator[Connection]:
        connection = self._connect_for(service_id)
        if connection is None:
            raise BadCredentials("There is no key for this service here.", "Give its key to go on following its runs.")
        patient = replace(connection, once=connection.once.with_options(timeout=ANSWER_SECONDS))
        try:
            yield patient
        finally:
            connection.close()

    def _sleep(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def _watch(self) -> None:
        while not self._ending.is_set():
            with held_if_free(self._ws.home, "watch") as alone:
                while alone and not self._ending.is_set():
                    self._look_safely()
                    if self._woken.wait(LOOK_FOR_NEW_SECONDS):
                        self._woken.clear()
                        self._turns.clear()
            self._ending.wait(LOOK_FOR_NEW_SECONDS)
        self._ws.close()

    def _look_safely(self) -> None:
        """A round that went wrong in a way nobody foresaw is told to the terminal; the watch goes on."""
        try:
            self.look()
        except Exception:
            log.exception("The watcher met an error")
