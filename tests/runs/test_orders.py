"""What a person asks of a job happens once, or is said not to have happened."""

from __future__ import annotations

import pytest

from lib.dataset.shelf import Version
from lib.errors import NotAllowed, Rejected, ServiceBroken
from lib.runs import book
from lib.runs.book import Run
from lib.runs.launch import launch
from lib.runs.metrics import curves, progress
from lib.runs.orders import pause, resume
from lib.runs.watch import poll
from lib.services.connection import Connection
from lib.workspace.database import Workspace
from tests.protocol_server import ProtocolServer, Refused
from tests.protocol_server.world import Job
from tests.runs.conftest import Naps, plan_for


@pytest.fixture
def job(ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps) -> Job:
    """A job with 7 of its 30 steps behind it."""
    run = launch(ws, connection, plan_for(version), sleep=naps)
    job = server.world.jobs[run.job_id]
    job.view["status"] = "running"
    server.world.run_steps(job, 7)
    return job


@pytest.fixture
def run(ws: Workspace, connection: Connection, job: Job) -> Run:
    return poll(ws, connection, book.runs(ws)[0])


def test_a_job_rests_and_goes_on(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    resting = pause(ws, connection, run)
    assert (resting.status, resting.paused, resting.finished) == ("paused", True, False)
    measured = curves(book.events(ws, run.id), (), n_epochs=run.n_epochs)
    assert progress(resting, measured, ws.clock()).seconds_left is None
    assert resume(ws, connection, resting).status == "running"
    server.world.succeed(job)
    after = poll(ws, connection, run)
    assert [point.step for point in curves(book.events(ws, run.id), ()).train_loss] == list(range(1, 31))
    assert after.status == "succeeded"


def test_what_is_so_already_is_no_error(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    server.next("POST", "/fine_tuning/jobs/*/pause", Refused(400, "The job is paused."))
    job.view["status"] = "paused"
    assert pause(ws, connection, run).status == "paused"
    server.world.succeed(job)
    assert resume(ws, connection, run).status == "succeeded"
    assert pause(ws, connection, run).status == "succeeded"


@pytest.mark.parametrize("status", [404, 405])
def test_a_service_that_pauses_nothing_is_said_to(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, status: int
) -> None:
    server.next("POST", "/fine_tuning/jobs/*/pause", Refused(status, "Not found"))
    with pytest.raises(Rejected, match="has no way to pause"):
        pause(ws, connection, run)
    assert book.run(ws, run.id).status == "running"
    assert book.run(ws, run.id).problem is None


def test_a_refusal_is_told_and_changes_nothing(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run
) -> None:
    for refusal, kind in (
        (Refused(400, "Not now."), Rejected),
        (Refused(403), NotAllowed),
        (Refused(500), ServiceBroken),
    ):
        server.next("POST", "/fine_tuning/jobs/*/pause", refusal)
        with pytest.raises(kind):
            pause(ws, connection, run)
    assert server.count("POST", "/fine_tuning/jobs/*/pause") == 3
    assert book.run(ws, run.id).status == "running"
