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
Trained = Literal["supervised", "dpo"]
Epochs = Auto | Annotated[int, Meta(ge=1, le=50)]
BatchSize = Auto | Annotated[int, Meta(ge=1, le=256)]
Multiplier = Auto | Annotated[float, Meta(gt=0)]
Beta = Auto | Annotated[float, Meta(gt=0, le=2)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=MOST_PAIRS)
]
NAMES = ("n_epochs", "batch_size", "learning_rate_multiplier")
NOT_HERE = (
    "Method 'reinforcement' is not available on this server: it learns from graders that score sampled answers, and "
    "this server runs none. It trains with 'supervised' and 'dpo'. Choose one of these, or another service."
)


class Hyperparameters(Struct):
    n_epochs: Epochs | UnsetType = UNSET
    batch_size: BatchSize | UnsetType = UNSET
    learning_rate_multiplier: Multiplier | UnsetType = UNSET


class OwnHyperparameters(Hyperparameters):
    """Those of a method. `weights` is this server's own: what of a model is trained; OpenAI ignores it."""

    weights: Literal["lora", "full"] | UnsetType = UNSET


class DpoHyperparameters(OwnHyperparameters):
    beta: Beta | UnsetType = UNSET


class Supervised(Struct):
    hyperparameters: OwnHyperparameters | UnsetType = UNSET


class Dpo(Struct):
    hyperparameters: DpoHyperparameters | UnsetType = UNSET


class Method(Struct):
    type: Literal["supervised", "dpo", "reinforcement"]
    supervised: Supervised | UnsetType = UNSET
    dpo: Dpo | UnsetType = UNSET
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


def asked_for(request: JobRequest) -> tuple[Trained, dict[str, Any]]:
    """The method, and its hyperparameters as asked for: "auto" where nothing was said, `weights` only if something was.

    What stands under the method counts; without that the deprecated `hyperparameters` beside it.
    Raises Rejected (400) for a method that cannot be trained here, and for integrations, which would send data away.
    """
    if request.integrations:
        raise invalid(
            "integrations",
            "Integrations are not available on this server: it sends nothing to other services. Leave the field out.",
            code="unsupported_value",
        )
    method = request.method
    given: Hyperparameters | UnsetType = request.hyperparameters
    if method is UNSET:
        return "supervised", _whole(given, NAMES)
    if method.type == "reinforcement":
        raise invalid("method.type", NOT_HERE, code="unsupported_value")
    for other in ("supervised", "dpo", "reinforcement"):
        if other != method.type and getattr(method, other) is not UNSET:
            raise invalid(f"method.{other}", f"'method.{other}' does not belong to the method '{method.type}'.")
    own = method.supervised if method.type == "supervised" else method.dpo
    if own is not UNSET and own.hyperparameters is not UNSET:
        given = own.hyperparameters
    return method.type, _whole(given, NAMES if method.type == "supervised" else (*NAMES, "beta"))


def _whole(given: Hyperparameters | UnsetType, names: tuple[str, ...]) -> dict[str, Any]:
    said = {} if given is UNSET else msgspec.to_builtins(given)
    return dict.fromkeys(names, "auto") | said
