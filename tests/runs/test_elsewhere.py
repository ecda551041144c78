"""A job that another program started is followed once and whole, and never confused with a launch from here."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from lib.dataset.shelf import Version
from lib.errors import NotThere, OutcomeUnknown
from lib.runs import book, elsewhere, intents
from lib.runs.elsewhere import Newcomers, follow, look, take_in
from lib.runs.launch import launch, settle
from lib.runs.metrics import curves
from lib.runs.plan import LAUNCH_KEY
from lib.runs.watch import Watcher, poll
from lib.services.connection import Connection
from lib.workspace.database import Workspace
from tests.protocol_server import Lost, ProtocolServer, Refused
from tests.protocol_server.world import Job
from tests.runs.conftest import Clock, Naps, connection_to, lines, plan_for

JOBS = "/fine_tuning/jobs"


def made(server: ProtocolServer, **fields: Any) -> Job:
    """A job of 30 steps that some program has made."""
    world = server.world
    files = {
        "training_file": world.add_file("letters.jsonl", lines(10), "fine-tune")["id"],
        "validation_file": world.add_file("kept-back.jsonl", lines(2), "fine-tune")["id"],
    }
    return world.add_job({"model": "gpt-4.1-mini-2025-04-14", **files, **fields})


def test_jobs_that_are_not_followed_are_found_newest_first(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    jobs = [made(server, suffix=f"n{number}") for number in range(7)]
    for number, job in enumerate(jobs):
        job.view["created_at"] += number
    server.world.largest_page = 3
    launch(ws, connection, plan_for(version), sleep=naps)
    follow(ws, connection, jobs[2].view["id"])
    found = look(ws, connection)
    assert [one.suffix for one in found] == ["n6", "n5", "n4", "n3", "n1", "n0"]
    assert found[0].model == "gpt-4.1-mini-2025-04-14"
    assert found[0].status == "validating_files"


def test_looking_is_bounded(ws: Workspace, server: ProtocolServer, connection: Connection) -> None:
    for _ in range(8):
        made(server)
    server.world.largest_page = 1
    assert len(look(ws, connection)) == elsewhere.PAGES_LOOKED_AT
    assert server.count("GET", JOBS) == elsewhere.PAGES_LOOKED_AT
    assert book.runs(ws) == ()


def test_a_followed_job_is_watched_to_its_end_from_its_first_event_on(
    ws: Workspace, server: ProtocolServer, connection: Connection
) -> None:
    job = made(server, suffix="letters", metadata={"who": "another program"})
    job.view["status"] = "running"
    server.world.run_steps(job, 12)
    run = follow(ws, connection, job.view["id"])
    assert (run.started_elsewhere, run.version_id, run.status) == (True, None, "running")
    assert run.created_at == job.view["created_at"]
    assert run.job["user_provided_suffix"] == "letters"
    assert run.n_epochs == 3
    watcher = Watcher(ws, lambda _: connection_to(server))
    watcher.look()
    assert book.event_ids(ws, run.id) == {event["id"] for event in job.events}
    assert set(book.file_names(ws, run.id).values()) == {"letters.jsonl", "kept-back.jsonl"}
    server.world.succeed(job)
    run = poll(ws, connection, book.run(ws, run.id))
    found = curves(book.events(ws, run.id), book.checkpoints(ws, run.id), n_epochs=run.n_epochs)
    assert (run.status, run.fine_tuned_model) == ("succeeded", job.view["fine_tuned_model"])
    assert [point.step for point in found.train_loss] == list(range(1, 31))
    assert len(book.checkpoints(ws, run.id)) == 3
    assert server.count("GET", "/files/*") == 2
    assert server.count("POST", JOBS) == 0


def test_a_job_that_ended_long_ago_is_read_once_and_then_left_alone(
    ws: Workspace, server: ProtocolServer, connection: Connection, clock: Clock
) -> None:
    job = made(server)
    server.world.succeed(job)
    job.view["finished_at"] = int(clock.now) - 90 * 86_400
    run = follow(ws, connection, job.view["id"])
    assert [one.id for one in book.unfinished(ws)] == [run.id]
    Watcher(ws, lambda _: connection_to(server)).look()
    assert book.count_events(ws, run.id) == len(job.events)
    assert book.unfinished(ws) == ()


def test_a_history_whose_reading_broke_off_is_read_again(
    ws: Workspace, server: ProtocolServer, connection: Connection, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = made(server)
    server.world.succeed(job)
    job.view["finished_at"] = int(clock.now) - 90 * 86_400
    run = follow(ws, connection, job.view["id"])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lib.runs.watch._hear_events", killed)
        with pytest.raises(KeyboardInterrupt):
            poll(ws, connection, run)
    assert [one.id for one in book.unfinished(ws)] == [run.id]
    poll(ws, connection, run)
    assert book.count_events(ws, run.id) == len(job.events)
    assert book.unfinished(ws) == ()


def test_a_job_is_followed_once_however_often_and_by_however_many(
    ws: Workspace, server: ProtocolServer, connection: Connection
) -> None:
    job_id = made(server).view["id"]
    made(server)
    begin, ids = threading.Barrier(4), set()

    def tab(number: int) -> None:
        own = connection_to(server)
        begin.wait()
        if number % 2:
            take_in(ws, own)
        ids.add(follow(ws, own, job_id).id)
        own.close()
        ws.close()

    tabs = [threading.Thread(target=tab, args=(number,)) for number in range(4)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert len(ids) == 1
    assert len(book.runs(ws)) == 2
    assert take_in(ws, connection) == 0


def test_a_removed_run_does_not_come_back_by_itself(
    ws: Workspace, server: ProtocolServer, connection: Connection
) -> None:
    run = follow(ws, connection, made(server).view["id"])
    with ws.write() as db:
        db.execute("UPDATE runs SET deleted_at = 1 WHERE id = ?", (run.id,))
    assert look(ws, connection) == ()
    assert take_in(ws, connection) == 0
    assert book.runs(ws) == ()


def test_a_job_that_this_key_is_not_shown_is_not_followed(
    ws: Workspace, server: ProtocolServer, connection: Connection
) -> None:
    with pytest.raises(NotThere):
        follow(ws, connection, "ftjob-of-somebody-else")
    assert book.runs(ws) == ()


@pytest.mark.parametrize("forgetful", [False, True], ids=["keeps metadata", "keeps none"])
def test_a_launch_whose_outcome_is_unclear_keeps_its_job(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps, forgetful: bool
) -> None:
    server.world.ignores_metadata = forgetful
    server.next("POST", JOBS, Lost())
    server.next("GET", JOBS, Refused(503), times=6)
    with pytest.raises(OutcomeUnknown):
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    (job_id,) = server.world.jobs
    for attempt in (lambda: look(ws, connection), lambda: take_in(ws, connection)):
        with pytest.raises(OutcomeUnknown):
            attempt()
    with pytest.raises(OutcomeUnknown):
        follow(ws, connection, job_id)
    assert book.runs(ws) == ()
    settle(ws, connection, "launch_1", sleep=naps)
    (run,) = book.runs(ws)
    assert (run.job_id, run.version_id) == (job_id, version.id)
    assert look(ws, connection) == ()
    assert server.count("POST", JOBS) == 1


def test_a_job_that_appears_after_its_launch_was_given_up_is_that_launchs(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    server.next("POST", JOBS, Lost())
    hidden: dict[str, Job] = {}

    def hide(seconds: float) -> None:
        hidden.update(server.world.jobs)
        server.world.jobs.clear()
        naps(seconds)

    with pytest.raises(Exception, match="shows that there is none"):
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=hide)
    server.world.jobs.update(hidden)
    assert take_in(ws, connection) == 1
    (run,) = book.runs(ws)
    assert run.version_id == version.id
    assert (intents.launch(ws, "launch_1").state, intents.launch(ws, "launch_1").run_id) == ("linked", run.id)


def test_a_job_of_another_workspaces_launch_is_anybodys(
    ws: Workspace, server: ProtocolServer, connection: Connection
) -> None:
    made(server, metadata={LAUNCH_KEY: "launch_of_another_workspace"})
    assert take_in(ws, connection) == 1
    assert book.runs(ws)[0].started_elsewhere


@pytest.mark.parametrize("said", [{"model": None, "created_at": "soon"}, {"status": ["x"], "suffix": 3}])
def test_a_job_of_strange_shape_is_found_and_followed(
    ws: Workspace, server: ProtocolServer, connection: Connection, said: dict[str, Any]
) -> None:
    job = made(server)
    job.view |= said
    assert [one.id for one in look(ws, connection)] == [job.view["id"]]
    assert take_in(ws, connection) == 1


class Seconds:
    """A monotonic clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def jobs_folder(ws: Workspace) -> Path:
    """Where the embedded service has a folder for each of its jobs."""
    folder = ws.home / "engine" / "jobs"
    folder.mkdir(parents=True)
    changed(folder, 1_000)
    return folder


