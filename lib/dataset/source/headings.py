"""The columns of a table: whether its first row names them, and names that are each different and none empty.

For text tables and sheets alike. Knows cells, not where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib.dataset.convert.names import is_known
from lib.dataset.source.intake import Intake

LONGEST_HEADING = 80
LONGEST_NAME = 200
LOOKED_AT_FIRST = 50
VALUE = re.compile(r"[-+]?[\d.,]+%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?|(?i:true|false)")


@dataclass(frozen=True, slots=True)
class Headings:
    """The names of the columns. `given` is False when the first row is a case; `changed` when names had to be."""

    columns: tuple[str, ...]
    given: bool
    changed: bool


def headings(rows: Sequence[Sequence[Any]]) -> Headings:
    """The headings of a table from its first rows (all of them or a good many).

    A first row is a case, not headings, when a cell of it is long, is a number or a date, or comes again in its column,
    unless one of its cells is a name that columns are known to have.
    """
    first = ["" if cell is None else str(cell).strip() for cell in rows[0]] if rows else []
    if _names_columns(first, rows[1:LOOKED_AT_FIRST]):
        while first and not first[-1]:
            first.pop()
        columns = _different(first)
        return Headings(columns, True, list(columns) != first)
    width = max((len(row) for row in rows[:LOOKED_AT_FIRST]), default=0)
    return Headings(tuple(f"column {number}" for number in range(1, width + 1)), False, False)


def tell_headings(named: Headings, intake: Intake) -> None:
    """Say when the headings are not those that stand in the file."""
    if not named.given:
        intake.note(
            "no_headings",
            "The first row is a case, not a row of headings; the columns are called column 1, column 2 and so on.",
            "If it is one after all, give each column a name of one or two words.",
        )
    elif named.changed:
        intake.note(
            "headings_changed",
            f"Some headings were empty or stood twice; the columns are called {', '.join(named.columns[:10])}.",
            "Each column needs a name of its own.",
        )


def _names_columns(first: list[str], others: Sequence[Sequence[Any]]) -> bool:
    if any(is_known(cell) for cell in first):
        return True
    if any(len(cell) > LONGEST_HEADING or "\n" in cell or VALUE.fullmatch(cell) for cell in first):
        return False
    return not any(
        cell and any(len(row) > place and str(row[place]).strip() == cell for row in others)
        for place, cell in enumerate(first)
    )


def _different(cells: list[str]) -> tuple[str, ...]:
    taken: list[str] = []
    known: set[str] = set()
    for number, cell in enumerate(cells, start=1):
        # A name comes again in every row that is written, so its length is a matter of the size of all.
        column = cell[:LONGEST_NAME] or f"column {number}"
        while column in known:
            column = f"{column} ({number})"
        known.add(column)
        taken.append(column)
    return tuple(taken)
