"""The models that can be or could be fine-tuned: prices, limits and dates from catalog.toml, and how ids are read.

Knows what stands in the file and nothing that a service says live; it asks no service.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from lib.errors import UnknownModel

CATALOG = Path(__file__).parent / "catalog.toml"

# ft:<base>:<organisation>:<suffix or nothing>:<id>, and a checkpoint's :ckpt-step-<n> behind any of them.
CHECKPOINT = re.compile(r":ckpt-step-\d+$")
AZURE_FINE_TUNE = re.compile(r"\.ft-[^.]*$")


@dataclass(frozen=True, slots=True)
class Model:
    """One base model on one service. Prices are in USD for 1,000,000 tokens, None where none is known.

    `tokens_per_example` is where a longer training example is cut, None where the bound is not known. `base_shutdown`
    and `fine_tune_shutdown` are the first day without it, `trainable_until` the last day on which a job can be created.
    """

    id: str
    aliases: tuple[str, ...]
    service: str
    methods: tuple[str, ...]
    encoding: str
    tokens_per_example: int | None
    training_price: Decimal | None
    input_price: Decimal | None
    cached_price: Decimal | None
    output_price: Decimal | None
    base_shutdown: date | None
    fine_tune_shutdown: date | None
    trainable_until: date | None
    replacement: str | None
    note: str
    source: str
    checked: date


def models(service: str | None = None) -> tuple[Model, ...]:
    """All models of the catalog in its order, or those of one kind of service: embedded, openai, azure, nebius."""
    return tuple(model for model in _all_models() if service in (None, model.service))


def find(model_id: str, service: str | None = None) -> Model:
    """The base model behind an id: the id itself, an alias, a fine-tune or a checkpoint of it.

    The same model may be on several services; without `service` the first in the catalog is meant, except that an id
    in Azure's form is Azure's. Raises UnknownModel, with the nearest known id.
    """
    base = base_of(model_id)
    if service is None and AZURE_FINE_TUNE.search(CHECKPOINT.sub("", model_id)):
        service = "azure"
    known = models(service)
    for model in known:
        if base == model.id or base in model.aliases:
            return model
    names = [name for model in known for name in (model.id, *model.aliases)]
    near = difflib.get_close_matches(base, names, n=1, cutoff=0.6)
    where = f" of the service “{service}”" if service else ""
    raise UnknownModel(
        f"The catalog{where} has no model called “{model_id}”.",
        f"Did you mean {near[0]}?" if near else f"Known are, for example, {', '.join(names[:4])}.",
    )


def base_of(model_id: str) -> str:
    """The base model's id in the id of a fine-tune or checkpoint; any other id as it is."""
    plain = CHECKPOINT.sub("", model_id.strip())
    if plain.startswith("ft:"):
        return plain.split(":")[1]
    return AZURE_FINE_TUNE.sub("", plain)


@cache
def _all_models() -> tuple[Model, ...]:
    held = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    return tuple(_model(row, held["checked"]) for row in held["model"])


def _model(row: dict[str, Any], checked: date) -> Model:
    return Model(
        id=row["id"],
        aliases=tuple(row.get("aliases", ())),
        service=row["service"],
        methods=tuple(row["methods"]),
        encoding=row["encoding"],
        tokens_per_example=row.get("tokens_per_example"),
        training_price=_price(row, "training_price"),
        input_price=_price(row, "input_price"),
        cached_price=_price(row, "cached_price"),
        output_price=_price(row, "output_price"),
        base_shutdown=row.get("base_shutdown"),
        fine_tune_shutdown=row.get("fine_tune_shutdown"),
        trainable_until=row.get("trainable_until"),
        replacement=row.get("replacement"),
        note=row.get("note", ""),
        source=row["source"],
        checked=row.get("checked", checked),
    )


def _price(row: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(row[name]) if name in row else None
