"""The endpoints, as the protocol describes them, over a World."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.protocol_server.world import FINAL, Job, World


class Wrong(Exception):
    """An error answer in the protocol's shape."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param


def application(world: World) -> Starlette:
    """All routes below /v1; the caller checks the key."""
    endpoints = Endpoints(world)
    jobs = "/v1/fine_tuning/jobs"
    routes = [
        Route("/v1/files", endpoints.files, methods=["GET"]),
        Route("/v1/files", endpoints.upload, methods=["POST"]),
        Route("/v1/files/{id}", endpoints.file, methods=["GET"]),
        Route("/v1/files/{id}", endpoints.delete_file, methods=["DELETE"]),
        Route("/v1/files/{id}/content", endpoints.content, methods=["GET"]),
        Route(jobs, endpoints.jobs, methods=["GET"]),
        Route(jobs, endpoints.create_job, methods=["POST"]),
        Route(jobs + "/{id}", endpoints.job, methods=["GET"]),
        Route(jobs + "/{id}/{verb:str}", endpoints.change_job, methods=["POST"]),
        Route(jobs + "/{id}/events", endpoints.events, methods=["GET"]),
        Route(jobs + "/{id}/checkpoints", endpoints.checkpoints, methods=["GET"]),
        Route("/v1/models", endpoints.models, methods=["GET"]),
        Route("/v1/models/{id:path}", endpoints.model, methods=["GET"]),
        Route("/v1/models/{id:path}", endpoints.delete_model, methods=["DELETE"]),
        Route("/v1/chat/completions", endpoints.chat, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={Wrong: _told, 404: _nowhere, 405: _nowhere})


class Endpoints:
    """One method an endpoint."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def files(self, request: Request) -> Response:
        purpose = request.query_params.get("purpose")
        files = [file for file in self.world.files.values() if purpose in (None, file["purpose"])]
        return JSONResponse(self.world.page(files[::-1], request.query_params, 10_000))

    async def upload(self, request: Request) -> Response:
        async with request.form(max_part_size=1 << 28) as form:
            file, purpose = form.get("file"), form.get("purpose")
            if file is None or isinstance(file, str):
                raise Wrong(400, "'file' is a required property", param="file")
            if purpose not in ("fine-tune", "assistants", "batch", "user_data", "vision", "evals"):
                allowed = "['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals']"
                raise Wrong(400, f"'{purpose}' is not one of {allowed} - 'purpose'", param="purpose")
            return JSONResponse(self.world.add_file(file.filename or "file", await file.read(), str(purpose)))

    async def file(self, request: Request) -> Response:
        return JSONResponse(self._file(request.path_params["id"]))

    async def delete_file(self, request: Request) -> Response:
        file = self._file(request.path_params["id"])
        del self.world.files[file["id"]], self.world.contents[file["id"]]
        return JSONResponse({"id": file["id"], "object": "file", "deleted": True})

    async def content(self, request: Request) -> Response:
        file = self._file(request.path_params["id"])
        return Response(self.world.contents[file["id"]], media_type="application/octet-stream")

    async def jobs(self, request: Request) -> Response:
        wanted = {
            match[1]: value
            for name, value in request.query_params.items()
            if (match := re.fullmatch(r"metadata\[(.+)\]", name))
        }
        jobs = [
            job.view
            for job in self.world.jobs.values()
            if self.world.ignores_metadata or wanted.items() <= (job.view["metadata"] or {}).items()
        ]
        return JSONResponse(self.world.page(jobs[::-1], request.query_params, 20))

    async def create_job(self, request: Request) -> Response:
        body = await _body(request, "model", "training_file")
        if body["model"] not in self.world.models:
            raise Wrong(
                400, f"Model {body['model']} is not available for fine-tuning or does not exist.", param="model"
            )
        for name in ("training_file", "validation_file"):
            if body.get(name) is not None:
                self._file(body[name])
        suffix = body.get("suffix")
        if "suffix" in body and not (isinstance(suffix, str) and 1 <= len(suffix) <= 64):
            raise Wrong(400, f"{suffix!r} is not of type 'string' - 'suffix'", param="suffix")
        return JSONResponse(self.world.add_job(body).view)

    async def job(self, request: Request) -> Response:
        return JSONResponse(self.world.look(self._job(request)))

    async def change_job(self, request: Request) -> Response:
        job, verb = self._job(request), request.path_params["verb"]
        new = {"cancel": "cancelled", "pause": "paused", "resume": "running"}.get(verb)
        if new is None:
            raise Wrong(404, f"Invalid URL (POST {request.url.path})")
        if job.view["status"] in FINAL:
            raise Wrong(400, f"Job {job.view['id']} is already in a terminal state: {job.view['status']}.")
        job.view["status"] = new
        if new == "cancelled":
            job.view["finished_at"] = int(time.time())
            self.world.say(job, "The job was cancelled")
        return JSONResponse(job.view)

    async def events(self, request: Request) -> Response:
        return JSONResponse(self.world.events_page(self._job(request), request.query_params))

    async def checkpoints(self, request: Request) -> Response:
        return JSONResponse(self.world.page(self._job(request).checkpoints[::-1], request.query_params, 10))

    async def models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": list(self.world.models.values())})

    async def model(self, request: Request) -> Response:
        return JSONResponse(self._model(request.path_params["id"]))

    async def delete_model(self, request: Request) -> Response:
        model = self._model(request.path_params["id"])
        if model["owned_by"] == "system":
            raise Wrong(403, "You do not have permission to delete this model.")
        del self.world.models[model["id"]]
        return JSONResponse({"id": model["id"], "object": "model", "deleted": True})

    async def chat(self, request: Request) -> Response:
        body = await _body(request, "model", "messages")
        self._model(body["model"])
        text, finish_reason = self.world.answer(body), "stop"
        pieces = re.findall(r"\s*\S+|\s+$", text)
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if limit is not None and len(pieces) > limit:
            pieces, finish_reason = pieces[:limit], "length"
        asked = sum(len(str(message.get("content")).split()) for message in body["messages"])
        usage = {"prompt_tokens": asked, "completion_tokens": len(pieces), "total_tokens": asked + len(pieces)}
        head = {"id": self.world.new_id("chatcmpl-"), "created": int(time.time()), "model": body["model"]}
        if body.get("stream"):
            with_usage = (body.get("stream_options") or {}).get("include_usage")
            stream = "".join(_chunks(head, pieces, finish_reason, usage if with_usage else None))
            return Response(stream.encode(), media_type="text/event-stream")
        message = {"role": "assistant", "content": "".join(pieces), "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})

    def _file(self, file_id: str) -> dict[str, Any]:
        if file_id not in self.world.files:
            raise Wrong(404, f"No such File object: {file_id}", param="id")
        return self.world.files[file_id]

    def _job(self, request: Request) -> Job:
        job_id = request.path_params["id"]
        if job_id not in self.world.jobs:
            raise Wrong(404, f"Could not find fine tune: {job_id}", code="fine_tune_not_found", param="fine_tune_id")
        return self.world.jobs[job_id]

    def _model(self, name: str) -> dict[str, Any]:
        if name not in self.world.models:
            text = f"The model '{name}' does not exist or you do not have access to it."
            raise Wrong(404, text, code="model_not_found")
        return self.world.models[name]


def _chunks(head: dict[str, Any], pieces: list[str], finish_reason: str, usage: dict[str, int] | None) -> Iterator[str]:
    """Server-sent events: the role, the pieces, the reason for ending, the usage when asked, and DONE."""

    def event(delta: dict[str, Any] | None, reason: str | None = None, counted: dict[str, int] | None = None) -> str:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]
        chunk = {**head, "object": "chat.completion.chunk", "choices": choices}
        if usage is not None:
            chunk["usage"] = counted
        return f"data: {json.dumps(chunk)}\n\n"

    yield event({"role": "assistant", "content": ""})
    for piece in pieces:
        yield event({"content": piece})
    yield event({}, finish_reason)
    if usage is not None:
        yield event(None, counted=usage)
    yield "data: [DONE]\n\n"


async def _body(request: Request, *required: str) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Wrong(400, "We could not parse the JSON body of your request.") from error
    for name in required:
        if name not in body:
            text = f"Missing required parameter: '{name}'."
            raise Wrong(400, text, code="missing_required_parameter", param=name)
    assert isinstance(body, dict)
    return body


def error_body(message: str, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """The protocol's shape of an error."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, Wrong)
    return JSONResponse(error_body(error.message, code=error.code, param=error.param), status_code=error.status)


async def _nowhere(request: Request, error: Exception) -> Response:
    text = f"Invalid URL ({request.method} {request.url.path})"
    return JSONResponse(error_body(text, code="unknown_url"), status_code=404)
