"""Pace: how far it is never goes back, and the time that is left follows from what was measured."""

from __future__ import annotations

from lib.dataset.arrival.pace import Pace, Progress


class Clock:
    """A clock that stands still until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_from_the_pace_of_the_stage() -> None:
    heard: list[Progress] = []
    clock = Clock()
    pace = Pace(heard.append, clock)
    pace.expect(100)
    pace.begin("Copying a", 20)
    pace.at(10, 20)
    assert heard[-1] == Progress("Copying a", 10, 20, "bytes", 0.1, None)
    clock.now += 5
    pace.at(10, 20)
    assert heard[-1].seconds_left == 45.0
    pace.begin("Checking a", 80, "lines")
    assert heard[-1] == Progress("Checking a", 0, 0, "lines", 0.2, None)
    clock.now += 20
    pace.at(1, 4)
    assert (heard[-1].share, heard[-1].seconds_left) == (0.4, 60.0)
    pace.at(4, 4)
    assert (heard[-1].share, heard[-1].seconds_left) == (1.0, 0.0)


def test_more_to_do_than_was_expected_does_not_take_the_bar_back() -> None:
    heard: list[Progress] = []
    pace = Pace(heard.append, Clock())
    pace.expect(10)
    pace.begin("Reading a", 10)
    pace.at(5, 10)
    pace.expect(1000)
    pace.begin("Converting a", 500)
    shares = [one.share for one in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 0.5


def test_nothing_to_do_is_no_division_by_nothing() -> None:
    heard: list[Progress] = []
    pace = Pace(heard.append, Clock())
    pace.begin("Reading nothing", 0)
    pace.at(0, 0)
    assert heard[-1].share == 0.0
