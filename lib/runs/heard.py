"""What a service says, as values: events, checkpoints and numbers out of JSON of whatever shape.

Services differ, and the same one differs from day to day: fields are missing, null, of another type or out of range.
Nothing here raises for that. It knows no workspace and no network.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a job's log. `data` is whatever the service sent, an empty mapping when it sent none."""

    id: str
    created_at: float
    level: str
    type: str
    message: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that the service kept; `model` is the id to talk to."""

    id: str
    step: int
    model: str
    created_at: float
    metrics: Mapping[str, Any]


def event_of(said: Mapping[str, Any]) -> Event:
    """An event from a service's JSON, whatever is missing. Without an id it gets one made from its content."""
    data = said.get("data")
    event_id = said.get("id")
    if not isinstance(event_id, str) or not event_id:
        event_id = "made_" + hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:24]
    return Event(
        id=clean(event_id),
        created_at=number(said.get("created_at")) or 0.0,
        level=clean(said.get("level") or "info"),
        type=clean(said.get("type") or "message"),
        message=clean(said.get("message") or ""),
        data=data if isinstance(data, dict) else {},
    )


def checkpoint_of(said: Mapping[str, Any]) -> Checkpoint | None:
    """A checkpoint from a service's JSON, None when it has no step or no id."""
    metrics = said.get("metrics")
    values = metrics if isinstance(metrics, dict) else {}
    step = whole(said.get("step_number"))
    step = whole(values.get("step")) if step is None else step
    if step is None or not isinstance(said.get("id"), str):
        return None
    model = said.get("fine_tuned_model_checkpoint")
    return Checkpoint(
        id=clean(said["id"]),
        step=step,
        model=clean(model) if isinstance(model, str) else "",
        created_at=number(said.get("created_at")) or 0.0,
        metrics=values,
    )


def clean(value: Any) -> str:
    """Text that SQLite can hold: lone surrogates, which JSON may carry, become visible escapes."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def number(value: Any) -> float | None:
    """A finite number from a service's JSON, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: Any) -> int | None:
    """A whole number of at least 0 from a service's JSON (12, 12.0 and "12" are), None for anything else."""
    found = number(value)
    return int(found) if found is not None and found == int(found) and 0 <= found < 2**53 else None
