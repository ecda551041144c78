"""Examples as a Parquet file, which pandas, DuckDB, Polars and the datasets library read without a program of ours.

One row an example. Messages (for a preference pair those of its input) are a list of records with the keys that most
have as columns of their own; every other key, and every value of an unusual type, stands as JSON in `other`, so that
nothing is lost: `example_of` gives back every example as it was. Written a batch at a time: memory does not grow with
the data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lib.dataset.export_row import Row
from lib.dataset.parse import parse

BATCH_ROWS, BATCH_BYTES = 5_000, 16 << 20

LISTS = ("messages", "preferred_output", "non_preferred_output")
TEXTS = ("role", "content", "name", "tool_call_id")
WEIGHTS = (0, 1)


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Write the examples, a group of rows at a time."""
    # Takes a tenth of a second and 40 MB, which nobody pays who writes no Parquet.
    import pyarrow
    import pyarrow.parquet

    message = pyarrow.struct(
        [
            *((name, pyarrow.string()) for name in TEXTS),
            ("weight", pyarrow.int8()),
            ("tool_calls", pyarrow.string()),
            ("other", pyarrow.string()),
        ]
    )
    schema = pyarrow.schema(
        [
            ("line", pyarrow.int64()),
            ("split", pyarrow.string()),
            *((name, pyarrow.list_(message)) for name in LISTS),
            ("input", pyarrow.string()),
            ("tools", pyarrow.string()),
            ("other", pyarrow.string()),
        ]
    )
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        waiting: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            waiting.append({"line": row.line, "split": row.split, **_columns(row.raw)})
            size += len(row.raw)
            if len(waiting) >= BATCH_ROWS or size >= BATCH_BYTES:
                writer.write_batch(pyarrow.RecordBatch.from_pylist(waiting, schema=schema))
                waiting, size = [], 0
        if waiting:
            writer.write_batch(pyarrow.RecordBatch.from_pylist(waiting, schema=schema))


def example_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The example that was written as this row, given as Python values. Raises Unparsable when its JSON was damaged."""
    data: dict[str, Any] = {name: [_entry(one) for one in row[name]] for name in LISTS if row[name] is not None}
    if row["input"] is not None:
        data["input"] = {"messages": data.pop("messages")} | _read(row["input"])
    if row["tools"] is not None:
        data["tools"] = _read(row["tools"])
    return data | (_read(row["other"]) if row["other"] is not None else {})


def _columns(raw: bytes) -> dict[str, Any]:
    data = parse(raw)
    rest = dict(data) if isinstance(data, dict) else {}
    made: dict[str, Any] = {}
    if "messages" not in rest and isinstance(rest.get("input"), dict) and _are_messages(rest["input"].get("messages")):
        asked = rest.pop("input")
        rest["messages"] = asked["messages"]
        made["input"] = _written({key: value for key, value in asked.items() if key != "messages"})
    for name in LISTS:
        # A list in which something is no message stays whole in `other`.
        if _are_messages(rest.get(name)):
            made[name] = [_record(entry) for entry in rest.pop(name)]
    if "tools" in rest:
        made["tools"] = _written(rest.pop("tools"))
    made["other"] = _written(rest) if rest else None
    return made


def _are_messages(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _record(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A message as a record. What `other` holds stands before the columns: a text there may be a shortened one."""
    rest = dict(entry)
    made: dict[str, Any] = {}
    for name in TEXTS:
        if isinstance(text := rest.get(name), str):
            made[name] = text.encode("utf-8", "replace").decode()
            if made[name] == text:
                del rest[name]
    if type(rest.get("weight")) is int and rest["weight"] in WEIGHTS:
        made["weight"] = rest.pop("weight")
    if "tool_calls" in rest:
        made["tool_calls"] = _written(rest.pop("tool_calls"))
    made["other"] = _written(rest) if rest else None
    return made


def _entry(record: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: record[name] for name in (*TEXTS, "weight") if record[name] is not None}
    if record["tool_calls"] is not None:
        made["tool_calls"] = _read(record["tool_calls"])
    return made | (_read(record["other"]) if record["other"] is not None else {})


def _written(value: Any) -> str:
    # Escaped where a text could not hold it: halves of characters.
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isascii() or _is_text(text) else json.dumps(value)


def _read(text: str) -> Any:
    return parse(text.encode())


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
