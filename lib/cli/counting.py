"""How a command counts tokens: with the encoding and the limit of a model of the catalog. Knows no file."""

from __future__ import annotations

from lib.catalog.models import Model, find
from lib.tokens.batch import BatchCounter, batch_counter

# Where no model is named, tokens are those of the hosted models that can be tuned today; all of them count alike.
USUAL_MODEL = "gpt-4.1-mini-2025-04-14"


def counting_model(model_id: str | None) -> Model:
    """The model that is meant, or the usual one. Raises UnknownModel."""
    return find(USUAL_MODEL if model_id is None else model_id)


def model_and_counter(model_id: str | None) -> tuple[Model, BatchCounter]:
    """A model and what counts as it does. Raises UnknownModel, and EncodingUnavailable without its encoding."""
    model = counting_model(model_id)
    return model, batch_counter(model.encoding)
