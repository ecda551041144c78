"""Counters for tests: any function from a text to a number, where the survey wants a counter."""

from __future__ import annotations

from collections.abc import Callable

from lib.tokens.batch import BatchCounter


class Counted(BatchCounter):
    """Counts with the given function instead of an encoding."""

    def __init__(self, count: Callable[[str], int]) -> None:
        self.name = "counted"
        self.count = count
        self._fast = None


def words() -> BatchCounter:
    """Every word is a token."""
    return Counted(lambda text: len(text.split()))


def letters() -> BatchCounter:
    """Every character is a token."""
    return Counted(len)
