"""The rows of a table that Etude itself exported, as the examples they were, on the side of the split they were on.

Knows which columns such a table has; how a row is read back is for lib.dataset.export_csv and export_parquet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.dataset import export_csv, export_parquet
from lib.dataset.convert.fields import Data, Fields, Unfit, text_of
from lib.dataset.parse import Unparsable

EXPORTED = "a table that Etude exported"
# In every table of texts that was exported, whatever its method.
ALWAYS = "line split system question earlier example"
PARQUET = ("line", "split", *export_parquet.LISTS, "input", "tools", "other")
RECORD = (*export_parquet.TEXTS, "weight", "tool_calls", "other")


def is_exported(columns: Sequence[str]) -> bool:
    """Whether a table with exactly these columns is one of ours, as it was written."""
    return tuple(columns) in (*export_csv.COLUMNS.values(), PARQUET)


def is_row(data: Mapping[str, Any]) -> bool:
    """Whether an example that looks like one of the services' may be a row of ours: it says where it stood."""
    return "line" in data and "split" in data


def is_held_out(row: Mapping[str, Any]) -> bool:
    """Whether the row was on the side of validation."""
    return row.get("split") == "validation"


def exported(fields: Fields) -> Data:
    """The example that was written as this row. Raises Unfit when it was damaged since, or has not all its columns."""
    for columns in export_csv.COLUMNS.values():
        if all(map(fields.has, columns)):
            return _of_texts(fields.take_all(columns))
    if fields.has("line") and fields.has("split") and fields.has_only(PARQUET):
        return _of_records(fields.take_all(PARQUET))
    raise Unfit("has not all columns that it was exported with")


def _of_texts(row: Mapping[str, Any]) -> Data:
    # A spreadsheet program may have made numbers of texts.
    cells = {column: "" if value is None else text_of(value) for column, value in row.items()}
    try:
        made = export_csv.example_of(cells)
    except Unparsable as problem:
        raise Unfit(f"has JSON in “example” that cannot be read: {problem.sentence}") from problem
    if not made:
        raise Unfit("has no object in “example”")
    return made


def _of_records(row: Mapping[str, Any]) -> Data:
    record = dict(row)
    try:
        for name in export_parquet.LISTS:
            if record[name] is not None:
                record[name] = [{key: entry.get(key) for key in RECORD} for entry in record[name]]
        return export_parquet.example_of(record)
    except (Unparsable, AttributeError, KeyError, TypeError) as problem:
        # These columns may hold anything, whoever wrote them.
        raise Unfit("holds an example that was damaged since it was exported") from problem
