"""Which words two texts do not share: joined, the pieces are the texts again, and only what differs is marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.word_difference import MOST_ALIGNED, Piece, around, marked

WORDS = st.lists(st.sampled_from(["a", "bee", " ", "\n", ".", "c1"])).map("".join)


def test_only_the_words_that_differ_are_marked() -> None:
    before, after = marked("It is big and old.", "It is small and old.")
    assert before == [Piece("It is ", False), Piece("big", True), Piece(" and old.", False)]
    assert [piece.text for piece in after if piece.changed] == ["small"]


def test_equal_texts_have_no_mark() -> None:
    assert marked("same", "same") == ([Piece("same", False)], [Piece("same", False)])
    assert marked("", "") == ([], [])


def test_long_texts_without_a_word_in_common_are_one_change() -> None:
    number = int(MOST_ALIGNED**0.5) + 2
    before, after = marked("a " * number, "b " * number)
    assert [piece.changed for piece in before] == [True, False]
    assert "".join(piece.text for piece in after) == "b " * number


def test_what_stays_far_from_a_change_is_cut() -> None:
    before, _ = marked("x " * 100 + "old" + " y" * 100, "x " * 100 + "new" + " y" * 100)
    shown = around(before, 10)
    assert [piece.text for piece in shown] == [" … " + "x " * 5, "old", " y" * 5 + " … "]


@given(WORDS, WORDS)
def test_the_pieces_joined_are_the_texts(before: str, after: str) -> None:
    left, right = marked(before, after)
    assert "".join(piece.text for piece in left) == before
    assert "".join(piece.text for piece in right) == after
    same = ["".join(piece.text for piece in side if not piece.changed) for side in (left, right)]
    assert same[0] == same[1]
