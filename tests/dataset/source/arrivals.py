"""Bringing bytes in for tests: what came of them, and that nothing else was left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.source.intake import Limits
from lib.dataset.source.source import Source, open_source


@dataclass(frozen=True)
class Arrival:
    """What came of a file: its lines, and the source without them."""

    source: Source
    lines: list[bytes]
    untouched: bool

    @property
    def values(self) -> list[Any]:
        return [json.loads(line) for line in self.lines if line.strip()]

    @property
    def numbers(self) -> list[int] | None:
        return None if self.source.numbers is None else self.source.numbers.tolist()

    @property
    def notes(self) -> list[str]:
        return [note.code for note in self.source.notes]

    @property
    def problems(self) -> list[tuple[str, int | None]]:
        return [(problem.code, problem.line) for problem in self.source.problems]


def arrive(
    content: bytes,
    name: str = "a.jsonl",
    *,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Arrival:
    """Bring a file in. Asserts what holds for every file."""
    with TemporaryDirectory() as home:
        given, folder = Path(home) / "given", Path(home) / "folder"
        given.write_bytes(content)
        folder.mkdir()
        try:
            source = open_source(given, name, folder, progress=progress, stopped=stopped, limits=limits)
        except BaseException:
            assert list(folder.iterdir()) == []
            raise
        finally:
            assert given.read_bytes() == content
        written = list(folder.iterdir())
        assert written == ([] if source.path == given else [source.path])
        held = source.path.read_bytes()
        assert not held.startswith(b"\xef\xbb\xbf")
        lines = held.split(b"\n")
        assert source.numbers is None or len(source.numbers) == len(lines) - (lines[-1] == b"")
        assert bool(source.columns) == (source.kind == "table")
        assert all(isinstance(one, Finding) and one.severity == "info" for one in source.notes)
        assert all(one.severity == "error" for one in source.problems)
        assert sum(source.totals.values()) >= len(source.problems)
        return Arrival(source, lines[:-1] if lines[-1] == b"" else lines, source.path == given)
