"""What every answer of the engine shares: the error shape, lists with their cursor, and typed reading of requests.

A refusal is raised as one of the service errors of `lib.errors`, which carry status, code and param: the same tree that
a client's diagnosis ends in. Source of the shapes: OpenAI's OpenAPI document of 2026-08-21.
Knows no route and no row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse

from lib.engine.misfit import misfit, out_of_bounds
from lib.engine.store import Store, Table
from lib.errors import NotThere, Rejected, ServiceError, Throttled

BODY_LIMIT = 10 * 1024 * 1024
# A key that is not known is an `invalid_request_error` there as well.
ERROR_TYPES = {403: "permission_error", 429: "rate_limit_error", 500: "server_error"}

T = TypeVar("T")


def refusal(error: ServiceError) -> JSONResponse:
    """An error as the protocol says it."""
    status = error.status or 500
    body = error_body(error)
    # Kept away from clients that retry on their own: the same request would be refused again.
    headers = {"x-should-retry": "false"} if status == 400 else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, Throttled) and error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return JSONResponse(body, status_code=status, headers=headers)


def error_body(error: ServiceError) -> dict[str, Any]:
    """`{"error": {message, type, param, code}}`."""
    kind = ERROR_TYPES.get(error.status or 500, "invalid_request_error")
    return {"error": {"message": str(error), "type": kind, "param": error.param, "code": error.code}}


def not_there(kind: str, identity: str, *, param: str = "id", code: str | None = None) -> NotThere:
    """404 in the service's words, such as "No such File object: file-…"."""
    return NotThere(f"No such {kind} object: {identity}", status=404, param=param, code=code)


def invalid(param: str, what: str, *, code: str = "invalid_value") -> Rejected:
    """400 that names the parameter at fault."""
    return Rejected(what, status=400, param=param, code=code)


async def body_of(request: Request, kind: type[T]) -> T:
    """The request's JSON body as `kind`. Raises Rejected: 400 with the field's path, 413, or 415."""
    return typed(parsed(await raw_body(request)), kind)


def refuse_packed(request: Request) -> None:
    """Raises Rejected (415) for a packed body: what it may come to is known only when it is unpacked."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise Rejected(
            f"Unsupported content encoding: '{encoding[:80]}'.",
            "Send the body as it is.",
            status=415,
            code="unsupported_content_encoding",
        )


async def raw_body(request: Request) -> bytes:
    """The bytes of a JSON request, at most BODY_LIMIT of them."""
    refuse_packed(request)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Rejected(
            f"Unsupported content type: '{media[:80]}'.",
            "This API method only accepts 'application/json' requests.",
            status=415,
            code="unsupported_content_type",
        )
    blocks: list[bytes] = []
    size = 0
    async for block in request.stream():
        size += len(block)
        if size > BODY_LIMIT:
            raise Rejected(f"The request is larger than {BODY_LIMIT} bytes.", status=413, code="request_too_large")
        blocks.append(block)
    return b"".join(blocks)


def parsed(raw: bytes) -> Any:
    """One JSON value; numbers such as 3.0 count as the integer they are, as JSON Schema has it."""
    try:
        return _with_integers(msgspec.json.decode(raw))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Rejected(
            f"We could not parse the JSON body of your request: {error}.",
            "Send one JSON object, encoded as UTF-8.",
            status=400,
            raw=str(error),
        ) from error


def typed(value: Any, kind: type[T]) -> T:
    """A JSON value as `kind`. Raises Rejected with the path of the first field that does not fit."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise misfit(error, value, kind) from error


def cursor(store: Store, table: Table, request: Request, kind: str) -> int | None:
    """The place that the query's `after` names, None without one.

    Raises NotThere for an unknown id: starting again from the top would send a paging client round for ever.
    """
    after = request.query_params.get("after")
    if after is None:
        return None
    number = store.number(table, after)
    if number is None:
        raise not_there(kind, after, param="after")
    return number


def limit_of(request: Request, default: int, most: int) -> int:
    """The query's `limit`, between 1 and `most`."""
    text = request.query_params.get("limit")
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise invalid(
            "limit",
            f"Invalid type for 'limit': expected an integer, but got '{text[:40]}' instead.",
            code="invalid_type",
        )
    limit = int(text)
    if not 1 <= limit <= most:
        relation, bound = (">=", "1") if limit < 1 else ("<=", str(most))
        raise out_of_bounds("limit", limit, relation, bound, noun="integer")
    return limit


def listing(data: Sequence[Mapping[str, Any]], has_more: bool, *, ends: bool = False) -> dict[str, Any]:
    """A list object; with `ends` also first_id and last_id, as files and checkpoints have them."""
    answer: dict[str, Any] = {"object": "list", "data": list(data), "has_more": has_more}
    if ends:
        answer |= {"first_id": data[0]["id"] if data else None, "last_id": data[-1]["id"] if data else None}
    return answer


def _with_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_integers(item) for name, item in value.items()}
    return value
