"""/v1/chat/completions: an answer in one piece or as a stream. When the client goes away, the generation ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lib.engine.answer_process import Piece
from lib.engine.answering import Answering
from lib.engine.chat_answer import Answer, Choice
from lib.engine.chat_request import ChatRequest, generation
from lib.engine.protocol import body_of, error_body
from lib.engine.service import service_of
from lib.errors import ServiceError

T = TypeVar("T")
Pieces = AsyncGenerator[tuple[int, Piece], None]


async def create(request: Request) -> Response:
    """POST /v1/chat/completions."""
    asked = await body_of(request, ChatRequest)
    service = service_of(request)
    model = service.models.find(asked.model)
    choices = [Choice(index) for index in range(asked.n or 1)]
    pieces = _together(service.answering, model.folder, generation(asked), len(choices))
    answer = Answer.begin(
        model.snapshot,
        int(service.clock()),
        with_logprobs=bool(asked.logprobs),
        with_usage=bool(asked.stream) and asked.include_usage,
    )
    if asked.stream:
        # The first piece is waited for before anything is sent: what is refused can then be told with its status.
        first = await _unless_gone(request, anext(pieces))
        return StreamingResponse(_stream(answer, choices, first, pieces), media_type="text/event-stream")
    await _unless_gone(request, _gather(choices, pieces))
    return JSONResponse(answer.whole(choices))


async def _gather(choices: list[Choice], pieces: Pieces) -> None:
    async for index, piece in pieces:
        choices[index].take(piece)


async def _stream(
    answer: Answer, choices: list[Choice], first: tuple[int, Piece], pieces: Pieces
) -> AsyncIterator[str]:
    for choice in choices:
        yield _event(answer.opening(choice.index))
    try:
        async for index, piece in _with_first(first, pieces):
            choices[index].take(piece)
            for chunk in answer.chunks(index, piece):
                yield _event(chunk)
    except ServiceError as error:
        yield _event(error_body(error))
        return
    if answer.with_usage:
        yield _event(answer.usage_chunk(choices))
    yield "data: [DONE]\n\n"


async def _with_first(first: tuple[int, Piece], rest: Pieces) -> Pieces:
    yield first
    async for item in rest:
        yield item


async def _together(answering: Answering, folder: Path, asked: Mapping[str, Any], n: int) -> Pieces:
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


async def _unless_gone(request: Request, work: Awaitable[T]) -> T:
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


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


ROUTES = [Route("/v1/chat/completions", create, methods=["POST"])]
