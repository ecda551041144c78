"""A curve as points: thinned without losing a peak, a dip or a gap, and smoothed without the bias of its start.

Knows steps and values, nothing of jobs or charts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

LIMIT = 2_000
LEAST_LIMIT = 8
SMOOTHED_FROM = 100
MOST_SMOOTHING = 0.9


class Point(NamedTuple):
    """A value at a step. NaN: something was reported that is not a number; a chart shows a gap and marks it."""

    step: int
    value: float

    @property
    def measured(self) -> bool:
        """Whether the value is a number."""
        return math.isfinite(self.value)


Series = tuple[Point, ...]


def downsample(points: Series, limit: int = LIMIT) -> Series:
    """At most `limit` points (8 or more): first, last, and of each stretch its least, its greatest and a gap."""
    if limit < LEAST_LIMIT:
        raise ValueError(f"{limit} points cannot keep the shape of a curve")
    if len(points) <= limit:
        return points
    each = 2 if all(point.measured for point in points) else 3
    inner = points[1:-1]
    size = math.ceil(len(inner) / ((limit - 2) // each))
    kept = [points[0]]
    for start in range(0, len(inner), size):
        kept.extend(_extremes(inner[start : start + size]))
    kept.append(points[-1])
    return tuple(kept)


def smoothed(points: Series, weight: float) -> Series:
    """An exponential moving average freed of the bias of its start; gaps stay gaps. `weight` is 0 (raw) to below 1.

    For training alone: validation is measured rarely and is never smoothed.
    """
    result: list[Point] = []
    mean, counted = 0.0, 0
    for point in points:
        if point.measured:
            mean, counted = weight * mean + (1 - weight) * point.value, counted + 1
            point = Point(point.step, mean / (1 - weight**counted))
        result.append(point)
    return tuple(result)


def default_smoothing(points: int) -> float:
    """The weight to begin with: none below 100 points, then more for longer curves, at most 0.9."""
    if points < SMOOTHED_FROM:
        return 0.0
    return min(MOST_SMOOTHING, 1.8 * (1 / (1 + math.exp(-0.005 * points)) - 0.5))


def _extremes(stretch: Series) -> list[Point]:
    measured = [point for point in stretch if point.measured]
    kept = {min(measured, key=_height), max(measured, key=_height)} if measured else set()
    gap = next((point for point in stretch if not point.measured), None)
    return sorted(kept if gap is None else {*kept, gap}, key=lambda point: point.step)


def _height(point: Point) -> float:
    return point.value
