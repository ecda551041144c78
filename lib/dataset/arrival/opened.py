"""A file whose lines can be read, what is to become of them as far as the first ones tell, and one line on its way.

A line is an example already, or is converted, or is a row of a table of ours. Knows no workspace and no screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lib.dataset.arrival.our_own import Own, example_of, is_held_out, own
from lib.dataset.convert.conversion import Conversion, Preview, Unconvertible, preview, recognise
from lib.dataset.convert.roles import Roles, guess_roles
from lib.dataset.example import Method, encode
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines, lines_of, value_of
from lib.dataset.parse import Unparsable
from lib.dataset.reading import LOOKED_AT_FIRST, left_out
from lib.dataset.rules.belonging import method_of_most
from lib.dataset.source.source import Source
from lib.errors import DataError

# What is tried out at once when a person changes what becomes what: small tables are tried out whole.
TRIED, TRIED_BYTES = 1_000, 4 << 20
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Opened:
    """One file. `path` is our copy of it and `sha256` the copy's hash; its lines lie in `lines_path`, often the same.

    `conversion` is how its lines become examples, None when they are some; `own` says which export of ours it is.
    `notes` are about the whole file, `left` what is not among the lines, all of it counted in `totals`.
    """

    name: str
    path: Path
    sha256: str
    kind: Literal["lines", "table"]
    columns: tuple[str, ...]
    lines: Lines
    lines_path: Path
    own: Own
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
        kind = own(source.columns)
        return cls(
            name=name,
            path=path,
            sha256=sha256,
            kind=source.kind,
            columns=source.columns,
            lines=lines,
            lines_path=source.path,
            own=kind,
            conversion=None if kind else _recognised(lines, source),
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
        data, problems = value_of(raw, number)
        if data is None:
            return Turned(None, problem=problems[0])
        if self.own:
            return self._as_it_was(data, number)
        if conversion is None:
            return Turned(raw)
        [shown] = preview([data], conversion, 1)
        if shown.after is None:
            return Turned(None, problem=left_out(Unconvertible(shown.why, number), number), shown=shown)
        # An example that had the format already keeps its bytes.
        return Turned(raw if shown.after == data else encode(shown.after), keys=shown.left_out, shown=shown)

    def _as_it_was(self, row: dict[str, Any], number: int) -> Turned:
        """The example that a row of our own export was."""
        with suppress(Unparsable, DataError):
            if made := example_of(self.own, row):
                return Turned(encode(made), held_out=is_held_out(row))
        why = "holds an example that was damaged since it was exported"
        return Turned(None, problem=left_out(Unconvertible(why, number), number))


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of one line: an example, or None and the problem. `keys` have no place in it."""

    raw: bytes | None
    problem: Finding | None = None
    keys: tuple[str, ...] = ()
    held_out: bool = False
    shown: Preview | None = None


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
    turned = [opened.turned(raw, number, conversion) for number, raw in first]
    for one in turned:
        keys.update(one.keys)
        if one.problem is not None:
            found.add(one.problem)
    good = [one.raw for one in turned if one.raw is not None]
    values = (value_of(raw, 0)[0] for raw in good[:LOOKED_AT_FIRST])
    shown = [one.shown for one in turned if one.shown is not None]
    # What can be converted is what shows best what becomes what.
    shown.sort(key=lambda one: one.after is None)
    return Trial(
        tried=len(turned),
        good=len(good),
        whole=len(turned) == len(opened.lines),
        method=method_of_most(value for value in values if value is not None),
        shown=tuple(shown[:SHOWN]),
        left=found.kept(),
        totals=found.totals(),
        keys=dict(keys),
    )


def _recognised(lines: Lines, source: Source) -> Conversion | None:
    """How these lines are to be converted; a table's are whenever they are no examples."""
    raws = lines.block(0, min(LOOKED_AT_FIRST, len(lines)))
    first: list[dict[str, Any]] = [data for data in (value_of(raw, 0)[0] for raw in raws) if data is not None]
    found = recognise(first, table=source.kind == "table")
    if found is None or found.roles is None or source.kind == "lines":
        return found
    return Conversion(roles=Roles(guess_roles(first, source.columns).of))
