"""What a service says is followed whatever its shape and pauses; what it does not say is never made up."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from lib.dataset.shelf import Version
from lib.errors import EngineError, OutcomeUnknown, Rejected
from lib.runs import book, intents
from lib.runs.book import Run
from lib.runs.launch import launch
from lib.runs.metrics import Curves, curves
from lib.runs.orders import cancel
from lib.runs.watch import SLOWEST, Watcher, poll
from lib.services.connection import Connection
from lib.workspace.database import Workspace
from tests.protocol_server import Dropped, Fault, Html, Lost, Plain, ProtocolServer, Refused, Truncated
from tests.protocol_server.world import Job
from tests.runs.conftest import Clock, Naps, connection_to, plan_for

ONE_JOB = "/fine_tuning/jobs/*"


@pytest.fixture
def run(ws: Workspace, connection: Connection, version: Version, naps: Naps) -> Run:
    """A job of 30 steps: 10 examples, 3 epochs, with validation."""
    return launch(ws, connection, plan_for(version), sleep=naps)


@pytest.fixture
def job(server: ProtocolServer, run: Run) -> Job:
    return server.world.jobs[run.job_id]


def known(ws: Workspace, run: Run) -> Curves:
    return curves(book.events(ws, run.id), book.checkpoints(ws, run.id), n_epochs=run.n_epochs)


def start(server: ProtocolServer, job: Job, steps: int) -> None:
    job.view["status"] = "running"
    server.world.run_steps(job, steps)


def test_a_run_is_followed_from_its_queue_to_its_end(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    seen = []
    while not run.finished:
        server.world.advance(job)
        run = poll(ws, connection, run)
        seen.append(run.status)
    assert list(dict.fromkeys(seen)) == ["validating_files", "queued", "running", "succeeded"]
    found = known(ws, run)
    assert [point.step for point in found.train_loss] == list(range(1, 31))
    assert [point.step for point in found.full_valid_loss] == [10, 20, 30]
    assert (found.total_steps, found.epoch_ends) == (30, (10, 20, 30))
    assert len(book.checkpoints(ws, run.id)) == 3
    assert run.fine_tuned_model in server.world.models
    assert run.problem is None


def test_polling_again_changes_nothing(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    start(server, job, 12)
    poll(ws, connection, run)
    before = (book.events(ws, run.id), book.checkpoints(ws, run.id))
    for _ in range(3):
        poll(ws, connection, run)
    assert (book.events(ws, run.id), book.checkpoints(ws, run.id)) == before


def shuffled(server: ProtocolServer) -> None:
    server.world.events_shuffled = True


def repeated(server: ProtocolServer) -> None:
    server.world.events_twice = True


def small_pages(server: ProtocolServer) -> None:
    server.world.largest_page = 3


def all_at_once(server: ProtocolServer) -> None:
    for disturb in (shuffled, repeated, small_pages):
        disturb(server)


def always_more(server: ProtocolServer) -> None:
    server.world.has_more = True


@pytest.mark.parametrize("disturb", [shuffled, repeated, small_pages, all_at_once, always_more])
def test_the_curve_is_whole_however_events_are_told(
    ws: Workspace,
    server: ProtocolServer,
    connection: Connection,
    run: Run,
    job: Job,
    disturb: Callable[[ProtocolServer], None],
) -> None:
    disturb(server)
    for steps in (4, 5, 19, 30):
        start(server, job, steps)
        run = poll(ws, connection, run)
        assert run.problem is None
        assert [point.step for point in known(ws, run).train_loss] == list(range(1, steps + 1))
    assert len(book.events(ws, run.id)) == len(job.events)


def test_a_service_that_ignores_after_is_not_asked_for_ever(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    server.world.ignores_after = server.world.has_more = True
    server.world.largest_page = 10
    start(server, job, 20)
    assert poll(ws, connection, run).problem is None
    assert server.count("GET", "/fine_tuning/jobs/*/events") <= 3


def test_known_events_end_the_search_and_late_ones_are_found_at_the_end(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    server.world.largest_page = 5
    start(server, job, 30)
    for number, event in enumerate(job.events):
        event["created_at"] += number
    poll(ws, connection, run)
    asked = server.count("GET", "/fine_tuning/jobs/*/events")
    late = {**job.events[0], "id": "ftevent-late", "message": "told late"}
    job.events.insert(1, late)
    poll(ws, connection, run)
    assert server.count("GET", "/fine_tuning/jobs/*/events") == asked + 1
    assert "ftevent-late" not in book.event_ids(ws, run.id)
    server.world.succeed(job)
    poll(ws, connection, run)
    assert book.event_ids(ws, run.id) == {event["id"] for event in job.events}


def test_events_that_broke_off_half_way_leave_no_hole(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    server.world.largest_page = 5
    start(server, job, 30)
    events = "/fine_tuning/jobs/*/events"
    for _ in range(3):
        server.next("GET", events, Fault(), times=2)
        server.next("GET", events, Truncated())
        assert poll(ws, connection, run).problem is not None
    assert [point.step for point in known(ws, poll(ws, connection, run)).train_loss] == list(range(1, 31))


@pytest.mark.parametrize(
    "fault",
    [Dropped(), Lost(), Truncated(), Html(), Html(502), Refused(500), Refused(401), Refused(404), Plain(b"[]")],
    ids=repr,
)
def test_not_hearing_is_a_problem_of_the_hearing_and_no_state_of_the_job(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job, clock: Clock, fault: Fault
) -> None:
    start(server, job, 7)
    run = poll(ws, connection, run)
    before = (run.status, run.heard_at, book.events(ws, run.id), run.job)
    clock.now += 3600
    server.next("GET", ONE_JOB, fault, times=None)
    troubled = poll(ws, connection, run)
    assert troubled.problem is not None
    assert troubled.problem.what
    assert (troubled.status, troubled.heard_at, book.events(ws, run.id), troubled.job) == before


def test_a_job_that_is_no_longer_shown_keeps_its_history_and_goes_on_when_it_is(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    start(server, job, 7)
    poll(ws, connection, run)
    hidden = server.world.jobs.pop(run.job_id)
    gone = poll(ws, connection, run)
    assert gone.problem is not None
    assert gone.problem.kind == "NotThere"
    assert "does not show this job" in gone.problem.what
    assert len(known(ws, gone).train_loss) == 7
    server.world.jobs[run.job_id] = hidden
    start(server, job, 9)
    back = poll(ws, connection, run)
    assert back.problem is None
    assert len(known(ws, back).train_loss) == 9


@pytest.mark.parametrize("status", ["paused", "pausing", "something new"])
def test_an_unknown_status_is_kept_and_watched_on(
    ws: Workspace, connection: Connection, run: Run, job: Job, status: str
) -> None:
    job.view["status"] = status
    assert poll(ws, connection, run).status == status
    assert [one.id for one in book.unfinished(ws)] == [run.id]


def test_losses_come_from_checkpoints_where_events_have_none(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    start(server, job, 30)
    job.events = [event for event in job.events if event["type"] != "metrics"]
    assert [point.step for point in known(ws, poll(ws, connection, run)).train_loss] == [10, 20, 30]


@pytest.mark.parametrize("plain", [True, False])
def test_the_result_file_fills_the_gaps_that_events_left(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job, plain: bool
) -> None:
    server.world.succeed(job)
    whole = {event["data"]["step"]: event["data"]["train_loss"] for event in job.events if event["data"]}
    job.events = [event for event in job.events if event["data"].get("step", 0) % 5 == 0]
    file_id = job.view["result_files"][0]
    if plain:
        server.world.contents[file_id] = base64.b64decode(server.world.contents[file_id])
    run = poll(ws, connection, run)
    assert {point.step: point.value for point in known(ws, run).train_loss} == pytest.approx(whole)
    count = book.count_events(ws, run.id)
    poll(ws, connection, run)
    assert book.count_events(ws, run.id) == count


def test_a_result_file_that_cannot_be_had_is_no_problem(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    server.world.succeed(job)
    job.events = job.events[:5]
    server.next("GET", "/files/*/content", Refused(404), times=None)
    after = poll(ws, connection, run)
    assert (after.status, after.problem) == ("succeeded", None)


def test_cancelling_stops_the_job(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    start(server, job, 7)
    assert cancel(ws, connection, run).status == "cancelled"
    assert len(known(ws, poll(ws, connection, run)).train_loss) == 7


def test_cancelling_what_has_ended_shows_how_it_ended(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    server.world.succeed(job)
    assert cancel(ws, connection, run).status == "succeeded"


def test_a_cancel_that_is_refused_is_told(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, job: Job
) -> None:
    start(server, job, 7)
    server.next("POST", "/fine_tuning/jobs/*/cancel", Refused(400, "Not now."))
    with pytest.raises(Rejected):
        cancel(ws, connection, run)
    assert book.run(ws, run.id).status == "running"


class Seconds:
    """A monotonic clock for watchers."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_pause_grows_without_news_and_shrinks_with_news(
    ws: Workspace, server: ProtocolServer, run: Run, job: Job
) -> None:
    seconds = Seconds()
    watcher = Watcher(ws, lambda _: connection_to(server), monotonic=seconds)
    start(server, job, 1)
    asked: list[float] = []
    for tick in range(1200):
        seconds.now = tick / 2
        before = server.count("GET", f"/fine_tuning/jobs/{run.job_id}")
        watcher.look()
        if server.count("GET", f"/fine_tuning/jobs/{run.job_id}") > before:
            asked.append(seconds.now)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses[0] <= 4
    assert 40 <= max(pauses) <= SLOWEST * 1.25 + 1
    start(server, job, 2)
    seconds.now += 100
    watcher.look()
    seconds.now += 4
    before = server.count("GET", f"/fine_tuning/jobs/{run.job_id}")
    watcher.look()
    assert server.count("GET", f"/fine_tuning/jobs/{run.job_id}") == before + 1


