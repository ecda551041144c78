from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lib.catalog.models import find
from lib.ui import data_price, session
from lib.ui.data_work import Work


def work(model: str, service: str, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setattr(session, "service", lambda: SimpleNamespace(kind=service))
    return cast(Work, SimpleNamespace(measure=SimpleNamespace(model=model)))


def test_an_example_is_priced_to_the_last_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    held = work("gpt-4.1-mini", "openai", monkeypatch)
    quoted = find("gpt-4.1-mini", "openai").training_price
    assert quoted is not None
    assert data_price.of_an_example(held, 70) == f"${Decimal(70) * quoted / 1_000_000:f}".rstrip("0")
    assert data_price.of_an_example(held, 20_000_000) == f"${20 * quoted:,.0f}"
    assert "E" not in str(data_price.of_an_example(held, 1))


def test_an_epoch_is_priced_to_the_cent_and_the_price_has_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    held = work("gpt-4.1-mini", "openai", monkeypatch)
    assert data_price.of_an_epoch(held, 1) == "under $0.01"
    assert str(find("gpt-4.1-mini", "openai").checked.year) in data_price.source(held)


def test_this_machine_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    held = work("etude-tiny", "embedded", monkeypatch)
    assert data_price.of_an_example(held, 5000) == data_price.of_an_epoch(held, 10**9) == "free"
    assert data_price.source(held) == "free"


def test_a_price_that_nobody_knows_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown: Any = SimpleNamespace(training_price=None, checked=None)
    monkeypatch.setattr(data_price, "model_of", lambda _: unknown)
    held = work("any", "openai", monkeypatch)
    assert data_price.of_an_example(held, 70) is None
    assert data_price.of_an_epoch(held, 70) is None
    assert "no price known" in data_price.source(held)


def test_a_service_without_models_of_its_own_is_priced_as_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    held = work("gpt-4.1-mini", "other", monkeypatch)
    assert data_price.model_of(held).service == "openai"
