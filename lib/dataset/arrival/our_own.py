"""Tables that Etude wrote itself, read back: every example as it was, and those held out held out again.

Knows the columns of export_csv.py and export_parquet.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lib.dataset import export_csv, export_parquet

Own = Literal["", "csv", "parquet"]

PARQUET = ("line", "split", *export_parquet.LISTS, "input", "tools", "other")
RECORD = (*export_parquet.TEXTS, "weight", "tool_calls", "other")


def own(columns: Sequence[str]) -> Own:
    """Which of our own exports has these columns; "" for any other table."""
    if tuple(columns) in export_csv.COLUMNS.values():
        return "csv"
    return "parquet" if tuple(columns) == PARQUET else ""


def example_of(kind: Own, row: Mapping[str, Any]) -> dict[str, Any]:
    """The example that was written as this row. Raises Unparsable when its JSON was damaged."""
    if kind == "csv":
        return export_csv.example_of({column: _text(value) for column, value in row.items()})
    # A cell without a value is left out where a table is read.
    record: dict[str, Any] = {column: row.get(column) for column in PARQUET}
    for name in export_parquet.LISTS:
        if isinstance(record[name], list):
            record[name] = [{key: entry.get(key) for key in RECORD} for entry in record[name]]
    return export_parquet.example_of(record)


def is_held_out(row: Mapping[str, Any]) -> bool:
    """Whether the row was on the side of validation."""
    return row.get("split") == "validation"


def _text(value: Any) -> str:
    """A cell as text: a spreadsheet program may have made numbers of them."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
