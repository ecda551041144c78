"""Answers of several models to the same question, arriving at the same time.

One thread a model talks to its service and writes what came into the workspace, so that nothing is lost when the screen
goes away. Touches no screen: who shows the answers iterates over the texts.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.errors import ServiceError
from lib.playground import conversations
from lib.playground.conversations import Conversation
from lib.playground.talk import ask
from lib.services.connection import Connection
from lib.workspace.database import Workspace

KEEP_SECONDS = 0.5
DRAW_SECONDS = 0.05
SILENT_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Side:
    """Who answers, what is asked, and the turn that the answer goes to."""

    connection: Connection
    model: str
    messages: Sequence[Mapping[str, Any]]
    turn_id: str


class Answers:
    """Iterate for (side, its text so far) until every side has ended; a silent side repeats what it has.

    The repeating lets a screen notice in between that it was told to stop. `stop` ends all sides and keeps what came.
    """

    def __init__(self, ws: Workspace, said: Conversation, sides: Sequence[Side]) -> None:
        self._ws = ws
        self._said = said
        self._pieces: queue.SimpleQueue[tuple[int, str | None]] = queue.SimpleQueue()
        self._answering = [
            ask(one.connection, one.model, one.messages, temperature=said.temperature, max_tokens=said.max_tokens)
            for one in sides
        ]
        self._threads = [
            threading.Thread(target=self._follow, args=(number, side.turn_id), name="answer", daemon=True)
            for number, side in enumerate(sides)
        ]
        for thread in self._threads:
            thread.start()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        texts = [""] * len(self._threads)
        live = set(range(len(self._threads)))
        while live:
            arrived = self._arrived()
            for number, piece in arrived:
                if piece is None:
                    live.discard(number)
                else:
                    texts[number] += piece
            changed = {number for number, piece in arrived if piece is not None}
            yield from ((number, texts[number]) for number in sorted(changed or live))

    def stop(self) -> None:
        """End every answer that is under way and wait until what came is kept."""
        for answering in self._answering:
            answering.stop()
        for thread in self._threads:
            thread.join()

    def _arrived(self) -> list[tuple[int, str | None]]:
        """What came since the last look, nothing after a while of silence."""
        try:
            arrived = [self._pieces.get(timeout=SILENT_SECONDS)]
        except queue.Empty:
            return []
        time.sleep(DRAW_SECONDS)
        while not self._pieces.empty():
            arrived.append(self._pieces.get())
        return arrived

    def _follow(self, number: int, turn_id: str) -> None:
        """Runs in a thread: one answer from its beginning to its end, kept as it grows."""
        answering, kept = self._answering[number], time.monotonic()
        try:
            for piece in answering:
                self._pieces.put((number, piece))
                if time.monotonic() - kept > KEEP_SECONDS:
                    conversations.keep_so_far(self._ws, turn_id, answering.answer.text)
                    kept = time.monotonic()
            conversations.finish(self._ws, turn_id, answering.answer)
        except ServiceError as error:
            conversations.failed(self._ws, turn_id, error)
        finally:
            self._pieces.put((number, None))
