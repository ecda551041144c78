"""The estimate of the time left, on a clock of its own."""

from __future__ import annotations

from lib.engine.train.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def left(seconds_a_unit: list[float], total: float, work: float = 10.0) -> list[float]:
    clock = Clock()
    pace = Pace(total, clock)
    estimates = []
    for seconds in seconds_a_unit:
        clock.now += seconds * work
        estimates.append(pace.step(work))
    return estimates


def test_at_an_even_pace_it_is_exact() -> None:
    estimates = left([0.5] * 10, 100.0)
    assert [round(estimate, 6) for estimate in estimates] == [45.0, 40, 35, 30, 25, 20, 15, 10, 5, 0]


def test_the_first_slow_step_is_forgotten() -> None:
    assert abs(left([5.0, 0.5, 0.5], 100.0)[-1] - 35.0) < 1e-6


def test_it_follows_a_machine_that_becomes_slower() -> None:
    assert left([0.1] * 100 + [0.2] * 200, 10_000.0)[-1] > 0.95 * 0.2 * 7000


def test_more_work_than_expected_is_never_a_negative_time() -> None:
    assert left([0.5] * 5, 20.0)[-1] == 0.0
