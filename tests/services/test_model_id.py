"""Model ids as people write them: read, objected to, and near misses named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.services import model_id

BASE = "gpt-4.1-mini-2025-04-14"


@pytest.mark.parametrize(
    "good",
    [
        BASE,
        f"ft:{BASE}:acme:tone:AbCdEfGh",
        f"ft:{BASE}:acme::AbCdEfGh",
        f"ft:{BASE}:personal::AbCdEfGh:ckpt-step-40",
        f"{BASE}.ft-0123456789abcdef",
        "meta-llama/Llama-3.1-8B-Instruct",
        "llama3:8b",
    ],
)
def test_ids_that_services_give_are_not_objected_to(good: str) -> None:
    assert model_id.objection(good) is None
    assert good in model_id.reading(good)


def test_a_fine_tune_is_read_with_its_base() -> None:
    assert model_id.reading(f"ft:{BASE}:a::b").endswith(f"a fine-tune of {BASE}.")
    assert "checkpoint" in model_id.reading(f"ft:{BASE}:a::b:ckpt-step-3")
    assert "base model" in model_id.reading(BASE)


def test_shutdown_dates_are_the_catalog_s() -> None:
    listed = model_id.listed_shutdown(f"ft:{BASE}:a::b", "openai")
    assert listed is not None
    assert listed[0].year == 2027
    assert model_id.listed_shutdown("nobody-knows-this", "openai") is None
    assert model_id.listed_shutdown("ft:", "openai") is None


@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_no_text_is_too_strange_to_be_read(text: str, visible: list[str]) -> None:
    for written in (text, f"ft:{text}", f"{text}:ckpt-step-1", f"{text}.ft-{text}"):
        model_id.objection(written)
        assert model_id.reading(written).endswith(".")
        sentence, todo = model_id.missing(written, visible, "It")
        assert sentence.endswith(".")
        assert todo
        model_id.listed_shutdown(written, "openai")
