"""What a training was asked to do: the job folder's `job.json`, with every value resolved.

It knows no server and no network; it reads one file and says what is wrong with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.errors import EngineError

JOB_FILE = "job.json"


@dataclass(frozen=True, slots=True)
class Job:
    """A job as resolved by the service: numbers, not "auto"; folders and files as paths."""

    folder: Path
    id: str
    start_from: Path
    training_file: Path
    validation_file: Path | None
    method: str
    seed: int
    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    context: int


def read(folder: Path) -> Job:
    """The job in `folder`. Relative paths count from that folder. EngineError names the value that cannot be used."""
    try:
        data = json.loads((folder / JOB_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise EngineError(f"The job's {JOB_FILE} cannot be read.", raw=str(error)) from error
    if not isinstance(data, dict):
        raise EngineError(f"The job's {JOB_FILE} is not an object.")
    validation = _value(data, "validation_file", str | None)
    return Job(
        folder=folder,
        id=_value(data, "id", str),
        start_from=folder / _value(data, "start_from", str),
        training_file=folder / _value(data, "training_file", str),
        validation_file=None if validation is None else folder / validation,
        method=_value(data, "method", str),
        seed=_at_least(data, "seed", 0),
        n_epochs=_at_least(data, "n_epochs", 1),
        batch_size=_at_least(data, "batch_size", 1),
        learning_rate_multiplier=float(_above_zero(data, "learning_rate_multiplier")),
        context=_at_least(data, "context", 2),
    )


def _value(data: dict[str, Any], name: str, kind: Any) -> Any:
    value = data.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise EngineError(f"The job's {JOB_FILE} says {name} = {value!r}, which cannot be used.")
    return value


def _at_least(data: dict[str, Any], name: str, least: int) -> int:
    value: int = _value(data, name, int)
    if value < least:
        raise EngineError(f"The job's {JOB_FILE} says {name} = {value}; it must be at least {least}.")
    return value


def _above_zero(data: dict[str, Any], name: str) -> float:
    value: float = _value(data, name, int | float)
    if not 0 < value < float("inf"):
        raise EngineError(f"The job's {JOB_FILE} says {name} = {value}; it must be above 0.")
    return value
