"""Reads any file a person has as lines to be surveyed; a table as the examples it makes.

What had to be written for that is gone from the disk at once and lives as long as the lines do. Knows no workspace;
keeping a file is for the shelf. Whether a line is an example is for the survey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lib.dataset.convert.conversion import Conversion, recognise
from lib.dataset.convert.line import keys_left_out, turned
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines, lines_of, value_of
from lib.dataset.source.source import Source, open_source

LOOKED_AT_FIRST = 100
BLOCK, BLOCK_BYTES = 2_000, 8 << 20


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of a file. `problems` are findings about the file and about what is not among the lines, all of them
    counted in `totals`; `conversion` is how the rows of a table became these lines.
    """

    lines: Lines
    problems: tuple[Finding, ...]
    totals: Mapping[str, int]
    conversion: Conversion | None = None


def read(source: bytes | Path, name: str, *, conversion: Conversion | None = None) -> Reading:
    """Read a file; `name` is what a person calls it. Without `conversion` that of a table is guessed.

    Raises UnreadableFile when the whole file is something else.
    """
    with TemporaryDirectory(prefix="etude-") as place:
        folder = Path(place)
        path = _file(source, folder)
        held = open_source(path, name, folder)
        found = Findings()
        found.include(held.notes, {note.code: 1 for note in held.notes})
        found.include(held.problems, held.totals)
        lines = lines_of(held.path, held.numbers)
        if conversion is None and held.kind == "table":
            conversion = conversion_of(held, lines)
        if conversion is not None:
            lines = converted(lines, conversion, folder / "converted.jsonl", found)
        return Reading(lines, found.kept(), found.totals(), conversion)


def conversion_of(source: Source, lines: Lines) -> Conversion | None:
    """How the lines of a source are to be converted as far as its first ones tell; None when they need not be."""
    first = (value_of(raw, 0)[0] for raw in lines.block(0, min(LOOKED_AT_FIRST, len(lines))))
    known = [data for data in first if data is not None]
    return recognise(known, table=source.kind == "table", columns=source.columns)


def converted(
    lines: Lines, conversion: Conversion, path: Path, found: Findings, progress: Callable[[int], None] | None = None
) -> Lines:
    """Write the lines as the services have them to `path`. What cannot be converted stays out and is told in `found`,
    and so are the keys that have no place in an example.

    `progress` is called with the number of lines done; what it raises ends the conversion.
    """
    numbers: list[int] = []
    keys: Counter[str] = Counter()
    with path.open("wb") as file:
        for begun, ended in lines.blocks(BLOCK, BLOCK_BYTES):
            for place, raw in enumerate(lines.block(begun, ended), start=begun):
                number = lines.number(place)
                made = turned(raw, number, conversion)
                for one in made.problems:
                    found.add(one)
                if made.raw is not None:
                    file.write(made.raw + b"\n")
                    numbers.append(number)
                    keys.update(made.keys)
            if progress:
                progress(ended)
    if keys:
        found.add(keys_left_out(keys))
    return lines_of(path, np.asarray(numbers, np.int64))


def _file(source: bytes | Path, folder: Path) -> Path:
    if isinstance(source, Path):
        return source
    path = folder / "given"
    path.write_bytes(source)
    return path
