"""All arrivals of one workspace in this process: those under way, and those over that nobody was told of yet.

Here an arrival outlives the page that began it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from lib.dataset.arrival.arrival import OVER, Arrival
from lib.dataset.arrival.given import Given, sweep
from lib.tokens.batch import BatchCounter
from lib.workspace.database import Workspace

# Those over that are remembered for whoever has not looked yet.
MOST_OVER = 20


class Arrivals:
    """Begins arrivals and remembers them until somebody has been told how they ended."""

    def __init__(self, ws: Workspace, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Sweeps what a killed process left on its way in."""
        self._ws = ws
        self._monotonic = monotonic
        self._held: dict[str, Arrival] = {}
        self._lock = threading.Lock()
        sweep(ws.home, ws.clock())

    def begin(
        self,
        given: Sequence[Given],
        *,
        counter: Callable[[], BatchCounter | None] = lambda: None,
        again: bool = False,
    ) -> Arrival:
        """Begin to bring files in."""
        made = Arrival(self._ws, given, counter=counter, again=again, monotonic=self._monotonic)
        with self._lock:
            over = [one.id for one in self._held.values() if one.now.phase in OVER]
            for forgotten in over[:-MOST_OVER]:
                del self._held[forgotten]
            self._held[made.id] = made
        return made.start()

    def all(self) -> tuple[Arrival, ...]:
        """Every arrival that is not forgotten, the oldest first."""
        with self._lock:
            return tuple(self._held.values())

    def find(self, arrival_id: str) -> Arrival | None:
        """The arrival with this id; None when it is forgotten."""
        with self._lock:
            return self._held.get(arrival_id)

    def forget(self, arrival_id: str) -> None:
        """Somebody was told how it ended. One that is under way is stopped."""
        with self._lock:
            held = self._held.pop(arrival_id, None)
        if held is not None and held.now.phase not in OVER:
            held.stop()

    def stop(self) -> None:
        """Stop all that is under way."""
        for one in self.all():
            one.stop()
