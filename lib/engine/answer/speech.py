"""From the bytes of tokens to pieces of text that can be shown: whole characters, and nothing of a stop text.

It knows bytes and texts, no tokens and no network.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class Speech:
    """The text of one answer as it comes. It ends before the first of the `stops`; `stopped` says that it did."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stopped = False
        self._stops = tuple(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def hear(self, token: bytes) -> str:
        """Take the bytes of one token; the text that is certain now, often nothing or more than the token's own."""
        self._held += self._decoder.decode(token)
        return self._certain()

    def end(self) -> str:
        """The text that was still held back, when no token follows."""
        self._held += self._decoder.decode(b"", final=True)
        rest = self._certain()
        if not self.stopped:
            rest, self._held = rest + self._held, ""
        return rest

    def _certain(self) -> str:
        if self.stopped:
            return ""
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        self.stopped = bool(found)
        keep = min(found) if found else len(self._held) - max(map(self._begun, self._stops), default=0)
        certain, self._held = self._held[:keep], self._held[keep:]
        return certain

    def _begun(self, stop: str) -> int:
        """How many characters at the end could be the beginning of a stop text."""
        longest = min(len(stop) - 1, len(self._held))
        return next((size for size in range(longest, 0, -1) if self._held.endswith(stop[:size])), 0)
