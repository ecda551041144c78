from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from lib.workspace.database import Workspace


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    """A new workspace whose clock ticks a second at each look."""
    ticks = count(1_000_000)
    opened = Workspace.open(tmp_path / "home", clock=lambda: float(next(ticks)))
    yield opened
    opened.close()
