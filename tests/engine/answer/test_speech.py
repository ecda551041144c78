"""From bytes to text: whole characters, and stop texts wherever the tokens are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.speech import Speech


def said(pieces: list[bytes], stops: list[str]) -> tuple[list[str], bool]:
    speech = Speech(stops)
    texts = []
    for piece in pieces:
        texts.append(speech.hear(piece))
        if speech.stopped:
            break
    return [*texts, speech.end()], speech.stopped


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.text(), st.lists(st.integers(0, 200)))
def test_pieces_are_whole_characters_and_add_up(text: str, places: list[int]) -> None:
    texts, stopped = said(cut(text.encode(), places), [])
    assert "".join(texts) == text
    assert not stopped


@given(st.text("ab"), st.lists(st.text("ab", min_size=1, max_size=4), max_size=4), st.lists(st.integers(0, 60)))
def test_it_ends_before_the_first_stop(text: str, stops: list[str], places: list[int]) -> None:
    found = [text.find(stop) for stop in stops if stop in text]
    texts, stopped = said(cut(text.encode(), places), stops)
    assert stopped == bool(found)
    whole = "".join(texts)
    assert text.startswith(whole)
    if found:
        # A longer stop may begin earlier than the one that was complete first.
        assert any(text[len(whole) :].startswith(stop) for stop in stops)
    else:
        assert whole == text


def test_a_character_in_two_tokens_comes_once_it_is_whole() -> None:
    speech = Speech([])
    assert [speech.hear(part) for part in (b"a\xf0\x9f", b"\x8e", b"\xb9b")] == ["a", "", "🎹b"]


def test_bytes_that_are_no_text_become_the_replacement_character() -> None:
    assert "".join(said([b"a", b"\xff", b"b", b"\xf0\x9f"], [])[0]) == "a�b�"


@pytest.mark.parametrize(
    ("pieces", "texts"),
    [
        ([b"one", b" S", b"TOP two"], ["one", " ", "", ""]),
        ([b"one S", b"TO", b"X"], ["one ", "", "STOX", ""]),
        ([b"one S"], ["one ", "S"]),
    ],
)
def test_the_beginning_of_a_stop_is_held_back_until_it_is_clear(pieces: list[bytes], texts: list[str]) -> None:
    assert said(pieces, ["STOP"])[0] == texts
