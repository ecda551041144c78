"""Intervals agree with published ones and say little about little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.playground.interval import wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17, table I: the score method without continuity correction.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_agree_with_the_published_ones(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=5e-5)
    assert wilson(of - right, of) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_few_examples_say_little() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(3, 3)[0] < 0.5
    assert wilson(3, 3)[1] == 1.0


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_in_its_interval(counted: tuple[int, int]) -> None:
    low, high = wilson(*counted)
    assert 0.0 <= low <= counted[0] / counted[1] <= high <= 1.0
