"""A workspace of its own for each test, with a clock that the test moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.dataset import shelf
from lib.dataset.shelf import Version
from lib.runs.plan import Plan
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret
from lib.services.service import Kind, Service
from lib.workspace.database import Workspace
from tests.protocol_server import ProtocolServer


class Clock:
    """Seconds since 1970 that pass only when told to."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ws(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    workspace = Workspace.open(tmp_path / "home", clock=clock)
    yield workspace
    workspace.close()


class Naps:
    """Stands in for sleep: notes how long, takes no time, and lets the clock pass."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.clock.now += seconds


@pytest.fixture
def naps(clock: Clock) -> Naps:
    return Naps(clock)


@pytest.fixture
def server(running: ProtocolServer) -> ProtocolServer:
    running.reset()
    running.world.manual = True
    return running


def connection_to(server: ProtocolServer, kind: Kind = "other") -> Connection:
    service = Service("svc_test", kind, "Test service", server.base_url, "session")
    return connect(service, Secret(server.api_key, service.origin))


@pytest.fixture
def connection(server: ProtocolServer) -> Iterator[Connection]:
    made = connection_to(server)
    yield made
    made.close()


def lines(number: int, word: str = "Question") -> bytes:
    """A file of `number` supervised examples."""
    examples = (
        {"messages": [{"role": "user", "content": f"{word} {at}?"}, {"role": "assistant", "content": f"Answer {at}."}]}
        for at in range(number)
    )
    return "".join(json.dumps(example) + "\n" for example in examples).encode()


@pytest.fixture
def version(ws: Workspace) -> Version:
    return shelf.bring_in(ws, lines(12), "Support mails.jsonl", validation=(10, 11))


def plan_for(version: Version, **choices: Any) -> Plan:
    return Plan("svc_test", "gpt-4.1-mini-2025-04-14", version.id, **choices)
