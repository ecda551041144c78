"""Launches through a wire and a service that fail at random: at most one job each, and none stays unknown."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from lib.dataset import shelf
from lib.errors import ServiceError
from lib.runs import book, intents
from lib.runs.launch import launch, settle
from lib.runs.plan import Plan
from lib.workspace.database import Workspace
from tests.protocol_server import Cut, Dropped, Fault, Html, Lost, Plain, ProtocolServer, Refused, Truncated
from tests.runs.conftest import Clock, Naps, connection_to, lines

JOBS = "/fine_tuning/jobs"

# After a fault of the first kind the job or file is there all the same.
DONE: tuple[Fault, ...] = (Lost(), Truncated(), Cut(3), Cut(0, clean=True))
NOT_DONE: tuple[Fault, ...] = (
    Dropped(),
    Html(),
    Html(502),
    Refused(500),
    Refused(503),
    Refused(408),
    Refused(429, headers={"retry-after": "1"}),
    Plain(b"{}"),
    Plain(b"null"),
    Plain(b'{"data": 3}'),
)
PLACES = (("POST", JOBS), ("GET", JOBS), ("POST", "/files"), ("GET", "/files"), ("GET", "/files/*"))


@pytest.mark.parametrize("forgets_metadata", [False, True])
@pytest.mark.parametrize(("seed", "launches"), [(1, 40), pytest.param(2, 400, marks=pytest.mark.slow)])
def test_at_most_one_job_a_launch_and_none_unknown_when_the_service_is_back(
    tmp_path: Path, server: ProtocolServer, seed: int, launches: int, forgets_metadata: bool
) -> None:
    chance, clock = random.Random(seed), Clock()
    ws, naps = Workspace.open(tmp_path / "home", clock=clock), Naps(clock)
    server.world.ignores_metadata = forgets_metadata
    connection = connection_to(server)
    versions = [shelf.bring_in(ws, lines(12, f"Set {number}"), f"set {number}.jsonl") for number in range(5)]
    outcomes: Counter[str] = Counter()
    faults = 0
    for number in range(launches):
        server._faults.clear()
        for _ in range(chance.randint(0, 5)):
            method, path = chance.choice(PLACES)
            server.next(method, path, chance.choice(DONE + NOT_DONE), times=chance.choice((1, 1, 2, 8)))
            faults += 1
        plan = Plan("svc_test", "gpt-4.1-mini-2025-04-14", chance.choice(versions).id)
        jobs = len(server.world.jobs)
        for _ in range(chance.randint(1, 3)):
            with suppress(ServiceError):
                launch(ws, connection, plan, launch_id=f"launch_{number}", sleep=naps)
        assert len(server.world.jobs) - jobs <= 1
        outcomes[intents.launch(ws, f"launch_{number}").state] += 1
        clock.now += 60.0
    server._faults.clear()
    for intent in intents.launches(ws, unsettled=True):
        settle(ws, connection, intent.id, sleep=naps)

    assert intents.launches(ws, unsettled=True) == ()
    linked = [intent for intent in intents.launches(ws) if intent.state == "linked"]
    assert len({intent.run_id for intent in linked}) == len(linked)
    assert {run.job_id for run in book.runs(ws)} == set(server.world.jobs), "a job that nobody follows"
    if not forgets_metadata:
        marked = Counter(job.view["metadata"]["etude_launch"] for job in server.world.jobs.values())
        assert set(marked.values()) <= {1}
        assert set(marked) == {intent.id for intent in linked}
    print(f"{faults} faults, {server.count('POST', JOBS)} requests, {len(server.world.jobs)} jobs, {dict(outcomes)}")
    connection.close()
    ws.close()
