"""Data that nobody wrote for this project: it lies beside the repository, and tests that need it skip without it."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def shared_file(name: str) -> Path:
    """The file of that name, or a skip that says it is missing."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this repository")
    return path
