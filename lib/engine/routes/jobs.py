"""/v1/fine_tuning/jobs: create, list, retrieve, cancel, pause, resume, events, checkpoints."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lib.engine import fitting
from lib.engine.job_book import JOB_PREFIX, checkpoint_object, event_object, job_object
from lib.engine.job_request import MOST_PAIRS, JobRequest, asked_for
from lib.engine.model_book import Model
from lib.engine.protocol import body_of, cursor, invalid, limit_of, listing
from lib.engine.service import Service, service_of
from lib.engine.store import new_id
from lib.errors import NotThere, Rejected, Throttled

MOST_UNFINISHED = 100
MOST_LISTED = 100
KEY_LENGTH = 255
PAIR = re.compile(r"metadata\[(.*)\]", re.DOTALL)


async def create(request: Request) -> Response:
    """POST /v1/fine_tuning/jobs. The same Idempotency-Key gives the same job."""
    asked = await body_of(request, JobRequest)
    service = service_of(request)
    key = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= KEY_LENGTH:
        raise Rejected(f"An Idempotency-Key has 1 to {KEY_LENGTH} characters.", status=400, code="invalid_value")
    fingerprint = hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
    known = None if key is None else service.jobs.by_request_key(key)
    if known is not None and known["request_hash"] != fingerprint:
        raise Rejected(
            "This Idempotency-Key was used for another request.",
            "Use a new key for a new job.",
            status=400,
            code="idempotency_key_reused",
        )
    row = _enter(service, asked, key, fingerprint) if known is None else known
    return JSONResponse(job_object(row))


async def listed(request: Request) -> Response:
    """GET /v1/fine_tuning/jobs?after&limit&metadata[k]=v, newest first."""
    service = service_of(request)
    rows, has_more = service.jobs.listed(
        _metadata(request),
        behind=cursor(service.store, "jobs", request, "FineTuningJob"),
        limit=limit_of(request, 20, MOST_LISTED),
    )
    return JSONResponse(listing([job_object(row) for row in rows], has_more))


async def retrieve(request: Request) -> Response:
    """GET /v1/fine_tuning/jobs/{job_id}."""
    return JSONResponse(job_object(service_of(request).jobs.get(request.path_params["job_id"])))


async def cancel(request: Request) -> Response:
    """POST /v1/fine_tuning/jobs/{job_id}/cancel. Answers once it has taken effect."""
    service = service_of(request)
    job_id = request.path_params["job_id"]
    await service.supervisor.cancel(job_id)
    return JSONResponse(job_object(service.jobs.get(job_id)))


async def pause(request: Request) -> Response:
    """POST /v1/fine_tuning/jobs/{job_id}/pause. Answers once it has taken effect."""
    service = service_of(request)
    job_id = request.path_params["job_id"]
    await service.supervisor.pause(job_id)
    return JSONResponse(job_object(service.jobs.get(job_id)))


async def resume(request: Request) -> Response:
    """POST /v1/fine_tuning/jobs/{job_id}/resume. The job waits in the queue again."""
    service = service_of(request)
    job_id = request.path_params["job_id"]
    service.supervisor.resume(job_id)
    return JSONResponse(job_object(service.jobs.get(job_id)))


async def events(request: Request) -> Response:
    """GET /v1/fine_tuning/jobs/{job_id}/events?after&limit, newest first."""
    service = service_of(request)
    job = service.jobs.get(request.path_params["job_id"])
    rows, has_more = service.jobs.events(
        job["id"],
        behind=cursor(service.store, "events", request, "FineTuningJobEvent"),
        limit=limit_of(request, 20, MOST_LISTED),
    )
    return JSONResponse(listing([event_object(row) for row in rows], has_more))


async def checkpoints(request: Request) -> Response:
    """GET /v1/fine_tuning/jobs/{job_id}/checkpoints?after&limit, newest first."""
    service = service_of(request)
    job = service.jobs.get(request.path_params["job_id"])
    rows, has_more = service.jobs.checkpoints(
        job["id"],
        behind=cursor(service.store, "checkpoints", request, "FineTuningJobCheckpoint"),
        limit=limit_of(request, 10, MOST_LISTED),
    )
    made = _made(service, job)
    data = [checkpoint_object(row, job["fine_tuned_model"] if row["id"] == made else None) for row in rows]
    return JSONResponse(listing(data, has_more, ends=True))


def _made(service: Service, job: sqlite3.Row) -> str | None:
    """The checkpoint that is the fine-tuned model itself, as long as that is there: OpenAI calls it by that name."""
    try:
        service.models.known(job["fine_tuned_model"] or "")
    except NotThere:
        return None
    rows, _ = service.jobs.checkpoints(job["id"], behind=None, limit=1)
    return str(rows[0]["id"]) if rows else None


def _enter(service: Service, asked: JobRequest, key: str | None, fingerprint: str) -> sqlite3.Row:
    method, hyperparameters = asked_for(asked)
    model = _trainable(service, asked.model)
    weights = hyperparameters.get("weights", "full" if model.kind == "built_in" else "lora")
    if model.kind == "built_in" and weights == "lora":
        raise invalid(
            f"method.{method}.hyperparameters.weights",
            f"The model {model.id} learns with all its weights: it is so small that an adapter would save nothing. "
            "Leave 'weights' out, or say 'full'.",
            code="unsupported_value",
        )
    _check_size(service, model, weights)
    training = _file(service, asked.training_file, "training_file")
    validation = None if asked.validation_file is None else _file(service, asked.validation_file, "validation_file")
    if service.jobs.unfinished(paused=True) >= MOST_UNFINISHED:
        raise Throttled(
            f"{MOST_UNFINISHED} jobs are waiting already.",
            "Try again when some have ended.",
            status=429,
            retry_after=60,
        )
    job_id = new_id(JOB_PREFIX, 24)
    service.supervisor.prepare(job_id, training, validation)
    row = service.jobs.create(
        {
            "id": job_id,
            "model": model.snapshot,
            "base": model.base,
            "training_file": asked.training_file,
            "validation_file": asked.validation_file,
            "method": method,
            "hyperparameters": json.dumps(hyperparameters),
            "suffix": asked.suffix,
            "seed": asked.seed,
            "metadata": json.dumps(asked.metadata) if asked.metadata else None,
            "request_key": key,
            "request_hash": fingerprint,
        }
    )
    service.supervisor.begin()
    # Who trains a model talks to one soon, and often before the training has ended.
    service.answering.warm()
    return row


def _trainable(service: Service, model_id: str) -> Model:
    try:
        return service.models.find(model_id)
    except NotThere as error:
        raise invalid(
            "model",
            f"Model {model_id[:200]} is not available for fine-tuning or does not exist.",
            code="model_not_available",
        ) from error


def _check_size(service: Service, model: Model, weights: fitting.Weights) -> None:
    base = service.bases.find(model.base) if model.kind == "hugging_face" else None
    if base is not None:
        fitting.refuse_too_large(base, weights, alone=not service.jobs.unfinished())


def _file(service: Service, file_id: str, param: str) -> Path:
    try:
        row = service.files.get(file_id)
    except NotThere as error:
        raise invalid(param, f"invalid {param}: {file_id[:200]}. No such File object.", code="invalid_file") from error
    if row["purpose"] != "fine-tune":
        raise invalid(
            param,
            f"invalid {param}: {file_id} has the purpose '{row['purpose']}', but must have 'fine-tune'.",
            code="invalid_file",
        )
    return service.files.path(file_id)


def _metadata(request: Request) -> dict[str, str] | None:
    """The pairs of `metadata[k]=v`; None for `metadata=null`, which asks for jobs without any."""
    pairs: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        pair = PAIR.fullmatch(name)
        if pair:
            pairs[pair[1]] = value
        elif name == "metadata":
            if value != "null":
                raise invalid("metadata", "Invalid 'metadata': expected metadata[key]=value, or null.")
            return None
    if len(pairs) > MOST_PAIRS:
        raise invalid("metadata", f"Invalid 'metadata': a job has at most {MOST_PAIRS} pairs, but got {len(pairs)}.")
    return pairs


ROUTES = [
    Route("/v1/fine_tuning/jobs", create, methods=["POST"]),
    Route("/v1/fine_tuning/jobs", listed, methods=["GET"]),
    Route("/v1/fine_tuning/jobs/{job_id}", retrieve, methods=["GET"]),
    Route("/v1/fine_tuning/jobs/{job_id}/cancel", cancel, methods=["POST"]),
    Route("/v1/fine_tuning/jobs/{job_id}/pause", pause, methods=["POST"]),
    Route("/v1/fine_tuning/jobs/{job_id}/resume", resume, methods=["POST"]),
    Route("/v1/fine_tuning/jobs/{job_id}/events", events, methods=["GET"]),
    Route("/v1/fine_tuning/jobs/{job_id}/checkpoints", checkpoints, methods=["GET"]),
]
