"""A table in a text file (CSV, TSV, semicolons, bars) as lines: one flat object a row, streamed.

A row that does not fit is a problem with its line and stays out; the rows after it are read all the same. Knows no
spreadsheet program.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from lib.dataset.convert.names import is_known
from lib.dataset.source.headings import headings, tell_headings
from lib.dataset.source.intake import BLOCK, Intake, snippet
from lib.dataset.source.lines import too_long
from lib.dataset.source.table_form import HEAD, Form, first_rows, form_of
from lib.dataset.source.text import BOM, is_utf8
from lib.errors import UnreadableFile

Integers = npt.NDArray[np.int64]

# What is looked at twice, because a quote was not closed, may be so many times the longest cell.
MOST_TWICE = 16


def take_table(path: Path, intake: Intake) -> tuple[Path, tuple[str, ...], Integers]:
    """The rows as lines of a file of our own, the columns, and the line of the original on which each row begins.

    Raises UnreadableFile when there is no row under the headings.
    """
    csv.field_size_limit(intake.limits.cell)
    encoding = "utf-8" if is_utf8(path, intake) else "cp1252"
    if encoding == "cp1252":
        intake.note(
            "windows_text",
            "The file is not UTF-8; it was read as Windows text (code page 1252).",
            "Look at letters such as ä, é or €. If they are wrong, save the table again as UTF-8.",
        )
    with path.open("rb") as source:
        head = source.read(HEAD).decode(encoding, "replace").removeprefix("\ufeff")
    form = form_of(head, intake.name)
    named = headings(first_rows(head, form))
    if len(named.columns) < 2 and not any(is_known(column) for column in named.columns):
        raise UnreadableFile(
            f"{intake.name} has one column only.", "A table needs a column that asks and one that answers."
        )
    tell_headings(named, intake)
    target, numbers = intake.new_file(), array("q")
    intake.stage(last=True)
    with path.open("rb") as source, target.open("wb") as out:
        rows = _Rows(source, path.stat().st_size, encoding, form, intake).rows()
        if named.given:
            next(rows, None)
            _check_headings(intake)
        written = intake.written(path.stat().st_size)
        for number, cells in rows:
            if fits(cells, len(named.columns), number, "Line", intake):
                line = msgspec.json.encode(dict(zip(named.columns, cells, strict=False))) + b"\n"
                written.add(len(line))
                out.write(line)
                numbers.append(number)
    if not numbers and not intake.problems.totals():
        raise UnreadableFile(f"{intake.name} has no rows under its headings.", "Choose a file with cases in it.")
    return target, named.columns, np.frombuffer(numbers, dtype=np.int64)


def fits(cells: list[str], width: int, number: int, place: str, intake: Intake) -> bool:
    """Whether a row has a cell for each column and no more; empty ones at its end do not count. Says what is wrong."""
    filled = len(cells)
    while filled > width and not cells[filled - 1].strip():
        filled -= 1
    if filled == width:
        return True
    intake.problem(
        "ragged_row",
        f"{place} {number} has {filled} {'cell' if filled == 1 else 'cells'}, but there are {width} columns: "
        f"“{snippet(' | '.join(cells))}”.",
        "A text with the separator or a line break in it must stand in quotes.",
        number,
    )
    return False


def _check_headings(intake: Intake) -> None:
    problem = next(iter(intake.problems.kept()), None)
    if problem is not None:
        raise UnreadableFile(f"The headings of {intake.name} cannot be read. {problem.text}", problem.why)


class _Rows:
    """Reads the rows of a table, and goes on after one that cannot be read at the line below its first."""

    def __init__(self, source: BinaryIO, size: int, encoding: str, form: Form, intake: Intake) -> None:
        self._source, self._size, self._encoding, self._form, self._intake = source, size, encoding, form, intake
        self._line = 0
        # Where the next line begins. The file knows it too, but asks the system each time.
        self._at = 0
        self._begun_at = 0
        self._bad = False

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line on which it begins, cells) of each row that is not empty."""
        twice = 0
        source = self._source
        if source.read(len(BOM)) == BOM:
            self._at = len(BOM)
        source.seek(self._at)
        if self._form.says_separator:
            self._next_line()
        while True:
            reader = csv.reader(self._lines(), strict=True, **self._form.dialect())
            try:
                while True:
                    begun, self._begun_at, self._bad = self._line + 1, self._at, False
                    cells = next(reader, None)
                    if cells is None:
                        return
                    if not self._bad and any(cell.strip() for cell in cells):
                        yield begun, cells
            except csv.Error as error:
                twice += self._at - self._begun_at
                self._at = source.seek(self._begun_at)
                self._line = begun - 1
                self._broken(begun, self._next_line(), str(error))
                if twice > 2 * self._size + MOST_TWICE * self._intake.limits.cell:
                    self._given_up(begun + 1)
                    return

    def _lines(self) -> Iterator[str]:
        while line := self._next_line():
            yield line
            if self._at - self._begun_at > 2 * self._intake.limits.cell:
                raise csv.Error("row larger than its limit")

    def _next_line(self) -> str:
        """The next line as text, "" at the end of the file."""
        longest = self._intake.limits.cell
        raw = self._source.readline(longest)
        if not raw:
            return ""
        self._line += 1
        self._at += len(raw)
        self._intake.at(self._at, self._size)
        if len(raw) == longest and not raw.endswith(b"\n"):
            size, self._bad = longest, True
            while (more := self._source.readline(BLOCK)) and not more.endswith(b"\n"):
                size += len(more)
            size += len(more)
            self._at += size - longest
            too_long(self._line, size, self._intake)
            return "\n"
        try:
            return raw.decode(self._encoding, "strict" if self._encoding == "utf-8" else "replace")
        except UnicodeDecodeError as error:
            self._bad = True
            self._not_text(raw, error)
            return raw.decode("utf-8", "replace")

    def _not_text(self, raw: bytes, error: UnicodeDecodeError) -> None:
        wrong = " ".join(f"{byte:02X}" for byte in raw[error.start : error.end])
        near = snippet(raw[max(0, error.start - 24) : error.start + 96].decode("cp1252", "replace"))
        self._intake.problem(
            "invalid_utf8",
            f"Line {self._line} cannot be read: the bytes {wrong} are not UTF-8, near “{near}”.",
            "The rest of the file is UTF-8. Correct the letter, or save the table again as UTF-8.",
            self._line,
        )

    def _broken(self, line: int, offending: str, said: str) -> None:
        if "end of data" in said or "limit" in said:
            sentence = "a quote in it is never closed"
        elif "expected after" in said:
            sentence = "a quote stands inside a cell that is in quotes"
        else:
            sentence = f"it is no row ({said})"
        self._intake.problem(
            "broken_row",
            f"Line {line} cannot be read: {sentence}: “{snippet(offending)}”.",
            'Inside quotes, write a quote as two of them: "".',
            line,
        )

    def _given_up(self, line: int) -> None:
        self._intake.problem(
            "rest_not_read",
            f"From line {line} on the table was not read: too many quotes in it are never closed.",
            "Save the table again from the program it comes from, with all texts in quotes.",
            line,
        )
