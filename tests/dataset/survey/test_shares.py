"""Shares given out from both ends are all lines, each once, whoever is faster."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.jsonl import Lines
from lib.dataset.survey.shares import Share, Shares


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    most=st.integers(1, 12),
    most_bytes=st.integers(1, 90),
    turns=st.lists(st.booleans(), max_size=100),
)
def test_every_line_is_given_out_once_whoever_asks(
    sizes: list[int], most: int, most_bytes: int, turns: list[bool]
) -> None:
    shares = Shares(Lines.of([b"x" * size for size in sizes]), most, most_bytes)
    front: list[Share] = []
    back: list[Share] = []
    for from_front in turns:
        share = shares.from_front() if from_front else shares.from_back()
        if share is not None:
            (front if from_front else back).append(share)
    while (share := shares.from_front()) is not None:
        front.append(share)
    assert shares.from_back() is None
    assert [place for share in [*front, *reversed(back)] for place in range(*share)] == list(range(len(sizes)))
    assert shares.met == front[-1][1]
    assert shares.given == len(sizes)
    assert all(ended - begun <= most for begun, ended in [*front, *back])


def test_after_closing_nothing_is_given_out() -> None:
    shares = Shares(Lines.of([b"x"] * 10), 2, 100)
    assert shares.from_front() == (0, 2)
    shares.close()
    assert (shares.from_front(), shares.from_back()) == (None, None)


def test_the_back_leaves_a_line_to_the_front() -> None:
    assert Shares(Lines.of([b"x"]), 5, 100).from_back() is None