def test_a_wait_that_the_service_asks_for_is_kept_for_all_its_runs(
    ws: Workspace,
    server: ProtocolServer,
    connection: Connection,
    version: Version,
    run: Run,
    clock: Clock,
    naps: Naps,
) -> None:
    launch(ws, connection, plan_for(version), sleep=naps)
    seconds = Seconds()
    watcher = Watcher(ws, lambda _: connection_to(server), monotonic=seconds)
    server.next("GET", ONE_JOB, Refused(429, "Slow down", code="rate_limit_exceeded", headers={"retry-after": "3600"}))
    watcher.look()
    told = book.run(ws, book.runs(ws)[0].id).problem
    assert told is not None
    assert told.wait_until == pytest.approx(clock.now + 3600, abs=2)
    asked = server.count("GET", ONE_JOB)
    for _ in range(35):
        clock.now += 100
        seconds.now += 100
        watcher.wake()
        watcher.look()
    assert server.count("GET", ONE_JOB) == asked
    clock.now += 200
    seconds.now += 200
    watcher.look()
    assert server.count("GET", ONE_JOB) > asked
    assert all(one.problem is None for one in book.runs(ws))


def test_a_service_that_is_away_for_a_day_is_heard_again_within_five_seconds(
    ws: Workspace, server: ProtocolServer, run: Run, job: Job, clock: Clock
) -> None:
    seconds = Seconds()
    watcher = Watcher(ws, lambda _: connection_to(server), monotonic=seconds)
    start(server, job, 3)
    server.next("GET", ONE_JOB, Dropped(), times=20)
    for _ in range(20):
        seconds.now += 4000
        clock.now += 4000
        watcher.look()
        assert book.run(ws, run.id).status in ("validating_files", "running")
    assert book.run(ws, run.id).problem is not None
    server.world.succeed(job)
    seconds.now += 5.0
    watcher.look()
    after = book.run(ws, run.id)
    assert (after.status, after.problem) == ("succeeded", None)


