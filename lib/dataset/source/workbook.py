"""A spreadsheet (XLSX, XLS) as lines. Runs in the process of sheet_process.py only: its reader is native code.

The first visible sheet with cases is taken; the others are named. A formula is the value that was saved with it.
"""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from lib.dataset.example import encode
from lib.dataset.source.cells import value_of
from lib.dataset.source.headings import headings, tell_headings
from lib.dataset.source.intake import Intake
from lib.errors import UnreadableFile

# Above the headings a sheet may have a title.
TITLES = 20
LOOKED_AT_FIRST = 50
Row = tuple[int, list[Any]]


def take_workbook(path: Path, out: BinaryIO, intake: Intake) -> tuple[tuple[str, ...], array[int]]:
    """Write the rows of a sheet; return its columns and the number of each row, as the program shows it.

    Raises UnreadableFile when no sheet has a row under its headings.
    """
    with path.open("rb") as file, CalamineWorkbook.from_filelike(file) as book:
        visible = [
            one.name
            for one in book.sheets_metadata
            if one.visible == SheetVisibleEnum.Visible and one.typ == SheetTypeEnum.WorkSheet
        ]
        for name in visible:
            rows = _filled(book.get_sheet_by_name(name))
            if len(rows) > 1:
                others = [one for one in book.sheet_names if one != name]
                if others:
                    listed = ", ".join(f"“{one[:40]}”" for one in others[:5])
                    more = f" and {len(others) - 5} more" if len(others) > 5 else ""
                    intake.note(
                        "other_sheets",
                        f"The sheet “{name}” came in; {listed}{more} did not.",
                        "Only the first visible sheet with cases is read. Save another one as a file of its own.",
                    )
                return _write(rows, path.stat().st_size, out, intake)
    raise UnreadableFile(f"{intake.name} has no sheet with rows under headings.", "Choose a file with cases in it.")


def _filled(sheet: CalamineSheet) -> list[Row]:
    """(number, cells) of each row that is not empty, without the columns before the first that is filled."""
    if sheet.start is None:
        return []
    first = sheet.start[0] + 1
    rows = sheet.to_python(skip_empty_area=True)
    return [(first + place, cells) for place, cells in enumerate(rows) if any(_is_filled(cell) for cell in cells)]


def _write(rows: list[Row], packed: int, out: BinaryIO, intake: Intake) -> tuple[tuple[str, ...], array[int]]:
    begun = _headings_at(rows)
    if begun:
        titles = ", ".join(str(next(cell for cell in cells if _is_filled(cell)))[:40] for _, cells in rows[:begun])
        intake.note(
            "rows_above", f"Above the headings stands “{titles}”, which stays out.", "Only cases become examples."
        )
    shown = [[_text(cell) for cell in cells] for _, cells in rows[begun : begun + LOOKED_AT_FIRST]]
    named = headings(shown)
    tell_headings(named, intake)
    numbers, written = array("q"), intake.written(packed, sheet=True)
    for place, (number, cells) in enumerate(rows[begun + named.given :]):
        intake.at(place, len(rows))
        beyond = [cell for cell in cells[len(named.columns) :] if _is_filled(cell)]
        if beyond:
            intake.problem(
                "ragged_row",
                f"Row {number} has “{_text(beyond[0])[:40]}” in a column without a heading.",
                "Give that column a heading, or empty the cell.",
                number,
            )
            continue
        row = {column: value_of(cell) for column, cell in zip(named.columns, cells, strict=False)}
        line = encode(row) + b"\n"
        written.add(len(line))
        out.write(line)
        numbers.append(number)
    return named.columns, numbers


def _headings_at(rows: list[Row]) -> int:
    """The place of the headings: the first row of more than one filled cell, when there is one near the top."""
    for place, (_, cells) in enumerate(rows[:TITLES]):
        if sum(_is_filled(cell) for cell in cells) > 1:
            return place if place < len(rows) - 1 else 0
    return 0


def _is_filled(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _text(cell: Any) -> str:
    value = value_of(cell)
    return "" if value is None else value if isinstance(value, str) else str(value)
