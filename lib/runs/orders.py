"""What a person may want of a job that is under way: that it stops, pauses, or goes on.

Each is one request, never repeated by itself. A job that is already as it should be is left as it is.
"""

from __future__ import annotations

from typing import Literal

from lib.errors import Rejected, ServiceError
from lib.runs import book
from lib.runs.book import FINAL, Run
from lib.runs.watch import poll
from lib.runs.wire import ask_for_one
from lib.services.connection import Connection
from lib.workspace.database import Workspace

Order = Literal["cancel", "pause", "resume"]

# With these a job is as the order wants it, or can no longer be.
REACHED: dict[Order, frozenset[str]] = {
    "cancel": FINAL,
    "pause": FINAL | {"pausing", "paused"},
    "resume": FINAL | {"validating_files", "queued", "running"},
}
# A service that speaks the protocol but has not got this endpoint answers with one of these.
NO_SUCH_ENDPOINT = frozenset({404, 405, 501})


def cancel(ws: Workspace, connection: Connection, run: Run) -> Run:
    """Ask the service to stop a job and return what it says then. A job that has ended already is left as it ended."""
    return _ask(ws, connection, run, "cancel")


def pause(ws: Workspace, connection: Connection, run: Run) -> Run:
    """Ask the service to let a job rest. Raises Rejected when it cannot be, or the service pauses no job at all."""
    return _ask(ws, connection, run, "pause")


def resume(ws: Workspace, connection: Connection, run: Run) -> Run:
    """Ask the service to go on with a paused job. Raises Rejected when it cannot, or the service resumes none."""
    return _ask(ws, connection, run, "resume")


def _ask(ws: Workspace, connection: Connection, run: Run, order: Order) -> Run:
    jobs = connection.once.fine_tuning.jobs.with_raw_response
    call = {"cancel": jobs.cancel, "pause": jobs.pause, "resume": jobs.resume}[order]
    try:
        answer = ask_for_one(connection, f"{order} the job", lambda: call(run.job_id))
    except ServiceError as error:
        if not isinstance(error, Rejected) and error.status not in NO_SUCH_ENDPOINT:
            raise
        after = poll(ws, connection, run)
        if after.problem is None and after.status in REACHED[order]:
            return after
        if after.problem is None and error.status in NO_SUCH_ENDPOINT:
            raise Rejected(
                f"{connection.service.name} knows the job, and has no way to {order} one.",
                "Nothing was changed: the job is as it was.",
                raw=error.raw,
                status=error.status,
            ) from error
        raise
    with ws.write() as db:
        book.record_job(db, run.service_id, answer.body, heard_at=ws.clock())
    return book.run(ws, run.id)