def test_a_run_whose_key_is_missing_says_so_and_goes_on_with_the_key(
    ws: Workspace, server: ProtocolServer, run: Run, job: Job
) -> None:
    seconds, keys = Seconds(), {"given": False}
    watcher = Watcher(ws, lambda _: connection_to(server) if keys["given"] else None, monotonic=seconds)
    watcher.look()
    told = book.run(ws, run.id).problem
    assert told is not None
    assert told.kind == "BadCredentials"
    keys["given"] = True
    start(server, job, 3)
    seconds.now += 5
    watcher.look()
    assert book.run(ws, run.id).problem is None
    assert book.run(ws, run.id).status == "running"


def test_an_address_is_asked_for_afresh_at_every_attempt(ws: Workspace, server: ProtocolServer, run: Run) -> None:
    seconds, asked = Seconds(), []

    def connect_for(service_id: str) -> Connection:
        asked.append(service_id)
        if len(asked) == 1:
            raise EngineError("The embedded service could not be started.", "Try again.")
        return connection_to(server)

    watcher = Watcher(ws, connect_for, monotonic=seconds)
    watcher.look()
    told = book.run(ws, run.id).problem
    assert told is not None
    assert told.kind == "EngineError"
    seconds.now += 10
    watcher.look()
    assert asked == ["svc_test", "svc_test"]
    assert book.run(ws, run.id).problem is None


