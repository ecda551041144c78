"""/v1/uploads: announce, add parts, complete, cancel."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lib.engine.form import Expected, receive
from lib.engine.protocol import body_of
from lib.engine.service import service_of
from lib.engine.upload import Expiry, check_purpose
from lib.engine.upload_parts import MOST_PARTS, PART_LIMIT


class Announced(Struct, forbid_unknown_fields=True):
    """The body of POST /v1/uploads. Any MIME type is taken: what a file is for is told by its purpose."""

    filename: str
    purpose: str
    bytes: Annotated[int, Meta(ge=1)]
    mime_type: str
    expires_after: Expiry | UnsetType = UNSET


class Completed(Struct, forbid_unknown_fields=True):
    """The body of POST /v1/uploads/{upload_id}/complete."""

    part_ids: Annotated[list[str], Meta(min_length=1, max_length=MOST_PARTS)]
    md5: str | UnsetType = UNSET


async def create(request: Request) -> Response:
    """POST /v1/uploads."""
    asked = await body_of(request, Announced)
    begun = service_of(request).uploads.begin(
        filename=asked.filename,
        purpose=check_purpose(asked.purpose),
        size=asked.bytes,
        lives=None if asked.expires_after is UNSET else asked.expires_after.seconds,
    )
    return JSONResponse(begun)


async def add_part(request: Request) -> Response:
    """POST /v1/uploads/{upload_id}/parts, multipart."""
    uploads = service_of(request).uploads
    upload_id = request.path_params["upload_id"]
    path = uploads.new_path(upload_id)
    await receive(request, path, Expected("data", PART_LIMIT))
    return JSONResponse(uploads.add(upload_id, path))


async def complete(request: Request) -> Response:
    """POST /v1/uploads/{upload_id}/complete."""
    asked = await body_of(request, Completed)
    md5 = None if asked.md5 is UNSET else asked.md5
    upload = await service_of(request).uploads.complete(request.path_params["upload_id"], asked.part_ids, md5)
    return JSONResponse(upload)


async def cancel(request: Request) -> Response:
    """POST /v1/uploads/{upload_id}/cancel."""
    return JSONResponse(service_of(request).uploads.cancel(request.path_params["upload_id"]))


ROUTES = [
    Route("/v1/uploads", create, methods=["POST"]),
    Route("/v1/uploads/{upload_id}/parts", add_part, methods=["POST"]),
    Route("/v1/uploads/{upload_id}/complete", complete, methods=["POST"]),
    Route("/v1/uploads/{upload_id}/cancel", cancel, methods=["POST"]),
]
