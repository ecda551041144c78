"""Tables of past cases (CSV, TSV) as examples: which column asks, which answers, and the conversations they make.

A table is read as text; a column-to-role mapping is guessed from names and lengths and is for a person to change.
Several answer columns become one JSON object, several question columns one labelled text. Knows no spreadsheet program.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lib.dataset.sniff import check_readable, wide_encoding
from lib.errors import DataError, UnreadableFile

DELIMITERS = ",;\t|"
PEEK = 65_536
LOOKED_AT_FIRST = 50

# Names of columns, as people give them, in lower case.
ANSWERS = frozenset(
    {"answer", "completion", "response", "reply", "output", "label", "category", "class", "target"}
    | {"solution", "resolution", "team", "priority"}
)
QUESTIONS = frozenset(
    {"question", "prompt", "input", "text", "message", "ticket", "body", "description", "query"}
    | {"request", "subject", "title", "comment", "instruction"}
)
SYSTEMS = frozenset({"system", "system_prompt", "system_message"})


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts. `numbers` has the line of the file, from 1, on which each row begins."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns are asked and which are answered; `system` is a column with a system message."""

    question: tuple[str, ...]
    answer: tuple[str, ...]
    system: str | None = None


def read_table(source: bytes, name: str) -> Table:
    """Read a table whose first row has the names of its columns.

    Raises UnreadableFile when it is no table, DataError when a row has more cells than there are columns.
    """
    check_readable(source[:PEEK], name)
    text = _decoded(source)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = tuple(_named(next(reader, [])))
        if len(columns) < 2:
            raise UnreadableFile(
                f"{name} has one column only.", "A table needs a column that asks and one that answers."
            )
        rows: list[Mapping[str, str]] = []
        numbers: list[int] = []
        begun = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(columns, cells, name, begun))
                numbers.append(begun)
            begun = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{name} cannot be read as a table near line {reader.line_num}: {error}.",
            "Look for a quote that is not closed.",
            raw=str(error),
            line=reader.line_num,
        ) from error
    if not rows:
        raise UnreadableFile(f"{name} has no rows under its headings.", "Choose a file with cases in it.")
    return Table(columns, tuple(rows), tuple(numbers))


def guess(table: Table) -> Roles:
    """The likeliest roles: by the names of the columns, else the longest texts ask and the last column answers."""
    plain = {column: column.strip().lower().replace(" ", "_") for column in table.columns}
    system = next((column for column in table.columns if plain[column] in SYSTEMS), None)
    answer = tuple(column for column in table.columns if plain[column] in ANSWERS)
    question = tuple(column for column in table.columns if plain[column] in QUESTIONS)
    rest = [column for column in table.columns if column not in (system, *answer, *question)]
    if not answer:
        answer = tuple((rest or list(question[1:]))[-1:])
        question = tuple(column for column in question if column not in answer)
        rest = [column for column in rest if column not in answer]
    if not question:
        question = tuple(sorted(rest, key=lambda column: -_length(table, column))[:1])
    return Roles(question, answer, system)


def examples(table: Table, roles: Roles) -> Iterator[dict[str, Any]]:
    """A conversation for each row that has both a question and an answer; the others are in `incomplete`."""
    for row in table.rows:
        if _is_complete(row, roles):
            yield {"messages": _messages(row, roles)}


def incomplete(table: Table, roles: Roles) -> tuple[int, ...]:
    """The lines of rows that make no example, because the question or the answer is empty."""
    pairs = zip(table.rows, table.numbers, strict=True)
    return tuple(number for row, number in pairs if not _is_complete(row, roles))


def _messages(row: Mapping[str, str], roles: Roles) -> list[dict[str, str]]:
    system = row[roles.system].strip() if roles.system else ""
    return [
        *([{"role": "system", "content": system}] if system else []),
        {"role": "user", "content": _asked(row, roles.question)},
        {"role": "assistant", "content": _answered(row, roles.answer)},
    ]


def _asked(row: Mapping[str, str], columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return row[columns[0]].strip()
    return "\n".join(f"{column}: {row[column].strip()}" for column in columns if row[column].strip())


def _answered(row: Mapping[str, str], columns: Sequence[str]) -> str:
    if len(columns) == 1:
        return row[columns[0]].strip()
    return json.dumps({column: row[column].strip() for column in columns}, ensure_ascii=False)


def _is_complete(row: Mapping[str, str], roles: Roles) -> bool:
    return all(any(row[column].strip() for column in columns) for columns in (roles.question, roles.answer))


def _row(columns: tuple[str, ...], cells: list[str], name: str, line: int) -> dict[str, str]:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise DataError(
            f"Line {line} of {name} has {len(cells)} cells, but there are {len(columns)} columns.",
            "A text with the separator in it must stand in quotes.",
            line=line,
        )
    return dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))


def _named(cells: list[str]) -> Iterator[str]:
    """The names of columns, each different from the others and none empty."""
    taken: set[str] = set()
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    for number, cell in enumerate(cells, start=1):
        column = cell.strip() or f"column {number}"
        while column in taken:
            column = f"{column} ({number})"
        taken.add(column)
        yield column


def _decoded(source: bytes) -> str:
    """The text in the encoding it shows; Windows' own where it is not UTF-8."""
    try:
        return source.decode(wide_encoding(source) or "utf-8-sig").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return source.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """The separator that splits the first rows most evenly, and into most cells."""
    head = text[:PEEK]

    def evenness(delimiter: str) -> tuple[int, int]:
        rows = islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), LOOKED_AT_FIRST)
        widths = [len(row) for row in rows if row]
        common = max(set(widths), key=widths.count) if widths else 1
        return (widths.count(common) if common > 1 else 0), common

    return max(DELIMITERS, key=evenness)


def _length(table: Table, column: str) -> int:
    return sum(len(row[column]) for row in table.rows[:LOOKED_AT_FIRST])