def test_a_launch_of_unknown_outcome_is_settled_by_the_watcher(
    ws: Workspace, server: ProtocolServer, connection: Connection, version: Version, naps: Naps
) -> None:
    server.next("POST", "/fine_tuning/jobs", Lost())
    server.next("GET", "/fine_tuning/jobs", Refused(503), times=6)
    with pytest.raises(OutcomeUnknown):
        launch(ws, connection, plan_for(version), launch_id="launch_1", sleep=naps)
    Watcher(ws, lambda _: connection_to(server), monotonic=Seconds()).look()
    assert intents.launch(ws, "launch_1").state == "linked"
    assert server.count("POST", "/fine_tuning/jobs") == 1


def test_one_of_many_watchers_asks_and_another_takes_over(
    ws: Workspace, server: ProtocolServer, run: Run, job: Job
) -> None:
    threads: set[int] = set()
    heard = threading.Event()

    def connect_for(service_id: str) -> Connection:
        threads.add(threading.get_ident())
        heard.set()
        return connection_to(server)

    start(server, job, 3)
    watchers = [Watcher(ws, connect_for, quickest=0.05) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
        watcher.start()
    assert heard.wait(10)
    for tick in range(3):
        start(server, job, 4 + tick)
        watchers[0].wake()
    assert len(threads) == 1
    for watcher in watchers[:3]:
        watcher.stop()
    heard.clear()
    watchers[3].wake()
    assert heard.wait(10)
    watchers[3].stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "watcher"]


def test_a_round_that_goes_wrong_does_not_end_the_watch(
    ws: Workspace, server: ProtocolServer, run: Run, job: Job
) -> None:
    again = threading.Event()
    calls: list[str] = []

    def connect_for(service_id: str) -> Connection:
        calls.append(service_id)
        if len(calls) == 1:
            raise RuntimeError("nobody foresaw this")
        again.set()
        return connection_to(server)

    watcher = Watcher(ws, connect_for, quickest=0.05)
    watcher.start()
    assert again.wait(10)
    watcher.stop()


@pytest.mark.parametrize(
    "said",
    [
        b'{"id": "x", "status": null, "error": [], "hyperparameters": 3, "method": "x", "result_files": {}}',
        b'{"id": "x", "created_at": 1e400, "finished_at": "soon", "model": {"a": 1}, "status": ["running"]}',
        b'{"id": "x", "status": "\\ud800", "fine_tuned_model": 12, "trained_tokens": NaN}',
    ],
)
def test_a_job_of_strange_shape_is_written_down(
    ws: Workspace, server: ProtocolServer, connection: Connection, run: Run, said: bytes
) -> None:
    server.next("GET", f"/fine_tuning/jobs/{run.job_id}", Plain(said), times=None)
    after = poll(ws, connection, run)
    assert after.problem is None
    assert after.job_id == run.job_id
    assert json.dumps(after.job)


def test_a_day_of_flapping_invents_no_state_and_loses_no_point(
    ws: Workspace, server: ProtocolServer, run: Run, job: Job, clock: Clock
) -> None:
    chance, seconds = random.Random(3), Seconds()
    watcher = Watcher(ws, lambda _: connection_to(server), monotonic=seconds)
    faults = (Dropped(), Lost(), Truncated(), Html(), Html(502), Refused(500), Refused(429), Refused(401), Plain(b"{}"))
    told: set[str] = set()
    for tick in range(300):
        server._faults.clear()
        for _ in range(chance.randint(0, 3)):
            path = chance.choice((f"/fine_tuning/jobs/{run.job_id}", ONE_JOB, "/fine_tuning/jobs/*/events"))
            server.next("GET", path, chance.choice(faults), times=None)
        if tick < 290:
            start(server, job, tick // 10)
        else:
            server.world.succeed(job)
        seconds.now += 288
        clock.now += 288 + chance.choice((0, 0, 0, 3600, -3600))
        watcher.look()
        told.add(book.run(ws, run.id).status)
    server._faults.clear()
    seconds.now += 100
    watcher.look()
    after = book.run(ws, run.id)
    assert told <= {"validating_files", "running", "succeeded"}
    assert (after.status, after.problem) == ("succeeded", None)
    assert [point.step for point in known(ws, after).train_loss] == list(range(1, 31))
