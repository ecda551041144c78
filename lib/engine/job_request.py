"""What a request for a fine-tuning job may say, and its bounds. Source: OpenAI's OpenAPI document of 2026-08-21.

Fields that the document does not know are ignored, as OpenAI does. Knows no file and no model.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.protocol import invalid

MOST_PAIRS = 16

Auto = Literal["auto"]
Epochs = Auto | Annotated[int, Meta(ge=1, le=50)]
BatchSize = Auto | Annotated[int, Meta(ge=1, le=256)]
Multiplier = Auto | Annotated[float, Meta(gt=0)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=MOST_PAIRS)
]
NAMES = ("n_epochs", "batch_size", "learning_rate_multiplier")


class Hyperparameters(Struct):
    n_epochs: Epochs | UnsetType = UNSET
    batch_size: BatchSize | UnsetType = UNSET
    learning_rate_multiplier: Multiplier | UnsetType = UNSET


class Supervised(Struct):
    hyperparameters: Hyperparameters | UnsetType = UNSET


class Method(Struct):
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | UnsetType = UNSET
    dpo: dict[str, Any] | UnsetType = UNSET
    reinforcement: dict[str, Any] | UnsetType = UNSET


class Wandb(Struct):
    project: str
    name: str | None = None
    entity: str | None = None
    tags: list[str] | UnsetType = UNSET


class Integration(Struct):
    type: Literal["wandb"]
    wandb: Wandb


class JobRequest(Struct):
    """The body of POST /v1/fine_tuning/jobs."""

    model: str
    training_file: str
    validation_file: str | None = None
    hyperparameters: Hyperparameters | UnsetType = UNSET
    method: Method | UnsetType = UNSET
    suffix: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2147483647)] | None = None
    metadata: Metadata | None = None
    integrations: Annotated[list[Integration], Meta(max_length=5)] | None = None


def asked_for(request: JobRequest) -> dict[str, Any]:
    """n_epochs, batch_size and learning_rate_multiplier as asked for, "auto" where nothing was said.

    Raises Rejected (400) for a method that cannot be trained here, and for integrations, which would send data away.
    """
    if request.integrations:
        raise invalid(
            "integrations",
            "Integrations are not available on this server: it sends nothing to other services. Leave the field out.",
            code="unsupported_value",
        )
    given = request.hyperparameters
    if request.method is not UNSET:
        if request.method.type != "supervised":
            raise invalid(
                "method.type",
                f"Method '{request.method.type}' is not available on this server, which trains with 'supervised'. "
                "Choose that method, or another service.",
                code="unsupported_value",
            )
        for other in ("dpo", "reinforcement"):
            if getattr(request.method, other) is not UNSET:
                raise invalid(f"method.{other}", f"'method.{other}' does not belong to the method 'supervised'.")
        if request.method.supervised is not UNSET and request.method.supervised.hyperparameters is not UNSET:
            given = request.method.supervised.hyperparameters
    said = {} if given is UNSET else msgspec.to_builtins(given)
    return {name: said.get(name, "auto") for name in NAMES}
