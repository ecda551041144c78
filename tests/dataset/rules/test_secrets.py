from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


# Written in two halves, so that no scanner takes this file for a leak.
SECRETS = {
    "api_key": [
        "sk-proj-" + "abcDEF0123456789abcDEF01",
        "AKIA" + "IOSFODNN7ABCDEFG",
        "ghp_" + "a1B2" * 9,
        "hf_" + "aB3d" * 9,
    ],
    "access_token": ["eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".abcDEF012345_-x"],
    "private_key": ["-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA " + "PRIVATE KEY-----"],
    "password_in_address": ["postgres://ann:" + "s3cret@db.acme.io/x"],
    "email": ["ann.smith+x@mail.acme.co.uk"],
    "card_number": ["4111 1111 1111 1111", "5500-0000-0000-0004", "3782 822463 10005"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "phone": ["+49 30 1234567", "+1 (415) 555-2671"],
}
CASES = [(code, text) for code, texts in SECRETS.items() for text in texts]


@pytest.mark.parametrize(("code", "text"), CASES)
def test_a_secret_is_found_and_masked_and_the_rest_stays(code: str, text: str) -> None:
    told = f"Please note: {text}, thank you."
    assert [kind.code for kind, _, _ in find(told)] == [code]
    hidden = masked(told)
    assert text not in hidden
    assert hidden.startswith("Please note: [")
    assert hidden.endswith("thank you.")
    assert list(find(hidden)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111 1111 1111 1112 was sent.",
        "DE00 3704 0044 0532 0130 00",
        "Write to me@example.com or root@localhost.",
        "The year 2026, room 1234, 3.14159265358979",
        "ask-me-about-the-long-hyphenated-word-here",
        "call 12345 or use x@y",
        "1000 0000 0000 0000",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert list(find(text)) == []
    assert masked(text) == text


def test_check_digits() -> None:
    assert luhn_holds("4111111111111111")
    assert not luhn_holds("4111111111111121")
    assert iban_holds("DE89370400440532013000")
    assert not iban_holds("DE88370400440532013000")


@pytest.mark.parametrize(
    "text", ["a." * 20_000, "a@" * 20_000, "4111 " * 20_000, "+1 2" * 20_000, "eyJ" * 20_000, "AB12 " * 20_000]
)
def test_no_text_makes_the_search_slow(text: str) -> None:
    begun = time.process_time()
    list(find(text))
    assert time.process_time() - begun < 2, "a search that grows with the square would take minutes"


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_masking_twice_is_masking_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)