def changed(folder: Path, at: int) -> None:
    os.utime(folder, (at, at))


@pytest.fixture
def newcomers(ws: Workspace, server: ProtocolServer, seconds: Seconds) -> Newcomers:
    return Newcomers(ws, reach=lambda _: connection_to(server), monotonic=seconds)


def test_a_new_job_on_this_machine_appears_by_itself_and_nothing_is_asked_otherwise(
    ws: Workspace, server: ProtocolServer, jobs_folder: Path, newcomers: Newcomers, seconds: Seconds
) -> None:
    made(server)
    for _ in range(50):
        seconds.now += 10
        newcomers.look()
    assert len(book.runs(ws)) == 1
    assert server.count("GET", JOBS) == 1
    made(server)
    changed(jobs_folder, 2_000)
    seconds.now += 10
    newcomers.look()
    assert len(book.runs(ws)) == 2
    assert server.count("GET", JOBS) == 2


def test_a_job_made_within_one_tick_of_the_file_system_is_not_missed(
    ws: Workspace, server: ProtocolServer, jobs_folder: Path, newcomers: Newcomers, seconds: Seconds
) -> None:
    os.utime(jobs_folder)
    newcomers.look()
    made(server)
    seconds.now += 2
    newcomers.look()
    assert len(book.runs(ws)) == 1


