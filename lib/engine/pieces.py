"""The pieces of one or several answers as they come, given up as soon as nobody waits for them any more.

Knows neither of the interfaces that show them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from lib.engine.answer_process import Piece
from lib.engine.answering import Answering

T = TypeVar("T")
Pieces = AsyncGenerator[tuple[int, Piece], None]


async def with_first(first: tuple[int, Piece], rest: Pieces) -> Pieces:
    """A piece that was waited for, and those that follow it."""
    yield first
    async for item in rest:
        yield item


async def together(answering: Answering, folder: Path, asked: Mapping[str, Any], n: int) -> Pieces:
    """The pieces of n answers as they come, each with its number. Different seeds, or n answers would be one."""
    queue: asyncio.Queue[tuple[int, Piece] | Exception | None] = asyncio.Queue()

    async def one(index: int) -> None:
        seed = None if asked["seed"] is None else asked["seed"] + index
        try:
            async with aclosing(answering.answer(folder, {**asked, "seed": seed})) as pieces:
                async for piece in pieces:
                    queue.put_nowait((index, piece))
            queue.put_nowait(None)
        except Exception as error:
            queue.put_nowait(error)

    tasks = [asyncio.create_task(one(index)) for index in range(n)]
    try:
        left = n
        while left:
            item = await queue.get()
            if isinstance(item, Exception):
                raise item
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is given up when the client closes the connection: then ClientDisconnect."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
