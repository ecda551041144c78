"""Thinning keeps what a person would look for; smoothing neither starts low nor fills gaps."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.runs.series import Point, Series, default_smoothing, downsample, smoothed

values = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan))
curves = st.lists(values, max_size=400).map(lambda found: tuple(Point(at, value) for at, value in enumerate(found)))


@given(curves, st.integers(8, 60))
def test_downsampling_keeps_ends_extremes_and_a_gap(points: Series, limit: int) -> None:
    kept = downsample(points, limit)
    assert len(kept) <= max(limit, 8)
    assert set(kept) <= set(points) or any(not point.measured for point in points)
    assert [point.step for point in kept] == sorted({point.step for point in kept})
    if points:
        assert (kept[0].step, kept[-1].step) == (points[0].step, points[-1].step)
    measured = [point.value for point in points if point.measured]
    if measured:
        assert max(point.value for point in kept if point.measured) == max(measured)
        assert min(point.value for point in kept if point.measured) == min(measured)
    assert any(not point.measured for point in kept) == any(not point.measured for point in points)


def test_a_hundred_thousand_points_become_two_thousand_with_every_spike() -> None:
    chance = random.Random(1)
    points = [Point(step, 2.0 / step**0.2 + chance.gauss(0, 0.01)) for step in range(1, 100_001)]
    spikes = chance.sample(range(1000, 99_000), 20)
    for at in spikes:
        points[at] = Point(at + 1, 50.0 + at)
    kept = downsample(tuple(points))
    assert len(kept) <= 2_000
    assert {at + 1 for at in spikes} <= {point.step for point in kept}


def test_few_points_are_left_alone() -> None:
    points = tuple(Point(step, 1.0) for step in range(2_000))
    assert downsample(points) is points


def test_a_limit_that_cannot_keep_the_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="7 points"):
        downsample((), 7)


def test_smoothing_starts_at_the_first_value_and_not_below_it() -> None:
    flat = tuple(Point(step, 3.0) for step in range(50))
    assert all(point.value == pytest.approx(3.0) for point in smoothed(flat, 0.9))


def test_smoothing_keeps_gaps_and_goes_on_after_them() -> None:
    points = (Point(1, 2.0), Point(2, math.nan), Point(3, 2.0))
    result = smoothed(points, 0.5)
    assert not result[1].measured
    assert result[2].value == pytest.approx(2.0)


def test_no_smoothing_changes_nothing() -> None:
    points = (Point(1, 2.0), Point(2, 5.0))
    assert smoothed(points, 0.0) == points


def test_default_smoothing_is_none_for_short_curves_and_bounded_for_long_ones() -> None:
    assert default_smoothing(99) == 0.0
    assert 0 < default_smoothing(100) < default_smoothing(500) <= default_smoothing(1_000_000) <= 0.9
