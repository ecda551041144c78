from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lib.catalog.models import Model, base_of, find, models
from lib.errors import UnknownModel

ALL = models()


@pytest.mark.parametrize("model", ALL, ids=lambda model: f"{model.service}-{model.id}")
def test_every_row_is_whole(model: Model) -> None:
    assert model.service in ("embedded", "openai", "azure", "nebius")
    assert model.methods
    assert set(model.methods) <= {"supervised", "dpo", "reinforcement"}
    assert model.encoding in ("o200k_base", "cl100k_base", "etude_4k")
    assert model.source
    assert model.checked >= date(2026, 11, 21)
    for price in (model.training_price, model.input_price, model.cached_price, model.output_price):
        assert price is None or (isinstance(price, Decimal) and price >= 0)
    assert model.training_price is not None or model.note, "a price that is not known is explained"
    if model.base_shutdown and model.trainable_until:
        assert model.trainable_until <= model.base_shutdown


def test_every_id_and_alias_finds_its_row_on_its_service() -> None:
    for model in ALL:
        for name in (model.id, *model.aliases):
            assert find(name, model.service) == model


def test_no_id_or_alias_stands_twice_on_one_service() -> None:
    names = [(model.service, name) for model in ALL for name in (model.id, *model.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("model_id", "base"),
    [
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
        ("ft:gpt-4.1-mini-2025-04-14:acme::9al2gCXA", "gpt-4.1-mini-2025-04-14"),
        ("ft:gpt-3.5-turbo-0125:personal:drone:9al2gCXA:ckpt-step-88", "gpt-3.5-turbo-0125"),
        ("gpt-4.1-mini-2025-04-14.ft-0123abcd", "gpt-4.1-mini-2025-04-14"),
        ("gpt-4.1-mini-2025-04-14.ft-0123abcd-routing", "gpt-4.1-mini-2025-04-14"),
        ("ft:etude-tiny-2026-11-21:etude:tone:0a1b2c3d", "etude-tiny-2026-11-21"),
        ("etude-tiny:ckpt-step-3", "etude-tiny"),
        ("meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
    ],
)
def test_the_base_of_an_id(model_id: str, base: str) -> None:
    assert base_of(model_id) == base


def test_a_fine_tune_of_gpt_41_counts_in_the_encoding_of_its_base() -> None:
    assert find("ft:gpt-4.1-2025-04-14:acme::x").encoding == "o200k_base"


def test_azures_form_of_an_id_is_azures() -> None:
    assert find("gpt-4.1-mini-2025-04-14.ft-0123").service == "azure"
    assert find("gpt-4.1-mini-2025-04-14").service == "openai"


def test_the_prices_of_the_models_that_can_still_be_tuned() -> None:
    prices = {model.id: model.training_price for model in models("openai") if model.base_shutdown == date(2027, 1, 14)}
    assert prices == {
        "gpt-4.1-2025-04-14": Decimal(25),
        "gpt-4.1-mini-2025-04-14": Decimal(5),
        "gpt-4o-2024-08-06": Decimal(25),
        "gpt-4o-mini-2024-07-18": Decimal(3),
    }


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownModel, match=r"Did you mean gpt-4\.1-mini\?"):
        find("gpt-4.1-mni")
    with pytest.raises(UnknownModel, match="Known are"):
        find("zzzzzzzzzz")
    with pytest.raises(UnknownModel):
        find("")
