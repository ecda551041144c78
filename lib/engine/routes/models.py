"""/v1/models: list, retrieve, delete."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lib.engine.model_book import model_object
from lib.engine.service import service_of


async def listed(request: Request) -> Response:
    """GET /v1/models."""
    models = service_of(request).models.listed()
    return JSONResponse({"object": "list", "data": [model_object(model) for model in models]})


async def retrieve(request: Request) -> Response:
    """GET /v1/models/{model}."""
    return JSONResponse(model_object(service_of(request).models.known(request.path_params["model"])))


async def remove(request: Request) -> Response:
    """DELETE /v1/models/{model}: fine-tunes and checkpoints only."""
    model_id = request.path_params["model"]
    service_of(request).models.remove(model_id)
    return JSONResponse({"id": model_id, "object": "model", "deleted": True})


ROUTES = [
    Route("/v1/models", listed, methods=["GET"]),
    Route("/v1/models/{model}", retrieve, methods=["GET"]),
    Route("/v1/models/{model}", remove, methods=["DELETE"]),
]
