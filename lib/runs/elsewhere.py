"""Jobs that were started elsewhere, by another program or on a service's own site: found, and followed as runs.

A job is followed once, whoever asks and however often. While it is not known what became of a launch from here, no job
of its service is taken in: it might be that launch's own. What a job says from then on is heard by the watcher.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from lib.errors import EtudeError, OutcomeUnknown
from lib.runs import book, intents
from lib.runs.heard import clean, number
from lib.runs.wire import ask_for_one, pages
from lib.services import embedded
from lib.services.connection import Connection
from lib.services.reach import reach_running
from lib.services.service import Service
from lib.workspace.database import Workspace

PAGES_LOOKED_AT = 5

ANSWER_SECONDS = 20.0
QUICKEST, SLOWEST = 1.0, 60.0
# File systems tell times in steps; a job may follow another within one.
STEP_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A job that is not followed here. `created_at` is in seconds since 1970, None where the service does not say."""

    id: str
    model: str
    status: str
    suffix: str | None
    created_at: float | None


def look(ws: Workspace, connection: Connection) -> tuple[Found, ...]:
    """The latest jobs of a service that are not followed here, the newest first.

    Raises OutcomeUnknown while a launch from here is not settled, other ServiceErrors as the service tells.
    """
    service = connection.service
    if any(one.service_id == service.id for one in intents.launches(ws, unsettled=True)):
        raise _unclear(service)
    return tuple(_found(job) for job in _unknown_jobs(ws, connection))


def follow(ws: Workspace, connection: Connection, job_id: str) -> book.Run:
    """Follow a job as a run of this workspace; one that is followed already stays as it is.

    Raises NotThere when this key is not shown the job, OutcomeUnknown while a launch from here is not settled.
    """
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    job = ask_for_one(connection, "read the job", lambda: jobs.retrieve(job_id)).body
    return book.run(ws, _take_in(ws, connection, {**job, "id": job_id}))


def take_in(ws: Workspace, connection: Connection) -> int:
    """Follow the latest jobs of a service that are not followed here yet. Returns how many. Raises as `look` does."""
    found = _unknown_jobs(ws, connection)
    for job in reversed(found):
        _take_in(ws, connection, job)
    return len(found)


class Newcomers:
    """Takes in the jobs that other programs make at the service on this machine, as they appear there.

    It asks after a job was made, and never otherwise; it neither starts that service nor keeps it from ending.
    """

    def __init__(
        self,
        ws: Workspace,
        *,
        reach: Callable[[Workspace], Connection | None] = reach_running,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ws = ws
        self._reach = reach
        self._monotonic = monotonic
        self._seen: int | None = None
        self._due = 0.0
        self._pause = QUICKEST

    def look(self) -> None:
        """Take in what is new, if anything may be. What goes wrong is tried again later, and later still."""
        changed_at = embedded.jobs_changed_at(self._ws.home)
        if changed_at is None or changed_at == self._seen or self._monotonic() < self._due:
            return
        try:
            connection = self._reach(self._ws)
            if connection is None:
                return
            try:
                take_in(self._ws, replace(connection, once=connection.once.with_options(timeout=ANSWER_SECONDS)))
            finally:
                connection.close()
        except EtudeError:
            self._pause = min(2 * self._pause, SLOWEST)
        else:
            self._pause = QUICKEST
            if time.time_ns() - changed_at > STEP_NANOSECONDS:
                self._seen = changed_at
        self._due = self._monotonic() + self._pause


def _unknown_jobs(ws: Workspace, connection: Connection) -> list[dict[str, Any]]:
    """The latest jobs of a service that are not followed, newest first, each once."""
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    listed = islice(pages(connection, "list the jobs", lambda query: jobs.list(**query)), PAGES_LOOKED_AT)
    every = {clean(job["id"]): job for page in listed for job in page if isinstance(job.get("id"), str) and job["id"]}
    # Read after the list: a job that a launch has made meanwhile is known by now, or its launch is not settled.
    taken = intents.taken_jobs(ws, connection.service.id)
    unknown = [job for job_id, job in every.items() if job_id not in taken]
    return sorted(unknown, key=lambda job: number(job.get("created_at")) or 0.0, reverse=True)


def _take_in(ws: Workspace, connection: Connection, job: Mapping[str, Any]) -> str:
    """The run's id. One transaction: nobody launches, links or follows between the look and the entry."""
    service = connection.service
    with ws.write() as db:
        known = db.execute(
            "SELECT id FROM runs WHERE service_id = ? AND job_id = ?", (service.id, clean(job["id"]))
        ).fetchone()
        if known is not None:
            return str(known["id"])
        if intents.unclear(db, service.id):
            raise _unclear(service)
        now = ws.clock()
        run_id = intents.link_late(db, now, service.id, job)
        run_id = run_id or book.record_job(db, service.id, job, heard_at=now)
        book.expect_history(db, run_id)
    return run_id


def _unclear(service: Service) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"It is not known yet what became of a launch at {service.name}, and one of its jobs may be that launch's.",
        "Try again in a minute: Etude is finding out, and Runs shows that launch until it knows.",
    )


def _found(job: Mapping[str, Any]) -> Found:
    suffix = job.get("suffix") or job.get("user_provided_suffix")
    return Found(
        id=clean(job["id"]),
        model=clean(job["model"]) if isinstance(job.get("model"), str) else "",
        status=clean(job["status"]) if isinstance(job.get("status"), str) else "unknown",
        suffix=clean(suffix) if isinstance(suffix, str) and suffix else None,
        created_at=number(job.get("created_at")),
    )
