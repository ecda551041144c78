from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.tokens.counting import LONGEST_PIECE, counter
from lib.tokens.encodings import load

NAMES = ["o200k_base", "cl100k_base"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("hello world", 2), ("<|endoftext|>", 7), ("half \ud83d of one", None)]
)
def test_any_text_has_a_count(name: str, text: str, tokens: int | None) -> None:
    counted = counter(name)(text)
    assert counted == tokens if tokens is not None else counted > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_million_equal_characters_are_counted(name: str) -> None:
    assert counter(name)("a" * 1_000_000) == 125_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0"])
def test_more_blanks_than_tiktoken_stands_are_counted(name: str, blank: str) -> None:
    count = counter(name)
    short, long = count(blank * LONGEST_PIECE + "x"), count(blank * (3 * LONGEST_PIECE) + "x")
    assert long == pytest.approx(3 * short, rel=0.001)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_a_count_is_what_tiktoken_says(text: str) -> None:
    assert counter("o200k_base")(text) == len(load("o200k_base").encode_ordinary(text))


@pytest.mark.parametrize("name", NAMES)
def test_a_long_text_counts_the_same_in_pieces(name: str) -> None:
    text = "Some words, 12 numbers;  and\n\nlines of them. " * 30_000
    assert len(text) > 2 * LONGEST_PIECE
    assert counter(name)(text) == len(load(name).encode_ordinary(text))
