"""Any file a person has as lines of JSON: what kind it is, and which way it takes.

Archives are unpacked, text is decoded, tables and what is spread over several lines become one value a line. Memory
does not grow with the file. Whether a line is an example is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from lib.dataset.finding import Finding
from lib.dataset.sniff import PEEK, check_readable, not_json, wide_encoding
from lib.dataset.source.intake import Intake, Limits
from lib.dataset.source.lines import take_lines
from lib.dataset.source.sheets import take_sheet
from lib.dataset.source.spread import is_spread, take_spread
from lib.dataset.source.table import take_table
from lib.dataset.source.table_form import HEAD, is_table
from lib.dataset.source.text import has_newline, plain, to_utf8
from lib.dataset.source.unpack import EMPTY_ZIP, GZIP, ZIP, gunzip, unzip
from lib.errors import UnreadableFile

PARQUET = b"PAR1"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
WORKBOOK = (b"xl/", b"[Content_Types].xml")
NO_WORKBOOK = (b"word/", b"ppt/")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that has come in, as lines of JSON.

    `path` is a file of UTF-8 without a mark, one value a line: the given file itself when it is that already (it may
    then have blank lines, and carriage returns at the ends of lines), else one in the folder that was given. `columns`
    are the names of a table's columns, () for lines. `numbers` has the line of the original on which each line begins,
    or the row of a sheet, from 1; None when the line's place is its number. `notes` are infos about the whole file,
    `problems` errors about what could not be understood and stays out (200 of a code at most), `totals` how many there
    are of each code.
    """

    path: Path
    kind: Literal["lines", "table"]
    columns: tuple[str, ...]
    numbers: npt.NDArray[np.int64] | None
    notes: tuple[Finding, ...]
    problems: tuple[Finding, ...]
    totals: Mapping[str, int]


def open_source(
    path: Path,
    name: str,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    stopped: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> Source:
    """Make lines of a file; `name` is what the person calls it, `folder` is where files may be written.

    `progress` is told how many bytes of how many are done, `stopped` is asked whether the person wants to stop.
    Raises UnreadableFile when the whole file is something else, ArrivalStopped; `folder` then is as it was.
    """
    size = _size(path, name)
    intake = Intake(name, folder, size, limits or Limits(), progress, stopped)
    kept: Path | None = None
    try:
        source = _taken(path, intake)
        kept = source.path
    finally:
        intake.forget_all_but(kept)
    intake.done()
    return source


def _taken(path: Path, intake: Intake) -> Source:
    intake.look()
    head = _head(path)
    if head.startswith(GZIP):
        path = gunzip(path, intake)
    elif head.startswith((ZIP, EMPTY_ZIP)) and not _is_workbook(path):
        path = unzip(path, intake)
    if intake.notes:
        head = _head(path)
        _refuse_nested(head, path, intake)
    if head.startswith(PARQUET):
        return _table(*take_sheet(path, "parquet", intake), intake)
    if head.startswith(OLD_OFFICE) or _is_workbook(path):
        return _table(*take_sheet(path, "sheet", intake), intake)
    check_readable(head[:PEEK], intake.name)
    return _text(path, head, intake)


def _text(path: Path, head: bytes, intake: Intake) -> Source:
    encoding = wide_encoding(head[:PEEK])
    shown = head.decode(encoding or "utf-8-sig", "replace").removeprefix("\ufeff")
    looks_like_json = _looks_like_json(shown)
    if encoding is not None:
        path = to_utf8(path, encoding, intake, json=looks_like_json)
    if not has_newline(path):
        path = plain(path, intake)
    if not looks_like_json:
        if is_table(shown, intake.name):
            return _table(*take_table(path, intake), intake)
        raise not_json(shown.encode("utf-8", "replace"), intake.name)
    if is_spread(path, intake):
        return _source(*take_spread(path, intake), intake)
    return _source(*take_lines(path, intake), intake)


def _table(path: Path, columns: tuple[str, ...], numbers: npt.NDArray[np.int64], intake: Intake) -> Source:
    problems = intake.problems
    return Source(path, "table", columns, numbers, tuple(intake.notes), problems.kept(), problems.totals())


def _source(path: Path, numbers: npt.NDArray[np.int64] | None, intake: Intake) -> Source:
    problems = intake.problems
    return Source(path, "lines", (), numbers, tuple(intake.notes), problems.kept(), problems.totals())


def _looks_like_json(shown: str) -> bool:
    """Whether a text that begins so holds JSON: its first value does, or one of its first lines is an object."""
    text = shown.lstrip()
    return text.startswith(("{", "[")) or any(line.lstrip().startswith('{"') for line in text.splitlines()[:50])


def _refuse_nested(head: bytes, path: Path, intake: Intake) -> None:
    if head.startswith(GZIP) or (head.startswith((ZIP, EMPTY_ZIP)) and not _is_workbook(path)):
        raise UnreadableFile(
            f"{intake.name} is an archive inside an archive.",
            "Unpack it yourself and bring in the data that is inside.",
        )


def _is_workbook(path: Path) -> bool:
    """Whether a zip archive is a spreadsheet, by the names that stand in its first and last bytes."""
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return False
        around = file.read(PEEK)
        file.seek(max(0, file.seek(0, 2) - HEAD))
        around += file.read()
    if any(mark in around for mark in NO_WORKBOOK):
        return False
    return b"xl/workbook" in around or all(mark in around for mark in WORKBOOK)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _size(path: Path, name: str) -> int:
    try:
        if path.exists() and not path.is_file():
            raise UnreadableFile(
                f"{name} is a pipe, a device or a folder, not a file.", "Save what it gives as a file."
            )
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise UnreadableFile(
            f"{name} could not be opened: {error.strerror or error}.",
            "Check that the file is still there and that you may read it.",
            raw=str(error),
        ) from error
