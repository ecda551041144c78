from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.example import content_text, raw_messages
from lib.dataset.rules.secrets import RULES, find, masked
from tests.dataset.rules.corpus import answered, findings
from tests.dataset.rules.planted import clean, planted
from tests.dataset.shared import shared_file

(RULE,) = RULES

# Written in two halves, so that no scanner takes this file for a leak.
SECRETS = {
    "api_key": [
        "sk-proj-" + "abcDEF0123456789abcDEF01",
        "AKIA" + "IOSFODNN7ABCDEFG",
        "ghp_" + "a1B2c3D4e5" * 4,
        "hf_" + "aB3dE6gH9j" * 4,
        "hooks.slack.com/" + "services/T01ABCDEF/B02ABCDEF/a1B2c3D4e5F6g7H8i9J0k1L2",
        "1234567890"[:9] + ":AA" + "Hx3kP9_qWz7-LmN2vB5cX8dF1gJ4hK6sT"[:33],
    ],
    "access_token": ["eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0In0" + ".abcDEF012345_-x"],
    "private_key": ["-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n-----END RSA " + "PRIVATE KEY-----"],
    "password_in_address": ["postgres://ann:" + "s3cret@db.acme.io/x"],
    "email": ["ann.smith+x@mail.acme.co.uk", "müller@firma.de"],
    "card_number": ["4111 1111 1111 1111", "5500-0000-0000-0004", "3782 822463 10005", "4111111111111111"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR14 2004 1010 0505 0001 3M02 606"],
    "phone": [
        "+49 30 1234567",
        "+1 (415) 556-2671",
        "(415) 556-2671",
        "415-556-2671",
        "1-415-556-2671",
        "+442079460123",
    ],
    "social_security_number": ["SSN 536-22-8726"],
}
CASES = [(code, text) for code, texts in SECRETS.items() for text in texts]


@pytest.mark.parametrize(("code", "text"), CASES)
def test_a_secret_is_found_and_masked_and_the_rest_stays(code: str, text: str) -> None:
    told = f"Please note: {text}, thank you."
    assert [kind.code for kind, _, _ in find(told)] == [code]
    assert RULE.may_find(told)
    hidden = masked(told)
    assert text not in hidden
    assert hidden.startswith("Please note: ")
    assert hidden.endswith(", thank you.")
    assert "[" in hidden
    assert list(find(hidden)) == []


def test_what_stands_beside_a_secret_is_no_part_of_it() -> None:
    assert masked("Pay to DE89 3704 0044 0532 0130 00 TODAY please") == "Pay to [IBAN] TODAY please"
    assert masked("API_KEY" + "=a1B2c3D4e5F6g7H8i9J0k1; PORT=80") == "API_KEY=[secret]; PORT=80"
    assert masked('{"a": "http://x.io", "b": "ann@acme.io"}') == '{"a": "http://x.io", "b": "[e-mail]"}'
    assert masked("+442079460123 5500-0000-0000-0004") == "[phone] [card number]"
    assert masked("at http://a:b1c2d3@h.io:80/x?y") == "at [address with password]/x?y"


@pytest.mark.parametrize(
    "text",
    [
        "Order 4111 1111 1111 1112 was sent.",
        "Order number 4111 1111 1111 1111 was sent.",
        "Invoice #4111111111111111",
        "DE00 3704 0044 0532 0130 00",
        "XX89 3704 0044 0532 0130 00",
        "Write to me@example.com or root@localhost.",
        "logo@2x.png, git@github.com:a/b.git, @scope/name, a@b",
        "The year 2026, room 1234, 3.14159265358979",
        "ask-me-about-the-long-hyphenated-word-here-in-2026",
        "sk-your-key-here-1234567890abcdef and sk-xxxxxxxxxxxxxxxxxxxxxxxx1",
        "AKIAIOSFODNN7EXAMPLE",
        "call 12345 or use x@y",
        "1000 0000 0000 0000",
        "postgres://user:password@localhost/db and https://host:8080/@name",
        "call (415) 555-0123 or 415-555-0199",
        "the key is under the mat, the token is gone",
        "request_key=550e8400-e29b-41d4-a716-446655440000",
        "primary_key: customer_order_identifier_2024",
        "078-05-1120 is a sample SSN, 000-12-3456 none, 666-12-3456 none",
        "+1 % and +20 points, 1+1, +123 456",
        "2026-11-25 10:13:00, 192.168.100.200, 12.345.678,90 €, 1-2-3",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert list(find(text)) == []
    assert masked(text) == text


def test_nearly_all_planted_secrets_are_found() -> None:
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for code, secret, text in planted():
        total[code] += 1
        seen = RULE.may_find(text) and code in {kind.code for kind, _, _ in find(text)}
        found[code] += seen and secret not in masked(text)
    assert total.total() >= 300
    assert found.total() >= 0.95 * total.total(), total - found
    assert all(found[code] >= 0.9 * total[code] for code in total), total - found


def test_hardly_any_false_alarm_in_clean_prose() -> None:
    texts = list(clean(3000))
    alarms = [(kind.code, text[start:end]) for text in texts for kind, start, end in find(text)]
    assert len(alarms) <= len(texts) / 1000, alarms


@pytest.mark.parametrize(
    ("name", "telephones"),
    [("toy_chat", 0), ("birds208", 0), ("pirate10", 0), ("drone_tools", 0), ("dpo12", 0), ("nebius800", 1)],
)
def test_no_false_alarm_in_what_people_wrote(name: str, telephones: int) -> None:
    path = shared_file(f"{name}.jsonl")
    found: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        for message in raw_messages(json.loads(line)):
            found.update(kind.code for kind, _, _ in find(content_text(message.get("content"))))
    # One of these conversations gives a number away that has the form of a telephone in Toronto.
    assert found.total() == found["phone"] == telephones


@given(st.lists(st.sampled_from([text for _, text in CASES]) | st.text(max_size=20), max_size=6).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_masking_twice_is_masking_once(text: str) -> None:
    hidden = masked(text)
    assert masked(hidden) == hidden


@given(st.lists(st.sampled_from([text for _, text in CASES]) | st.text(max_size=8), max_size=6).map("".join))
@settings(max_examples=150, deadline=None)
def test_secrets_lie_in_the_text_and_apart(text: str) -> None:
    spans = sorted((start, end) for _, start, end in find(text))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.parametrize("digits", ["+442079460123123456789", "+4420 79460123123456789", "+" + "4" * 30])
def test_more_digits_than_a_telephone_number_has_are_none_and_nothing_is_taken_away(digits: str) -> None:
    for text in (digits, f"Call {digits} now.", f"{digits}:AAHx3kP9_qWz7-LmN2vB5cX8dF1gJ4hK6sT"):
        assert all(0 <= start < end <= len(text) for _, start, end in find(text))
        hidden = masked(text)
        assert hidden == text or hidden.endswith(text[-3:]), hidden


def test_a_finding_names_the_vendor_and_shows_little_of_the_secret() -> None:
    secret = "ghp_" + "a1B2c3D4e5" * 4
    (found,) = findings(answered(f"{secret} and {secret}"))
    assert found.text == "Example 1, message 2 holds a key of GitHub (ghp…e5) and 1 more of the kind."
    assert secret not in found.text
    assert "Names and addresses are not detected" in found.why
