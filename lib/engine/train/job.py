"""What a training was asked to do: the job folder's `job.json`, with every value resolved.

It knows no server and no network; it reads one file and says what is wrong with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.errors import EngineError

if TYPE_CHECKING:
    from lib.engine.model import Learned

JOB_FILE = "job.json"
METHODS = ("supervised", "dpo")
WEIGHTS = ("lora", "full")


@dataclass(frozen=True, slots=True)
class Job:
    """A job as resolved by the service: numbers, not "auto"; folders and files as paths.

    `beta` is of the method "dpo" alone. `weights` None means what suits the kind of model.
    """

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
    beta: float | None = None
    weights: Learned | None = None


def read(folder: Path) -> Job:
    """The job in `folder`. Relative paths count from that folder. EngineError names the value that cannot be used."""
    try:
        data = json.loads((folder / JOB_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise EngineError(f"The job's {JOB_FILE} cannot be read.", raw=str(error)) from error
    if not isinstance(data, dict):
        raise EngineError(f"The job's {JOB_FILE} is not an object.")
    validation = _value(data, "validation_file", str | None)
    method = _one_of(data, "method", METHODS)
    weights = None if data.get("weights") is None else _one_of(data, "weights", WEIGHTS)
    return Job(
        folder=folder,
        id=_value(data, "id", str),
        start_from=folder / _value(data, "start_from", str),
        training_file=folder / _value(data, "training_file", str),
        validation_file=None if validation is None else folder / validation,
        method=method,
        seed=_at_least(data, "seed", 0),
        n_epochs=_at_least(data, "n_epochs", 1),
        batch_size=_at_least(data, "batch_size", 1),
        learning_rate_multiplier=float(_above_zero(data, "learning_rate_multiplier")),
        context=_at_least(data, "context", 2),
        beta=float(_above_zero(data, "beta")) if method == "dpo" else None,
        weights=weights,
    )


def _value(data: dict[str, Any], name: str, kind: Any) -> Any:
    value = data.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise EngineError(f"The job's {JOB_FILE} says {name} = {value!r}, which cannot be used.")
    return value


def _one_of(data: dict[str, Any], name: str, choices: tuple[str, ...]) -> Any:
    value = _value(data, name, str)
    if value not in choices:
        raise EngineError(
            f"The job's {JOB_FILE} says {name} = {value!r}, which cannot be trained here.",
            f"It can be {' or '.join(choices)}.",
        )
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
