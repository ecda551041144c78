"""/v1/files: upload, list, retrieve, delete, content."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from lib.engine.file_shelf import file_object
from lib.engine.misfit import not_among
from lib.engine.protocol import cursor, limit_of, listing
from lib.engine.service import service_of
from lib.engine.upload import receive_file

MOST_LISTED = 10_000


async def create(request: Request) -> Response:
    """POST /v1/files, multipart."""
    shelf = service_of(request).files
    target = shelf.new_path()
    upload = await receive_file(request, target)
    return JSONResponse(
        file_object(shelf.add(target, filename=upload.filename, purpose=upload.purpose, lives=upload.lives))
    )


async def listed(request: Request) -> Response:
    """GET /v1/files?purpose&limit&order&after."""
    service = service_of(request)
    order = request.query_params.get("order", "desc")
    if order not in ("asc", "desc"):
        raise not_among("order", order, ("asc", "desc"))
    rows, has_more = service.files.listed(
        purpose=request.query_params.get("purpose"),
        behind=cursor(service.store, "files", request, "File"),
        limit=limit_of(request, MOST_LISTED, MOST_LISTED),
        oldest_first=order == "asc",
    )
    return JSONResponse(listing([file_object(row) for row in rows], has_more, ends=True))


async def retrieve(request: Request) -> Response:
    """GET /v1/files/{file_id}."""
    return JSONResponse(file_object(service_of(request).files.get(request.path_params["file_id"])))


async def remove(request: Request) -> Response:
    """DELETE /v1/files/{file_id}."""
    file_id = request.path_params["file_id"]
    service_of(request).files.remove(file_id)
    return JSONResponse({"id": file_id, "object": "file", "deleted": True})


async def content(request: Request) -> Response:
    """GET /v1/files/{file_id}/content. The name in the header is the id: the sender's own name may hold anything."""
    path = service_of(request).files.path(request.path_params["file_id"])
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


ROUTES = [
    Route("/v1/files", create, methods=["POST"]),
    Route("/v1/files", listed, methods=["GET"]),
    Route("/v1/files/{file_id}", retrieve, methods=["GET"]),
    Route("/v1/files/{file_id}", remove, methods=["DELETE"]),
    Route("/v1/files/{file_id}/content", content, methods=["GET"]),
]
