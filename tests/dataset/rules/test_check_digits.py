from __future__ import annotations

import pytest

from lib.dataset.rules.check_digits import IBAN_LENGTHS, iban_at_start, iban_holds, is_card, luhn_holds


def test_check_digits_of_cards() -> None:
    assert luhn_holds("4111111111111111")
    assert not luhn_holds("4111111111111121")
    assert not luhn_holds("0000000000000000")


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "3056 930902 5904", "6011-1111-1111-1117"])
def test_cards_of_the_large_networks(number: str) -> None:
    assert is_card(number)


@pytest.mark.parametrize("number", ["1111111111111117", "411111111111111", "4111111111111112", "9999999999999995"])
def test_other_numbers_are_no_cards(number: str) -> None:
    assert not is_card(number)


def test_check_digits_of_accounts() -> None:
    assert iban_holds("DE89370400440532013000")
    assert not iban_holds("DE88370400440532013000")
    assert not iban_holds("DE893704004405320130"), "too short for Germany"
    assert not iban_holds("XX89370400440532013000"), "no country"
    assert len(IBAN_LENGTHS) > 70


def test_where_an_account_ends() -> None:
    assert iban_at_start("DE89 3704 0044 0532 0130 00 PAID") == 27
    assert iban_at_start("DE893704004405320130") == 0
    assert iban_at_start("paid") == 0
