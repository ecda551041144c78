"""A workspace of its own for each test, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.workspace.database import Workspace


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
