"""Reads the result file of a finished job: a table of metrics by step, as plain CSV or base64 of it.

Columns vary between services and years and are read by their names. What cannot be read is left out: the file only
fills gaps that the events left. Knows no service and no workspace.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Iterable

from lib.runs.heard import Event, whole
from lib.runs.metrics import RESULT_FILE, metrics_in


def rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The rows as (step, {column: text}), without empty cells and without what may have been cut off at the end."""
    text = _plain(content)
    lines = text.splitlines()
    if len(lines) > 1 and not text.endswith(("\n", "\r")):
        last = lines.pop()
        if last.count(",") >= lines[0].count(","):
            # Its last cell may have lost digits.
            lines.append(last[: last.rindex(",") + 1])
    found = []
    for row in csv.DictReader(io.StringIO("\n".join(lines))):
        cells = {name.strip().lower(): cell.strip() for name, cell in row.items() if name and isinstance(cell, str)}
        step = whole(cells.pop("step", None))
        if step is not None:
            found.append((step, {name: cell for name, cell in cells.items() if cell}))
    return found


def events(content: bytes, file_id: str, known_steps: Iterable[int], created_at: float) -> list[Event]:
    """What the file adds: an event of type `result_file` for each step that nothing is known of yet."""
    known = set(known_steps)
    return [
        Event(
            id=f"{RESULT_FILE}:{file_id}:{step}",
            created_at=created_at,
            level="info",
            type=RESULT_FILE,
            message=f"Step {step:,}, read from the result file",
            data={"step": step, **cells},
        )
        for step, cells in rows(content)
        if step not in known and metrics_in(cells)
    ]


def _plain(content: bytes) -> str:
    """The CSV's text. A table has commas in its first line, and base64 has none."""
    if b"," not in content[:200]:
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error:
            # Cut in the middle: the whole groups of four before the cut are good.
            joined = b"".join(content.split())
            try:
                content = base64.b64decode(joined[: len(joined) // 4 * 4], validate=True)
            except binascii.Error:
                return ""
    return content.decode("utf-8-sig", "replace")
