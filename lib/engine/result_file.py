"""The result file of a job: base64 of a CSV with one row a step, as OpenAI's are.

Source of the columns and number forms: result files of public jobs. Knows the rows of events, not how a file is kept.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterable

COLUMNS = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
FIELDS = ("step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")
NAME = "step_metrics.csv"


def content(events: Iterable[sqlite3.Row]) -> bytes:
    """The file's bytes from a job's metrics events, oldest first. A metric that a step lacks is an empty cell."""
    rows = [json.loads(event["data"]) for event in events]
    lines = [COLUMNS, *([_cell(row.get(field)) for field in FIELDS] for row in rows)]
    return base64.b64encode("".join(",".join(line) + "\n" for line in lines).encode())


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}".rstrip("0").rstrip(".")
