"""A file whose lines can be read, what is to become of them as far as the first ones tell, and one line on its way.

A line is an example already, or is converted, or is a row of a table of ours. Knows no workspace and no screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib.dataset.convert.conversion import Conversion, Preview
from lib.dataset.convert.exported import EXPORTED, is_exported
from lib.dataset.convert.line import Turned, turned
from lib.dataset.example import Method
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines, lines_of, value_of
from lib.dataset.reading import LOOKED_AT_FIRST, conversion_of
from lib.dataset.rules.belonging import method_of_most
from lib.dataset.source.source import Source

# What is tried out at once when a person changes what becomes what: small tables are tried out whole.
TRIED, TRIED_BYTES = 1_000, 4 << 20
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Opened:
    """One file. `path` is our copy of it and `sha256` the copy's hash; its lines lie in `lines_path`, often the same.

    `conversion` is how its lines become examples, None when there is nothing to ask: they are some already, or `own`
    says that it is a table that Etude exported. `notes` are about the whole file, `left` what is not among the lines,
    all of it counted in `totals`.
    """

    name: str
    path: Path
    sha256: str
    kind: Literal["lines", "table"]
    columns: tuple[str, ...]
    lines: Lines
    lines_path: Path
    own: bool
    conversion: Conversion | None
    notes: tuple[str, ...]
    left: tuple[Finding, ...]
    totals: Mapping[str, int]

    @property
    def size(self) -> int:
        """The length of the file with its lines, in bytes."""
        return self.lines_path.stat().st_size

    @classmethod
    def of(cls, name: str, path: Path, sha256: str, source: Source) -> Opened:
        """The file after its source was opened."""
        lines = lines_of(source.path, source.numbers)
        own = is_exported(source.columns)
        return cls(
            name=name,
            path=path,
            sha256=sha256,
            kind=source.kind,
            columns=source.columns,
            lines=lines,
            lines_path=source.path,
            own=own,
            conversion=None if own else conversion_of(source, lines),
            notes=tuple(f"{note.text} {note.why}".strip() for note in source.notes),
            left=source.problems,
            totals=source.totals,
        )

    def first(self) -> list[tuple[int, bytes]]:
        """The number and the bytes of the first lines."""
        ended = next((ended for _, ended in self.lines.blocks(TRIED, TRIED_BYTES)), 0)
        return [(self.lines.number(place), raw) for place, raw in enumerate(self.lines.block(0, ended))]

    def turned(self, raw: bytes, number: int, conversion: Conversion | None) -> Turned:
        """What becomes of one line."""
        return turned(raw, number, Conversion(dialect=EXPORTED) if self.own else conversion)


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of the first lines of a file.

    `good` of `tried` become examples of the method `method`; `left` says what is not understood, all of it counted in
    `totals`. `keys` says how often a key has no place. `whole` is whether these are all lines of the file.
    """

    tried: int
    good: int
    whole: bool
    method: Method
    shown: tuple[Preview, ...]
    left: tuple[Finding, ...]
    totals: Mapping[str, int]
    keys: Mapping[str, int]


def try_out(opened: Opened, conversion: Conversion | None) -> Trial:
    """Try a conversion on the first lines."""
    found, keys = Findings(), Counter[str]()
    found.include(opened.left, opened.totals)
    first = opened.first()
    tried = [opened.turned(raw, number, conversion) for number, raw in first]
    for one in tried:
        keys.update(one.keys)
        for problem in one.problems:
            found.add(problem)
    good = [one.raw for one in tried if one.raw is not None]
    values = (value_of(raw, 0)[0] for raw in good[:LOOKED_AT_FIRST])
    shown = [one.shown for one in tried if one.shown is not None]
    # What can be converted is what shows best what becomes what.
    shown.sort(key=lambda one: one.after is None)
    return Trial(
        tried=len(tried),
        good=len(good),
        whole=len(tried) == len(opened.lines),
        method=method_of_most(value for value in values if value is not None),
        shown=tuple(shown[:SHOWN]),
        left=found.kept(),
        totals=found.totals(),
        keys=dict(keys),
    )