def test_a_service_that_does_not_run_is_not_started(ws: Workspace, jobs_folder: Path, seconds: Seconds) -> None:
    Newcomers(ws, monotonic=seconds).look()
    assert not (ws.home / "engine" / "address.json").exists()
    assert book.runs(ws) == ()


def test_without_a_first_job_not_even_the_address_is_looked_for(ws: Workspace, seconds: Seconds) -> None:
    def reach(_: Workspace) -> Connection | None:
        raise AssertionError("there was nothing to look for")

    Newcomers(ws, reach=reach, monotonic=seconds).look()


def test_trouble_is_tried_again_later_and_later(
    ws: Workspace, server: ProtocolServer, jobs_folder: Path, newcomers: Newcomers, seconds: Seconds
) -> None:
    job = made(server)
    server.next("GET", JOBS, Refused(500), times=8)
    for _ in range(240):
        seconds.now += 1
        newcomers.look()
    assert 8 <= server.count("GET", JOBS) <= 9
    assert book.runs(ws) == ()
    seconds.now += 61
    newcomers.look()
    assert [run.job_id for run in book.runs(ws)] == [job.view["id"]]


def test_the_watcher_follows_what_appeared(
    ws: Workspace, server: ProtocolServer, jobs_folder: Path, newcomers: Newcomers
) -> None:
    job = made(server)
    server.world.succeed(job)
    watcher = Watcher(ws, lambda _: connection_to(server), newcomers=newcomers)
    watcher.look()
    watcher.look()
    (run,) = book.runs(ws)
    assert book.count_events(ws, run.id) == len(job.events)
