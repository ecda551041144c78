"""The scan passes over no text in which a rule could find something: words and shapes are those of the rules."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.examine import TEXT_RULES
from lib.dataset.rules.case import SHAPES, TextRule
from lib.dataset.survey.scan import Scanner

SCANNER = Scanner(TEXT_RULES)
WORDS = sorted({word for rule in TEXT_RULES for word in rule.words})
pieces = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(["1234", "123", "12", " ", "-", ".", "+", "(", "+1", "AB", "DE89", "DE", "é", "本", "\x00", "\n"]),
    st.text(max_size=6),
)
texts = st.lists(pieces, max_size=8).map("".join)


@given(st.lists(texts, max_size=6))
@settings(max_examples=400, deadline=None)
def test_the_scan_suspects_exactly_what_the_rules_may_find(held: list[str]) -> None:
    encoded = [text.encode("utf-8", "surrogatepass") for text in held]
    wanted = {
        index: {at for at, rule in enumerate(TEXT_RULES) if rule.may_find(text)} for index, text in enumerate(held)
    }
    assert SCANNER.suspects(encoded) == {index: which for index, which in wanted.items() if which}


def test_nothing_is_found_across_two_texts() -> None:
    scanner = Scanner([TextRule(lambda case: iter(()), words=("ab",), shapes=tuple(SHAPES))])
    assert scanner.suspects([b"a", b"b", b"1234", b"5678", b"+", b"1", b"DE", b"89ABCD"]) == {}
    assert scanner.suspects([b"xab", b"12345678"]) == {0: {0}, 1: {0}}


def test_no_texts_and_empty_texts_are_no_suspects() -> None:
    assert SCANNER.suspects([]) == {}
    assert SCANNER.suspects([b""]) == {}
    assert SCANNER.suspects([b"", b""]) == {}
