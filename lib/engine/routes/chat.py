"""/v1/chat/completions: an answer in one piece or as a stream. When the client goes away, the generation ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lib.engine.answer_process import Piece
from lib.engine.chat_answer import Answer, Choice, Manner
from lib.engine.chat_request import ChatRequest, generation
from lib.engine.pieces import Pieces, together, unless_gone, with_first
from lib.engine.protocol import body_of, error_body
from lib.engine.service import service_of
from lib.errors import ServiceError


async def create(request: Request) -> Response:
    """POST /v1/chat/completions."""
    asked = await body_of(request, ChatRequest)
    service = service_of(request)
    model = service.models.find(asked.model)
    offer = asked.offer()
    choices = [Choice(index, Manner(older=offer.older, named=offer.named)) for index in range(asked.n or 1)]
    pieces = together(service.answering, model.folder, generation(asked, offer), len(choices))
    answer = Answer.begin(
        model.snapshot,
        int(service.clock()),
        with_logprobs=bool(asked.logprobs),
        with_usage=bool(asked.stream) and asked.include_usage,
    )
    if asked.stream:
        # The first piece is waited for before anything is sent: what is refused can then be told with its status.
        first = await unless_gone(request, anext(pieces))
        return StreamingResponse(_stream(answer, choices, first, pieces), media_type="text/event-stream")
    await unless_gone(request, _gather(choices, pieces))
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
        async for index, piece in with_first(first, pieces):
            choices[index].take(piece)
            for chunk in answer.chunks(choices[index], piece):
                yield _event(chunk)
    except ServiceError as error:
        yield _event(error_body(error))
        return
    if answer.with_usage:
        yield _event(answer.usage_chunk(choices))
    yield "data: [DONE]\n\n"


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


ROUTES = [Route("/v1/chat/completions", create, methods=["POST"])]
