from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from lib.catalog.models import Model, find, models
from lib.cost import estimate, price


@pytest.mark.parametrize(
    ("tokens", "per_million", "usd"),
    [
        (300_000, "25.00", "7.50"),
        (300_000, "5.00", "1.50"),
        (300_000, "3.00", "0.90"),
        (0, "25.00", "0.00"),
        (145_983, "8.00", "1.17"),
        (600, "25.00", "0.02"),  # 1.5 cents: half a cent goes up
        (200, "25.00", "0.01"),
        (199, "25.00", "0.00"),
    ],
)
def test_money_is_exact_to_the_cent(tokens: int, per_million: str, usd: str) -> None:
    assert str(price(tokens, Decimal(per_million))) == usd


def test_epochs_follow_the_default_rule_and_say_so() -> None:
    told = estimate(find("gpt-4.1-mini"), 10, 1000, None)
    assert (told.epochs, told.training_tokens) == (10, 10_000)
    assert "10 epochs for 10 examples" in told.notes[0]


def test_chosen_epochs_are_taken_and_not_explained_as_a_rule() -> None:
    told = estimate(find("gpt-3.5-turbo"), 103, 48_661, 3)
    assert (told.training_tokens, told.usd) == (145_983, Decimal("1.17"))
    assert not any("follow the rule" in note for note in told.notes)


def test_the_notes_tell_the_date_of_the_price_and_the_end_of_the_model() -> None:
    notes = " ".join(estimate(find("gpt-4.1-mini"), 100, 1000, 3, today=date(2026, 11, 21)).notes)
    assert "prices were checked on 2026-11-21" in notes
    assert "This base model and its fine-tunes are shut down on 2027-01-14." in notes
    assert "would live 54 days" in notes
    assert "last day on which a job can be created is 2027-01-05" in notes


def test_a_model_whose_days_are_over_is_called_so() -> None:
    notes = " ".join(estimate(find("gpt-3.5-turbo"), 100, 1000, 3, today=date(2026, 11, 21)).notes)
    assert "New jobs ended on 2026-10-22." in notes
    assert "This base model and its fine-tunes were shut down on 2026-10-23." in notes
    assert "would live" not in notes


def test_the_end_of_a_base_is_told_where_nothing_is_known_of_its_fine_tunes() -> None:
    notes = " ".join(estimate(find("o4-mini", "azure"), 100, 1000, 3, today=date(2026, 10, 1)).notes)
    assert "This base model is shut down on 2026-10-16." in notes
    assert "Its fine-tunes" not in notes
    over = " ".join(estimate(find("o4-mini", "azure"), 100, 1000, 3, today=date(2026, 11, 21)).notes)
    assert "This base model was shut down on 2026-10-16." in over


def test_this_machine_is_free() -> None:
    told = estimate(find("etude-tiny"), 240, 10_000, 3)
    assert told.usd == 0
    assert "costs nothing" in " ".join(told.notes)


@pytest.mark.parametrize("model", models(), ids=lambda model: f"{model.service}-{model.id}")
def test_every_model_has_an_estimate_with_its_date(model: Model) -> None:
    told = estimate(model, 100, 1_000_000, 2)
    assert told.price_date == model.checked
    assert (told.usd is None) == (model.training_price is None)
    if model.training_price is not None:
        assert told.usd == 2 * model.training_price


def test_an_estimate_becomes_json_with_money_as_text() -> None:
    told = estimate(find("gpt-4.1"), 100, 100_000, 3).as_json()
    assert json.loads(json.dumps(told)) == told
    assert (told["usd"], told["price_date"]) == ("7.50", "2026-11-21")
    unknown = estimate(replace(find("gpt-4.1"), training_price=None), 100, 100_000, 3).as_json()
    assert unknown["usd"] is None
