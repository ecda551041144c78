"""Who may generate when: a few answers at a time, the rest wait in line, and beyond that a request is refused.

The answering process is started with the first request and again after it died; what it was answering then fails, and
nothing else. Knows no line of the process's protocol.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from lib.engine.answer_process import AnswerProcess, Piece
from lib.errors import Throttled

AT_ONCE = 8
WAITING = 128


class Answering:
    """The one answering process of an engine, whenever it is needed. `log_path` gets what it prints as errors."""

    def __init__(self, command: Sequence[str], log_path: Path) -> None:
        self._command = tuple(command)
        self._log_path = log_path
        self._process: AnswerProcess | None = None
        self._warming: asyncio.Task[AnswerProcess] | None = None
        self._starting = asyncio.Lock()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._in_line = 0

    async def answer(self, folder: Path, request: Mapping[str, Any]) -> AsyncGenerator[Piece, None]:
        """The pieces of one answer by the model in `folder`; the last has a finish_reason.

        Closing the iterator early stops the generation. Raises Throttled when too many wait, and what
        AnswerProcess.answer raises.
        """
        if self._in_line >= AT_ONCE + WAITING:
            raise Throttled(
                "Too many answers are being generated.", "Try again in a moment.", status=429, retry_after=2.0
            )
        self._in_line += 1
        try:
            async with self._turn:
                process = await self._running()
                async with aclosing(process.answer(folder, request)) as pieces:
                    async for piece in pieces:
                        yield piece
        finally:
            self._in_line -= 1

    def warm(self) -> None:
        """Start the process now, so that the first answer need not wait for it."""
        self._warming = asyncio.create_task(self._running())

    async def stop(self) -> None:
        """End the process, if there is one."""
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        if self._process is not None:
            await self._process.stop()

    async def _running(self) -> AnswerProcess:
        async with self._starting:
            if self._process is None or not self._process.alive:
                self._process = await AnswerProcess.start(self._command, self._log_path)
            return self._process
