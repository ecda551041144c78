from __future__ import annotations

import pytest

from lib.dataset import shelf
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.dataset.conversations import lines_of, many


@pytest.fixture
def held(ws: Workspace) -> Version:
    """Twelve examples, of which the second and third are held out."""
    return shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=[1, 2])
