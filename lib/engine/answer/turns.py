"""Many answers at once, a little of each in turn, so that a short one does not wait for a long one.

It knows lines in and lines out, not where they come from and go to.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from lib.engine.answer.answer import Answer
from lib.engine.answer.asking import Ask, End, understand
from lib.engine.answer.constraint import Constraints
from lib.engine.answer.shelf import Shelf
from lib.errors import EtudeError, ServiceError

# So many answers are made at once, and only so many that what they remember together stays within these bytes; one is
# always made. The built-in base remembers up to 25 MB for each.
AT_ONCE = 8
MOST_BYTES = 2_000_000_000

Say = Callable[[Mapping[str, Any]], None]


class Turns:
    """The answers in the making and those that wait. Lines go to `say`, what only a programmer can read to `log`."""

    def __init__(self, shelf: Shelf, say: Say, log: TextIO) -> None:
        self._shelf = shelf
        self._constraints = Constraints()
        self._say = say
        self._log = log
        self._waiting: deque[Ask] = deque()
        self._going: deque[tuple[Ask, Answer]] = deque()
        self._next: tuple[Ask, Answer] | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to go on with."""
        return not self._waiting and not self._going and self._next is None

    def take(self, line: bytes) -> None:
        """Take a line in. One that cannot be understood is answered with an error and changes nothing."""
        try:
            said = understand(line)
        except EtudeError as error:
            self._refuse(getattr(error, "request_id", None), error)
            return
        if isinstance(said, End):
            self._end(said.id)
        else:
            self._waiting.append(said)

    def turn(self) -> None:
        """Begin what waits, as far as there is room, and let the next answer do a little."""
        self._begin()
        if not self._going:
            return
        ask, answer = self._going.popleft()
        try:
            line = answer.advance()
        except Exception as error:
            self._refuse(ask.id, error)
            return
        if line is not None:
            self._say({"id": ask.id, **line})
        if not answer.finished:
            self._going.append((ask, answer))

    def _begin(self) -> None:
        while (self._next or self._waiting) and len(self._going) < AT_ONCE:
            self._next = self._next or self._prepared(self._waiting.popleft())
            if self._next is None:
                continue
            held = sum(answer.most_bytes for _, answer in self._going)
            if self._going and held + self._next[1].most_bytes > MOST_BYTES:
                break
            self._going.append(self._next)
            self._next = None

    def _prepared(self, ask: Ask) -> tuple[Ask, Answer] | None:
        """The answer to a request, not begun; None when it was refused."""
        try:
            model = self._shelf.model(Path(ask.model))
            return ask, Answer(ask, model, self._constraints.of(ask, model))
        except Exception as error:
            self._refuse(ask.id, error)
            return None

    def _end(self, wanted: str) -> None:
        if self._next is not None and self._next[0].id == wanted:
            self._next = None
        self._waiting = deque(ask for ask in self._waiting if ask.id != wanted)
        self._going = deque(pair for pair in self._going if pair[0].id != wanted)

    def _refuse(self, wanted: str | None, error: Exception) -> None:
        line: dict[str, Any] = {"id": wanted or "", "error": str(error), "code": None}
        if isinstance(error, ServiceError):
            line |= {"code": error.code, "param": error.param}
        elif not isinstance(error, EtudeError):
            traceback.print_exception(error, file=self._log)
            line |= {"error": f"The answer could not be made ({type(error).__name__}).", "code": "internal_error"}
        self._say(line)
