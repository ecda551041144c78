"""From anything that went wrong with a service to one ServiceError: what happened, what to do, and the raw words.

The rows are in failures.toml beside this file; a new failure is a new row there and nothing else. What no row knows is
said to be unknown and shown as it came.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lib import errors
from lib.errors import Rejected, ServiceBroken, ServiceError, Throttled
from lib.services import symptom
from lib.services.service import Service
from lib.services.symptom import Symptom

TABLE = Path(__file__).parent / "failures.toml"

# What a sentence says where the service did not name the thing.
_UNNAMED = {
    "model": "that model",
    "project": "it",
    "file": "that file",
    "job": "that job",
    "example": "one of the examples",
    "message": "one of its messages",
    "field": "one of the fields",
    "name": "see below",
    "scopes": "see below",
    "lines": "none",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One known failure; see the head of failures.toml for how it is recognised."""

    name: str
    error: type[ServiceError]
    what: str
    todo: str
    status: frozenset[int] = frozenset()
    kind: frozenset[str] = frozenset()
    shape: str = ""
    code: frozenset[str] = frozenset()
    type: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None
    cause: frozenset[str] = frozenset()

    def fits(self, seen: Symptom, kind: str) -> bool:
        """Whether this row explains what was seen of a service of this kind."""
        if (self.status and seen.status not in self.status) or (self.kind and kind not in self.kind):
            return False
        if self.shape and self.shape != seen.shape:
            return False
        if not (self.code or self.type or self.words or self.cause):
            return True
        spoken = self.words is not None and (self.words.search(seen.message) or self.words.search(seen.text))
        return (
            bool(spoken) or seen.code in self.code or seen.type in self.type or not self.cause.isdisjoint(seen.causes)
        )


@cache
def rows() -> tuple[Row, ...]:
    """The table, in the order in which rows are tried."""
    return tuple(map(_row, tomllib.loads(TABLE.read_text(encoding="utf-8"))["row"]))


def explain(
    error: BaseException, service: Service, doing: str = "do this", *, now: float | None = None
) -> ServiceError:
    """What an exception means that came out of speaking to a service. `doing` completes "when asked to …".

    The result holds nothing of the exception but texts: no request, and so no key. A ServiceError stays as it is.
    """
    if isinstance(error, ServiceError):
        return error
    seen = symptom.of(error, time.time() if now is None else now)
    row = find(seen, service.kind)
    if row is not None:
        return _told(row, seen, service, doing)
    if seen.status is not None:
        return _error(
            ServiceBroken,
            f"{service.subject} answered with status {seen.status} when asked to {doing}, and Etude does not know why.",
            "Its own words are below.",
            seen,
        )
    if "APIError" in seen.causes:
        return _error(
            ServiceBroken,
            f"{service.subject} broke off with a message of its own when asked to {doing}.",
            "Its own words are below.",
            seen,
        )
    return _error(
        ServiceBroken,
        f"Something that Etude does not know went wrong in asking {service.name} to {doing}.",
        "The exact words are below.",
        seen,
    )


def explain_job(error: Mapping[str, Any] | None, service: Service) -> ServiceError | None:
    """Why a job failed, from its `error` object. None when it says nothing: healthy jobs have `{}` or nulls there."""
    if not error or not (error.get("code") or error.get("message")):
        return None
    seen = symptom.of_job(error)
    row = find(seen, service.kind)
    if row is not None:
        return _told(row, seen, service, "train")
    return _error(Rejected, f"The job failed at {service.name}: {seen.message}", "Its own words are below.", seen)


def find(seen: Symptom, kind: str) -> Row | None:
    """The first row that fits, None when nobody has met this before."""
    return next((row for row in rows() if row.fits(seen, kind)), None)


def _told(row: Row, seen: Symptom, service: Service, doing: str) -> ServiceError:
    matches = row.words.finditer(f"{seen.message}\n{seen.text}") if row.words else ()
    groups = {name: value for match in matches for name, value in match.groupdict().items() if value}
    # A pattern may find the same thing in several ways, under names of their own.
    name = groups.get("name") or groups.get("other") or groups.get("third") or seen.param
    values = {
        **_UNNAMED,
        **groups,
        **({"name": name} if name else {}),
        "service": service.subject,
        "host": service.host or service.subject,
        "doing": doing,
        "status": seen.status,
        "wait": _wait(seen.retry_after),
    }
    return _error(row.error, row.what.format_map(values).strip(), row.todo.format_map(values), seen)


def _wait(seconds: float | None) -> str:
    if seconds is None:
        return "It does not say how long to wait; a minute is usual."
    if seconds < 90:
        return f"It asks to wait {max(1, round(seconds))} seconds."
    return f"It asks to wait {round(seconds / 60)} minutes."


def _error(kind: type[ServiceError], what: str, todo: str, seen: Symptom) -> ServiceError:
    return kind(
        what,
        todo,
        raw=seen.raw,
        status=seen.status,
        code=seen.code,
        param=seen.param,
        request_id=seen.request_id,
        retry_after=seen.retry_after if kind is Throttled else None,
    )


def _row(entry: dict[str, Any]) -> Row:
    sets = {name: frozenset(entry[name]) for name in ("status", "kind", "code", "type", "cause") if name in entry}
    words = re.compile(entry["words"], re.IGNORECASE | re.DOTALL) if "words" in entry else None
    error = getattr(errors, entry["error"])
    return Row(entry["name"], error, entry["what"], entry["todo"], shape=entry.get("shape", ""), words=words, **sets)
