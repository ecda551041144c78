"""Asks a service through the official client and reads its answers as plain JSON.

The client's own types are passed by, because what services really send does not always fit them; what is not JSON or
not of the kind that was asked for becomes a ServiceError. Knows no endpoint, no workspace and no meaning.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar

from lib.errors import ServiceBroken, ServiceError, Throttled, Unreachable
from lib.services.connection import Connection
from lib.services.diagnosis import explain

PAGE = 100
MOST_PAGES = 10_000
MOST_RAW = 2_000
# A read that failed is tried again after these many seconds.
DELAYS = (0.5, 1.0, 2.0, 4.0)
LONGEST_WAIT = 60.0
# Answers in the 400s that do not say that nothing was done.
UNCLEAR = frozenset({408, 425, 499})

Sleep = Callable[[float], None]
Result = TypeVar("Result")


class RawAnswer(Protocol):
    """What `with_raw_response` of the official client gives."""

    @property
    def content(self) -> bytes: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object that a service sent; `told_at` is the service's own clock then, seconds since 1970."""

    body: dict[str, Any]
    told_at: float | None


def ask(connection: Connection, doing: str, call: Callable[[], Any]) -> Answer:
    """One request. `call` uses `with_raw_response`; `doing` completes "could not …" in the sentence of an error.

    Raises the ServiceError that explains a failure; ServiceBroken when the answer is no JSON object.
    """
    try:
        raw: RawAnswer = call()
        body = json.loads(raw.content)
    except Exception as error:
        raise explain(error, connection.service, doing) from error
    if not isinstance(body, dict):
        raise _not_the_protocol(connection, doing, body)
    return Answer(body, _date(raw.headers.get("date")))


def ask_for_one(connection: Connection, doing: str, call: Callable[[], Any]) -> Answer:
    """One object with an id, such as a job or a file. Raises ServiceBroken when the answer has none."""
    answer = ask(connection, doing, call)
    if not isinstance(answer.body.get("id"), str) or not answer.body["id"]:
        raise _not_the_protocol(connection, doing, answer.body)
    return answer


def pages(
    connection: Connection, doing: str, fetch: Callable[[Mapping[str, Any]], Any]
) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, each a list of objects. `fetch` gets the query (`limit`, `after`) and makes the request.

    Ends when the service says so, at an empty page, and when a page brings nothing new: there are services that ignore
    `after`, or always claim to have more.
    """
    seen: set[str] = set()
    query: dict[str, Any] = {"limit": PAGE}
    for _ in range(MOST_PAGES):
        body = ask(connection, doing, lambda query=query: fetch(query)).body  # type: ignore[misc]
        data = body.get("data")
        if not isinstance(data, list):
            raise _not_the_protocol(connection, doing, body)
        found = [one for one in data if isinstance(one, dict)]
        marks = {json.dumps(one.get("id") or one, sort_keys=True) for one in found}
        if marks <= seen:
            return
        seen |= marks
        yield found
        last = found[-1].get("id")
        if body.get("has_more") is False or not isinstance(last, str):
            return
        query = {"limit": PAGE, "after": last}


def patiently(read: Callable[[], Result], sleep: Sleep) -> Result:
    """Try a read again while the service is away, broken or asks to wait for at most a minute. Never for a write."""
    for delay in DELAYS:
        try:
            return read()
        except (Unreachable, ServiceBroken, Throttled) as error:
            if (error.retry_after or 0.0) > LONGEST_WAIT:
                raise
            sleep(max(delay, error.retry_after or 0.0))
    return read()


def refused(error: ServiceError) -> bool:
    """Whether a request surely had no effect: the service said no, or no connection to it was made."""
    if error.status is not None:
        return 400 <= error.status < 500 and error.status not in UNCLEAR
    import httpx2

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
            return True
        cause = cause.__cause__
    return False


def _not_the_protocol(connection: Connection, doing: str, body: Any) -> ServiceBroken:
    return ServiceBroken(
        f"{connection.service.name} did not answer what was asked for; Etude could not {doing}.",
        "Check that the address is that of an API that speaks OpenAI's protocol; Doctor examines it.",
        raw=json.dumps(body)[:MOST_RAW],
    )


def _date(header: str | None) -> float | None:
    if header is None:
        return None
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError):
        return None
