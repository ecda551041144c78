"""The result files of a job: base64 of a CSV, as OpenAI's are: one with a row a step, one with a row an example.

Source of the columns and number forms: result files of public jobs. Knows the rows of events, not how a file is kept.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterable

COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
FIELDS = ("step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")
# Preference training adds these; a file has only those that its job told of.
MORE_FIELDS = tuple(f"{prefix}_rewards_{name}" for prefix in ("train", "valid") for name in ("accuracy", "margin"))
NAME = "step_metrics.csv"
# Etude's own: what each example cost before and after training.
LOSSES_NAME = "example_losses.csv"


def content(events: Iterable[sqlite3.Row]) -> bytes:
    """The file's bytes from a job's metrics events, oldest first. A metric that a step lacks is an empty cell."""
    rows = [json.loads(event["data"]) for event in events]
    more = [field for field in MORE_FIELDS if any(field in row for row in rows)]
    lines = [(*COLUMNS, *more), *([_cell(row.get(field)) for field in (*FIELDS, *more)] for row in rows)]
    return encoded("".join(",".join(line) + "\n" for line in lines).encode())


def encoded(table: bytes) -> bytes:
    """A CSV as the content of a result file."""
    return base64.b64encode(table)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}".rstrip("0").rstrip(".")
