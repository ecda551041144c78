"""One answering process: JSON lines in, JSON lines out, many answers interleaved.

Knows the lines and how the process lives, not how text is generated and not who waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from lib.engine import child_process
from lib.errors import Rejected, ServiceBroken

GRACE_SECONDS = 1.5

log = logging.getLogger("etude.engine")


class Piece(Struct):
    """A line of the answering process: a piece of text, the end of an answer (`finish_reason`), or an error."""

    id: str
    text: str = ""
    logprobs: list[dict[str, Any]] | None = None
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tool_calls: list[dict[str, Any]] | None = None
    error: str | None = None
    code: str | None = None
    param: str | None = None


class AnswerProcess:
    """A process that has been started. Once it has ended it stays so: `alive` is then False."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.alive = True
        self._numbers = itertools.count(1)
        self._heard: dict[str, asyncio.Queue[Piece | None]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: Sequence[str], log_path: Path) -> AnswerProcess:
        """Start the process; what it prints as errors is appended to `log_path`. Raises OSError."""
        process = await child_process.start(command, stdin=PIPE, stdout=PIPE, log_path=log_path)
        return cls(process)

    async def answer(self, folder: Path, request: Mapping[str, Any]) -> AsyncGenerator[Piece, None]:
        """The pieces of one answer by the model in `folder`; the last has a finish_reason.

        Closing the iterator early stops the generation. Raises Rejected for what the model cannot answer, ServiceBroken
        when the process ended in the middle.
        """
        number = str(next(self._numbers))
        heard = self._heard[number] = asyncio.Queue[Piece | None]()
        finished = False
        try:
            await self._say({"id": number, "model": str(folder), **request})
            while not finished:
                piece = await heard.get() if self.alive or not heard.empty() else None
                finished = piece is None or piece.finish_reason is not None or piece.error is not None
                if piece is None:
                    raise ServiceBroken("The answering process ended in the middle of an answer.", status=500)
                if piece.error is not None:
                    raise _refused(piece)
                yield piece
        finally:
            del self._heard[number]
            if not finished:
                await self._say({"id": number, "stop": True})

    async def stop(self) -> None:
        """End the process."""
        await child_process.stop(self._process, GRACE_SECONDS)
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _say(self, message: Mapping[str, Any]) -> None:
        """Write a line. That the process is gone is heard from the reader, which then ends every answer."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            async for line in self._process.stdout:
                piece = msgspec.json.decode(line, type=Piece)
                if piece.id in self._heard:
                    self._heard[piece.id].put_nowait(piece)
        except (ValueError, msgspec.DecodeError):
            log.exception("The answering process said something that cannot be read.")
            child_process.send(self._process, signal.SIGKILL)
        finally:
            self.alive = False
            for heard in self._heard.values():
                heard.put_nowait(None)


def _refused(piece: Piece) -> Rejected | ServiceBroken:
    if piece.code == "internal_error":
        return ServiceBroken(f"The model could not answer: {piece.error}", status=500)
    return Rejected(str(piece.error), status=400, code=piece.code, param=piece.param)
