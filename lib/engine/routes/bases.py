"""/etude/bases: base models that a person adds, from a folder or from a hub. Etude's own, outside OpenAI's API."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lib.engine import fitting
from lib.engine.bases import Base, name_for, no_such_base, taken
from lib.engine.hub import Download
from lib.engine.hub_files import is_hub_id
from lib.engine.hugging_face.folder import has_chat_template
from lib.engine.protocol import body_of, invalid, listing
from lib.engine.service import Service, service_of
from lib.errors import Rejected

LONGEST_PATH = 4096


class BaseRequest(Struct):
    """The body of POST /etude/bases: one of `folder` and `hub_id`."""

    folder: str | None = None
    hub_id: str | None = None
    name: str | None = None


async def add(request: Request) -> Response:
    """POST /etude/bases. A folder is there at once; a model of a hub is `downloading` until it is."""
    asked = await body_of(request, BaseRequest)
    service = service_of(request)
    if (asked.folder is None) == (asked.hub_id is None):
        raise invalid("folder", "Give either 'folder', a path on this machine, or 'hub_id', such as organization/name.")
    if asked.folder is not None:
        folder = _path(asked.folder)
        name = _free(service, name_for(asked.name, folder, None))
        if service.hub.find(name) is not None:
            raise _being_fetched(name)
        base = await asyncio.to_thread(service.bases.add, name, folder)
        return JSONResponse(base_object(base))
    assert asked.hub_id is not None
    if not is_hub_id(asked.hub_id):
        raise invalid("hub_id", f"Invalid 'hub_id': {asked.hub_id[:120]!r} is not written like organization/name.")
    name = _free(service, name_for(asked.name, None, asked.hub_id))
    return JSONResponse(await _from_hub(service, name, asked.hub_id))


async def listed(request: Request) -> Response:
    """GET /etude/bases: what was added, and what is on its way."""
    service = service_of(request)
    entries = await asyncio.to_thread(lambda: [base_object(base) for base in service.bases.listed()])
    coming = [download_object(download) for download in service.hub.listed()]
    return JSONResponse(listing(sorted((*entries, *coming), key=lambda one: one["id"]), False))


async def remove(request: Request) -> Response:
    """DELETE /etude/bases/{name}?files=true. A person's folder stays; what a hub sent goes only with files=true."""
    service, name = service_of(request), request.path_params["name"]
    with_files = request.query_params.get("files") == "true"
    download = service.hub.find(name)
    if download is not None:
        await service.hub.cancel(name)
    else:
        await _take_out(service, name, with_files=with_files)
    if with_files:
        service.bases.discard_files(name)
    return JSONResponse({"id": name, "object": "etude.base", "deleted": True})


def base_object(base: Base) -> dict[str, Any]:
    """An added base model as this route shows it. `memory` is in bytes; see `lib.engine.fitting`."""
    memory = fitting.of(base)
    return {
        "id": base.name,
        "object": "etude.base",
        "status": "ready" if base.there else "missing",
        "folder": str(base.folder),
        "hub_id": base.hub_id,
        "created_at": base.created_at,
        "model_type": base.model_type,
        "architecture": base.architecture,
        "parameters": base.parameters,
        "weight_bytes": base.weight_bytes,
        "context": base.context,
        "has_chat_template": has_chat_template(base.folder),
        "memory": None if memory is None else asdict(memory),
        "received_bytes": None,
        "total_bytes": None,
        "error": None if base.there else f"The folder {base.folder} is not there any more.",
    }


def download_object(download: Download) -> dict[str, Any]:
    """A model on its way from a hub, in the same shape."""
    return {
        "id": download.name,
        "object": "etude.base",
        "status": "downloading" if download.problem is None else "failed",
        "folder": None,
        "hub_id": download.hub_id,
        "created_at": download.created_at,
        "model_type": None,
        "architecture": None,
        "parameters": None,
        "weight_bytes": None,
        "context": None,
        "has_chat_template": None,
        "memory": None,
        "received_bytes": download.received,
        "total_bytes": download.total,
        "error": download.problem,
    }


async def _from_hub(service: Service, name: str, hub_id: str) -> dict[str, Any]:
    known, download = service.bases.find(name), service.hub.find(name)
    if known is not None:
        if known.hub_id != hub_id:
            raise taken(name, known)
        if known.there:
            return base_object(await asyncio.to_thread(service.bases.add, name, known.folder, hub_id=hub_id))
    if download is not None and download.hub_id != hub_id:
        raise _being_fetched(name)
    return download_object(service.hub.begin(name, hub_id))


async def _take_out(service: Service, name: str, *, with_files: bool) -> None:
    base = service.bases.find(name)
    if base is None or base.removed:
        raise no_such_base(name)
    jobs, fine_tunes = service.models.resting_on(name)
    own = base.folder.is_relative_to(service.bases.root)
    if jobs:
        raise Rejected(
            f"A job that has not ended trains the base model {name!r}.",
            "Cancel it, or wait for its end.",
            status=409,
            param="name",
            code="base_in_use",
        )
    if fine_tunes and with_files and own:
        raise Rejected(
            f"{fine_tunes} fine-tuned models and checkpoints rest on the files of {name!r}.",
            "Delete them first, or remove the base model without its files.",
            status=409,
            param="files",
            code="base_in_use",
        )
    service.bases.remove(name, keep=bool(fine_tunes))


def _free(service: Service, name: str) -> str:
    if service.models.ships(name):
        raise Rejected(
            f"The name {name!r} belongs to a base model that comes with Etude.",
            "Give the new one another name.",
            status=409,
            param="name",
            code="name_taken",
        )
    return name


def _being_fetched(name: str) -> Rejected:
    return Rejected(
        f"Another model is being fetched under the name {name!r}.",
        "Give this one another name, or remove that one first.",
        status=409,
        param="name",
        code="name_taken",
    )


def _path(text: str) -> Path:
    if not text.startswith("/") or len(text) > LONGEST_PATH or "\0" in text:
        raise invalid("folder", "Invalid 'folder': give the whole path of a folder on this machine.")
    return Path(text)


ROUTES = [
    Route("/etude/bases", add, methods=["POST"]),
    Route("/etude/bases", listed, methods=["GET"]),
    Route("/etude/bases/{name}", remove, methods=["DELETE"]),
]
