"""How long a training still takes, from how long its steps took.

Work is counted in tokens read for learning; a token only validated costs a third, and each step some tokens more for
the optimizer. It knows amounts of work and a clock, not what the work is.
"""

from __future__ import annotations

from collections.abc import Callable

VALIDATION_COST = 1 / 3
STEP_COST = 40.0

# The latest steps count most, since other programs come and go on the machine.
REMEMBERED_STEPS = 50.0


class Pace:
    """Measures work against time, given the work that is left and a clock in seconds that never goes back."""

    def __init__(self, left: float, clock: Callable[[], float]) -> None:
        self._left = left
        self._clock = clock
        self._since = clock()
        self._seconds = 0.0
        self._work = 0.0
        self._steps = 0

    def step(self, work: float) -> float:
        """Count one more step's work; the seconds that all the rest will take."""
        now = self._clock()
        # The very first step also warms up caches and says little about the others.
        fading = 0.0 if self._steps == 1 else 1 - 1 / REMEMBERED_STEPS
        self._seconds = self._seconds * fading + now - self._since
        self._work = self._work * fading + work
        self._since = now
        self._steps += 1
        self._left = max(0.0, self._left - work)
        return self._left * self._seconds / self._work if self._work else 0.0
