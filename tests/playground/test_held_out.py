"""Measuring on held-out examples: right is right, failures count for nothing, and it can be stopped at any moment."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from lib.errors import NotThere, ServiceBroken, Throttled
from lib.playground.held_out import Item, Outcome, Share, compare, measure
from lib.services.connection import Connection
from tests.protocol_server import Cut, Held, ProtocolServer, Refused, refused_by_code
from tests.protocol_server.world import last_text

MODEL = "open-base-8b"
CHAT = "/chat/completions"


def items(count: int) -> list[Item]:
    return [([{"role": "user", "content": f"ticket {n}"}], json.dumps({"team": "a", "n": n})) for n in range(count)]


def routed(body: dict[str, Any]) -> str:
    """Right for even tickets; for odd ones the team is wrong."""
    n = int(last_text(body).split()[-1])
    return json.dumps({"n": n, "team": "a" if n % 2 == 0 else "b"})


def test_shares_come_with_intervals_and_fields(server: ProtocolServer, connection: Connection) -> None:
    server.world.answer = routed
    seen: list[tuple[int, int, int]] = []

    def progress(done: int, of: int, outcome: Outcome) -> None:
        assert threading.current_thread() is threading.main_thread()
        seen.append((done, of, outcome.position))

    measured = measure(connection, MODEL, items(10), threads=3, max_tokens=50, seed=1, progress=progress)
    assert (measured.examples, measured.stopped, measured.failed) == (10, False, ())
    assert [one.position for one in measured.outcomes] == list(range(10))
    assert measured.exact == Share(5, 10)
    assert measured.exact.share == 0.5
    assert measured.exact.interval == pytest.approx((0.236593, 0.763407), abs=1e-6)
    assert measured.fields == {"team": Share(5, 10), "n": Share(10, 10)}
    assert [done for done, _, _ in seen] == list(range(1, 11))
    assert sorted(position for _, _, position in seen) == list(range(10))
    body = server.requests[0].json
    assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.0, 50, 1)
    assert server.count("POST", CHAT) == 10


def test_a_failure_counts_for_nothing_and_is_kept(server: ProtocolServer, connection: Connection) -> None:
    server.world.answer = routed
    server.next("POST", CHAT, Refused(500))
    server.next("POST", CHAT, Cut(400))
    server.next("POST", CHAT, Cut(400, clean=True))
    measured = measure(connection, MODEL, items(8), threads=1)
    assert [one.position for one in measured.failed] == [0, 1, 2]
    assert all(isinstance(one.problem, ServiceBroken) or one.problem.raw for one in measured.failed if one.problem)
    assert measured.exact == Share(2, 5)
    assert not measured.outcomes[2].right
    assert server.count("POST", CHAT) == 8


def test_what_holds_for_all_is_asked_once(server: ProtocolServer, connection: Connection) -> None:
    measured = measure(connection, "no-such-model", items(50), threads=1)
    assert server.count("POST", CHAT) == 1
    assert [type(one.problem) for one in measured.outcomes] == [NotThere]
    assert measured.exact.share is None
    assert measured.exact.interval == (0.0, 1.0)
    assert measured.examples == 50
    assert not measured.stopped


def test_it_waits_as_long_as_the_service_asks_and_not_for_hours(server: ProtocolServer, connection: Connection) -> None:
    server.world.answer = routed
    server.next("POST", CHAT, refused_by_code(429, "rate_limit_exceeded", "Slow", retry_after_ms="20"), times=2)
    assert measure(connection, MODEL, items(1), threads=1).exact == Share(1, 1)
    assert server.count("POST", CHAT) == 3
    server.next("POST", CHAT, refused_by_code(429, "rate_limit_exceeded", "Slow", retry_after="3600"))
    measured = measure(connection, MODEL, items(1), threads=1)
    assert isinstance(measured.outcomes[0].problem, Throttled)
    assert server.count("POST", CHAT) == 4


def test_a_stop_ends_it_with_what_there_is(server: ProtocolServer, connection: Connection) -> None:
    server.world.answer = routed
    held = Held(None)
    for _ in range(2):
        server.next("POST", CHAT, Refused(500))
    server.next("POST", CHAT, held, times=None)
    stop = threading.Event()

    def end() -> None:
        assert held.reached.wait(10)
        stop.set()

    ending = threading.Thread(target=end)
    ending.start()
    measured = measure(connection, MODEL, items(100), threads=2, stop=stop)
    ending.join()
    held.go_on.set()
    assert measured.stopped
    assert len(measured.outcomes) == 2
    assert server.count("POST", CHAT) <= 4


def test_nothing_to_measure_is_no_error(connection: Connection) -> None:
    measured = measure(connection, MODEL, [])
    assert (measured.outcomes, measured.exact, measured.fields) == ((), Share(0, 0), {})


@pytest.mark.parametrize(
    ("expected", "text", "right", "fields"),
    [
        ("Paris.", " Paris.\n", True, {}),
        ("Paris.", "paris.", False, {}),
        ('{"a": 1, "b": "x"}', '{"b":"x","a":1}', True, {"a": True, "b": True}),
        ('{"a": 1, "b": "x"}', '{"a": 1, "b": "y"}', False, {"a": True, "b": False}),
        ('{"a": 1}', '{"a": 1, "c": 2}', False, {"a": True}),
        ('{"a": 1}', '{"a": true}', False, {"a": False}),
        ('{"a": 1}', "no json", False, {"a": False}),
        ('{"a": 1}', "[1]", False, {"a": False}),
        ('{"a": {"x": [1, 2]}}', '{"a": {"x": [1, 2]}}', True, {"a": True}),
        ('{"a": {"x": [1, 2]}}', '{"a": {"x": [2, 1]}}', False, {"a": False}),
        ("[1]", "[1]", True, {}),
        ('["a", 1]', '["a",1]', True, {}),
        ('["a", 1]', '["a", true]', False, {}),
        ("[1]", '{"a": 1}', False, {}),
        ("{}", "{}", True, {}),
        ("{", "{", True, {}),
        ("x", "[" * 100_000, False, {}),
    ],
)
def test_right_is_the_same_text_or_the_same_json(
    expected: str, text: str, right: bool, fields: dict[str, bool]
) -> None:
    assert compare(expected, text) == (right, fields)
