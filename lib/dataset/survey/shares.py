"""The lines of a file that nobody has gone through yet. One takes from the front, another may take from the back.

Both may do so at the same time, until they meet. Knows numbers of lines only.
"""

from __future__ import annotations

from threading import Lock

from lib.dataset.jsonl import Lines

Share = tuple[int, int]


class Shares:
    """All lines, to be given out in shares from `begun` to before `ended`: of so many lines and bytes at most."""

    def __init__(self, lines: Lines, most: int, most_bytes: int) -> None:
        self._lines = lines
        self._most = most
        self._most_bytes = most_bytes
        self._front = 0
        self._back = len(lines)
        self._lock = Lock()

    @property
    def met(self) -> int:
        """Where the one from the front stands: at the end, where it meets the other."""
        return self._front

    @property
    def given(self) -> int:
        """How many lines were given out."""
        return self._front + len(self._lines) - self._back

    def from_front(self) -> Share | None:
        """The next share from the front; None when there is nothing left."""
        with self._lock:
            begun = self._front
            if begun == self._back:
                return None
            self._front = self._lines.reach(begun, min(begun + self._most, self._back), self._most_bytes)
            return begun, self._front

    def from_back(self) -> Share | None:
        """The next share from the back. One line at least is left to the front, which thus never finds nothing."""
        with self._lock:
            ended = self._back
            # Smaller ones towards the end, so that neither waits long for the other.
            begun = max(self._front + 1, ended - self._most, self._front + (ended - self._front) // 2)
            if begun >= ended:
                return None
            self._back = begun
            return begun, ended

    def close(self) -> None:
        """Give out nothing any more."""
        with self._lock:
            self._back = self._front
