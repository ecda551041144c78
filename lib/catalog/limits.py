"""The bounds of what a fine-tuning job may ask for, from catalog.toml. Knows no job and asks no service."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from lib.catalog.models import CATALOG


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one kind of service; pairs are the least and the most allowed.

    `beta` excludes its lower end. A learning rate multiplier need only be more than 0. Lengths are in characters.
    """

    least_examples: int
    epochs: tuple[int, int]
    batch_size: tuple[int, int]
    beta: tuple[int, int]
    seed: tuple[int, int]
    suffix_length: tuple[int, int]
    metadata_pairs: int
    metadata_key_length: int
    metadata_value_length: int
    file_bytes: int
    source: str


@cache
def limits(service: str) -> Limits:
    """The bounds on this kind of service: embedded, openai, azure, nebius, or any other."""
    held = tomllib.loads(CATALOG.read_text(encoding="utf-8"))["limits"]
    values: dict[str, Any] = {**held["all"], **held.get(service, {})}
    bounds: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Limits(**bounds)
