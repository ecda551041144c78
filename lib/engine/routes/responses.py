"""/v1/responses: answer in one piece or as a stream, retrieve, delete, and the input that came with one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lib.engine.answer_process import Piece
from lib.engine.misfit import not_among
from lib.engine.pieces import Pieces, together, unless_gone, with_first
from lib.engine.protocol import body_of, invalid, limit_of, listing, not_there
from lib.engine.response_items import Item, kept_items, messages_of, references
from lib.engine.response_object import Writing
from lib.engine.response_request import ResponseRequest, generation, in_its_words
from lib.engine.response_stream import Telling
from lib.engine.service import Service, service_of
from lib.errors import Rejected, ServiceError

MOST_LISTED, LISTED = 100, 20


async def create(request: Request) -> Response:
    """POST /v1/responses."""
    asked = await body_of(request, ResponseRequest)
    service = service_of(request)
    model = service.models.find(asked.model)
    items = kept_items(asked.input, service.responses.named(references(asked.input)))
    before = service.responses.conversation(asked.previous_response_id)
    try:
        told = generation(asked, asked.offer(), messages_of([*before, *items], asked.instructions))
        pieces = together(service.answering, model.folder, told, 1)
        # The first piece is waited for before anything is sent: what is refused can then be told with its status.
        first = await unless_gone(request, anext(pieces))
        writing = Writing(asked, model.snapshot, int(service.clock()))
        if asked.stream:
            events = _stream(service, writing, items, first, pieces)
            return StreamingResponse(events, media_type="text/event-stream")
        await unless_gone(request, _gather(service, writing, first, pieces))
    except Rejected as error:
        raise in_its_words(error) from error
    _keep(service, writing, items)
    return JSONResponse(writing.response)


async def retrieve(request: Request) -> Response:
    """GET /v1/responses/{response_id}."""
    return JSONResponse(service_of(request).responses.get(request.path_params["response_id"]))


async def remove(request: Request) -> Response:
    """DELETE /v1/responses/{response_id}."""
    response_id = request.path_params["response_id"]
    service_of(request).responses.remove(response_id)
    return JSONResponse({"id": response_id, "object": "response", "deleted": True})


async def cancel(request: Request) -> Response:
    """POST /v1/responses/{response_id}/cancel: nothing here is written in the background."""
    service_of(request).responses.get(request.path_params["response_id"])
    raise invalid("response_id", "Only responses created with 'background' set to true can be cancelled.")


async def input_items(request: Request) -> Response:
    """GET /v1/responses/{response_id}/input_items?limit&order&after."""
    items = service_of(request).responses.items(request.path_params["response_id"])
    limit = limit_of(request, LISTED, MOST_LISTED)
    order = request.query_params.get("order", "desc")
    if order not in ("asc", "desc"):
        raise not_among("order", order, ("asc", "desc"))
    ordered = items if order == "asc" else items[::-1]
    after = request.query_params.get("after")
    if after is not None:
        places = [place for place, item in enumerate(ordered) if item["id"] == after]
        if not places:
            raise not_there("Item", after, param="after")
        ordered = ordered[places[0] + 1 :]
    return JSONResponse(listing(ordered[:limit], len(ordered) > limit, ends=True))


async def _gather(service: Service, writing: Writing, first: tuple[int, Piece], pieces: Pieces) -> None:
    telling = Telling(writing)
    async for _, piece in with_first(first, pieces):
        for _event in telling.take(piece, int(service.clock())):
            pass


async def _stream(
    service: Service, writing: Writing, items: list[Item], first: tuple[int, Piece], pieces: Pieces
) -> AsyncIterator[str]:
    telling = Telling(writing)
    for event in telling.begin():
        yield _told(event)
    try:
        async for _, piece in with_first(first, pieces):
            events = list(telling.take(piece, int(service.clock())))
            if piece.finish_reason is not None:
                # Before the last event is sent: whoever has seen it may go on from this response.
                _keep(service, writing, items)
            for event in events:
                yield _told(event)
    except ServiceError as error:
        for event in telling.fail(str(error)):
            yield _told(event)


def _keep(service: Service, writing: Writing, items: list[Item]) -> None:
    if writing.response["store"]:
        service.responses.add(writing.response, items)


def _told(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


ROUTES = [
    Route("/v1/responses", create, methods=["POST"]),
    Route("/v1/responses/{response_id}", retrieve, methods=["GET"]),
    Route("/v1/responses/{response_id}", remove, methods=["DELETE"]),
    Route("/v1/responses/{response_id}/cancel", cancel, methods=["POST"]),
    Route("/v1/responses/{response_id}/input_items", input_items, methods=["GET"]),
]
