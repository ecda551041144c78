"""Measuring in a thread: progress, stop, and results that last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Service
from lib.ui.playground_bench import Bench, Candidate
from lib.workspace.database import Workspace
from tests.protocol_server import ProtocolServer
from tests.protocol_server.faults import Held

MODEL = "open-base-8b"
ITEMS = [([{"role": "user", "content": f"{number}"}], f'{{"double": {2 * number}}}') for number in range(6)]
PATIENCE_SECONDS = 20.0


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with ProtocolServer() as running:
        running.world.answer = lambda body: f'{{"double": {2 * int(body["messages"][-1]["content"])}}}'
        yield running


@pytest.fixture
def candidate(server: ProtocolServer) -> Iterator[Candidate]:
    service = Service("svc_1", "other", "Lab", server.base_url, "session")
    made: Connection = connect(service, Secret(server.api_key, service.origin))
    yield Candidate("svc_1 " + MODEL, made, MODEL)
    made.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Workspace.open(tmp_path))


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert true()


def test_results_last_and_are_those_of_this_data_alone(tmp_path: Path, bench: Bench, candidate: Candidate) -> None:
    bench.start("ver_1", [candidate], ITEMS, 32)
    wait_until(lambda: bench.under_way is None)
    result = Bench(Workspace.open(tmp_path)).results("ver_1")[candidate.key]
    assert (result.exact.right, result.exact.of, result.unanswered) == (6, 6, 0)
    assert result.fields["double"].right == 6
    assert result.mistakes == ()
    assert bench.results("ver_2") == {}


def test_wrong_answers_are_kept_to_be_looked_at(bench: Bench, candidate: Candidate, server: ProtocolServer) -> None:
    server.world.answer = lambda body: "no idea"
    bench.start("ver_1", [candidate], ITEMS, 32)
    wait_until(lambda: bench.under_way is None)
    result = bench.results("ver_1")[candidate.key]
    assert result.exact.right == 0
    assert result.mistakes[0] == ('{"double": 0}', "no idea")
    assert len(result.mistakes) < len(ITEMS)


def test_a_second_start_waits_for_nobody_and_changes_nothing_and_a_stop_ends_it(
    bench: Bench, candidate: Candidate, server: ProtocolServer
) -> None:
    silent = Held(after=None)
    server.next("POST", "/chat/completions", silent, times=None)
    bench.start("ver_1", [candidate], ITEMS, 32)
    wait_until(silent.reached.is_set)
    bench.start("ver_2", [candidate], ITEMS, 32)
    under_way = bench.under_way
    assert under_way is not None
    assert (under_way.model, under_way.of) == (MODEL, len(ITEMS))
    bench.stop()
    wait_until(lambda: bench.under_way is None)
    silent.go_on.set()
    assert bench.results("ver_1") == bench.results("ver_2") == {}


def test_a_model_that_is_not_there_is_told_with_its_reason(
    bench: Bench, candidate: Candidate, server: ProtocolServer
) -> None:
    del server.world.models[MODEL]
    bench.start("ver_1", [candidate], ITEMS, 32)
    wait_until(lambda: bench.under_way is None)
    result = bench.results("ver_1")[candidate.key]
    assert result.exact.of == 0
    assert result.unanswered == len(ITEMS)
    assert result.problem
