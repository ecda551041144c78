"""Numbers, money and days as the screen writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lib.ui.figures import day, number_of, numbers_of, price, usd


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "not known"),
        (Decimal(0), "free"),
        (Decimal("0.004"), "under $0.01"),
        (Decimal("0.005"), "$0.01"),
        (Decimal("0.125"), "$0.13"),
        (Decimal("1234.5"), "$1,234.50"),
    ],
)
def test_money_is_shown_to_the_cent_and_never_as_nothing_when_it_is_something(
    amount: Decimal | None, shown: str
) -> None:
    assert usd(amount) == shown
    assert usd(Decimal("0.00"), free=False) == "under $0.01"


def test_a_price_keeps_the_digits_it_was_quoted_with() -> None:
    assert [price(Decimal(text)) for text in ("1.875", "5.00", "0")] == ["$1.875", "$5.00", "free"]
    assert price(None) == "not known"


def test_days_have_their_year_and_counts_their_noun() -> None:
    assert day(date(2027, 1, 4)) == "4 Jan 2027"
    assert day(None) == ""
    assert numbers_of({"added": 0, "removed": 1, "changed": 2400}, none="no example") == "1 removed, 2,400 changed"
    assert numbers_of({"added": 0}, none="no example") == "no example"
    assert [number_of(1, "example"), number_of(2400, "example")] == ["1 example", "2,400 examples"]
