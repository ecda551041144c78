"""How far a file is on its way in, and how long the rest takes: measured, not promised.

Every stage has a cost for each byte, in any unit; what they really take is learned from the stage that is under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

# Below this much of a stage nothing is said about the time that is left.
ENOUGH_SECONDS, ENOUGH_SHARE = 1.0, 0.02

# What the stages cost for a byte, against each other. Reading a sheet takes longer than that, which its own pace shows.
COPY, READ, CONVERT, CHECK, KEEP = 1, 1, 8, 12, 1


@dataclass(frozen=True, slots=True)
class Progress:
    """`stage` says in plain words what is done now. `done` and `total` count in `unit` ("bytes" or "lines") within it.

    `share` is that of the whole way, from 0 to 1; `seconds_left` is an estimate for the rest of it, None when it is too
    early to tell.
    """

    stage: str
    done: int = 0
    total: int = 0
    unit: str = "bytes"
    share: float = 0.0
    seconds_left: float | None = None


class Pace:
    """Follows one arrival and tells `told` how far it is."""

    def __init__(self, told: Callable[[Progress], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._told = told
        self._monotonic = monotonic
        self._behind = self._stage = self._ahead = 0.0
        self._name, self._unit = "", "bytes"
        self._begun = 0.0
        self._share = 0.0

    def expect(self, cost: float) -> None:
        """So much is to be done after the stage that is under way."""
        self._ahead = cost

    def begin(self, stage: str, cost: float, unit: str = "bytes") -> None:
        """The next stage begins; its cost is part of what was expected."""
        self._behind += self._stage
        self._stage, self._ahead = cost, max(0.0, self._ahead - cost)
        self._name, self._unit = stage, unit
        self._begun = self._monotonic()
        self.at(0, 0)

    def at(self, done: int, total: int) -> None:
        """So much of the stage is done."""
        part = min(1.0, done / total) if total else 0.0
        whole = self._behind + self._stage + self._ahead
        # More may turn out to be to do; a bar that goes back would say that something was lost.
        self._share = max(self._share, (self._behind + self._stage * part) / whole if whole else 0.0)
        elapsed = self._monotonic() - self._begun
        left = None
        if self._stage and elapsed >= ENOUGH_SECONDS and part >= ENOUGH_SHARE:
            left = elapsed / (part * self._stage) * ((1 - part) * self._stage + self._ahead)
        self._told(Progress(self._name, done, total, self._unit, self._share, left))
