"""Who may speak to the engine: programs of this machine that hold the token, and never a web page.

Wraps the whole application, so that no route can be forgotten. Refused are: a Host that is not this server (a rebound
name), any Origin and any Sec-Fetch-Site other than none (a page in the user's browser), every WebSocket, and a request
without the token. Answers never carry CORS headers. Every answer gets the headers that OpenAI's answers have.
Knows no route.
"""

from __future__ import annotations

import hmac
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.engine.protocol import refusal
from lib.errors import BadCredentials, NotAllowed, Rejected, ServiceError, Throttled

MOST_AT_ONCE = 256
# The version of its API that OpenAI names in each answer.
API_VERSION = "2020-10-01"


@dataclass(frozen=True, slots=True)
class Doorstep:
    """What the guard compares with: the token, and the Host values that name this server."""

    token: str
    hosts: frozenset[str]


def names_of(port: int) -> frozenset[str]:
    """The Host values of a server on the loopback interface."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})


class Presence:
    """Which requests are in hand, and when the last one ended: what --idle-exit asks."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.in_hand = 0
        self._last = clock()

    def begin(self) -> None:
        self.in_hand += 1

    def end(self) -> None:
        self.in_hand -= 1
        self._last = self._clock()

    def touch(self) -> None:
        """Count from now: something else than a request keeps the engine needed."""
        self._last = self._clock()

    def idle_seconds(self) -> float:
        """Seconds since the last request ended; 0 while one is in hand."""
        return 0.0 if self.in_hand else self._clock() - self._last


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, doorstep: Doorstep, presence: Presence) -> None:
        self._app = app
        self._doorstep = doorstep
        self._presence = presence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"req_{uuid.uuid4().hex}"
        began = time.monotonic()

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["openai-version"] = API_VERSION
                headers["openai-processing-ms"] = str(round((time.monotonic() - began) * 1000))
                headers["cache-control"] = "no-store"
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        self._presence.begin()
        try:
            problem = self._objection(Headers(scope=scope))
            answer = self._app if problem is None else refusal(problem)
            await answer(scope, receive, marked)
        finally:
            self._presence.end()

    def _objection(self, headers: Headers) -> ServiceError | None:
        if headers.getlist("host") not in [[name] for name in self._doorstep.hosts]:
            return Rejected("This server does not answer to that Host.", status=421, code="wrong_host")
        if "origin" in headers or any(site != "none" for site in headers.getlist("sec-fetch-site")):
            return NotAllowed("This server does not answer web pages.", status=403, code="web_page_refused")
        if not self._known(headers.getlist("authorization")):
            there = "authorization" in headers
            return BadCredentials(
                "Incorrect API key provided." if there else "You didn't provide an API key.",
                "Use the api_key that the engine printed when it started, in an Authorization header using Bearer auth "
                "(i.e. Authorization: Bearer YOUR_KEY).",
                status=401,
                code="invalid_api_key" if there else None,
            )
        if self._presence.in_hand > MOST_AT_ONCE:
            return Throttled("Too many requests at once.", "Try again in a second.", status=429, retry_after=1.0)
        return None

    def _known(self, given: Iterable[str]) -> bool:
        expected = f"Bearer {self._doorstep.token}".encode()
        values = [value.encode("latin-1", "replace") for value in given]
        return len(values) == 1 and hmac.compare_digest(values[0], expected)
