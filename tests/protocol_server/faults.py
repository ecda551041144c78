"""What may go wrong with one request. A fault stands between the true answer and the wire; it knows no endpoint."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, before it is sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Wire:
    """The way back to the client: send parts, end properly, or hang up."""

    def __init__(self, send: Callable[[Any], Awaitable[None]], hang_up: Callable[[], None]) -> None:
        self._send = send
        self._hang_up = hang_up

    async def start(self, reply: Reply, *, with_length: bool) -> None:
        headers = [pair for pair in reply.headers if pair[0].lower() != b"content-length"]
        if with_length:
            headers.append((b"content-length", str(len(reply.body)).encode()))
        await self._send({"type": "http.response.start", "status": reply.status, "headers": headers})

    async def part(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def whole(self, reply: Reply) -> None:
        await self.start(reply, with_length=True)
        await self.end(reply.body)

    async def hang_up(self) -> None:
        """Close the connection at once, without another byte."""
        self._hang_up()
        await asyncio.sleep(0)


class Fault:
    """The base: no fault at all. `act` does what was asked and gives the true answer; call it or leave it."""

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        await wire.whole(await act())


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    pairs = [(b"content-type", b"application/json")]
    pairs += [(name.lower().encode(), text.encode()) for name, text in (headers or {}).items()]
    return Reply(status, tuple(pairs), json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class Refused(Fault):
    """An error in the protocol's own shape, nothing done. `body` replaces the usual `{"error": …}` when given."""

    status: int
    message: str = "Refused by the test."
    code: str | None = None
    type: str | None = "invalid_request_error"
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        usual = {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}
        headers = {"x-request-id": "req_refused", **self.headers}
        await wire.whole(json_reply(self.status, usual if self.body is None else self.body, headers))


def refused_by_code(status: int, code: str, message: str, **headers: str) -> Refused:
    """A refusal known by its code; header names with underscores for dashes."""
    return Refused(status, message, code, headers={name.replace("_", "-"): text for name, text in headers.items()})


@dataclass(frozen=True, slots=True)
class Html(Fault):
    """A web page instead of an answer: a portal, a proxy, a wrong port."""

    status: int = 200
    text: str = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        await wire.whole(Reply(self.status, ((b"content-type", b"text/html; charset=utf-8"),), self.text.encode()))


@dataclass(frozen=True, slots=True)
class Plain(Fault):
    """Any body of any type, nothing done."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        await wire.whole(Reply(self.status, ((b"content-type", self.content_type.encode()),), self.body))


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """Done, but only the first `size` bytes of the answer's JSON, sent as if they were all."""

    size: int = 20

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        reply = await act()
        await wire.whole(Reply(reply.status, reply.headers, reply.body[: self.size]))


@dataclass(frozen=True, slots=True)
class Replaced(Fault):
    """Done, but the answer's bytes pass through `change` first."""

    change: Callable[[bytes], bytes]

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        reply = await act()
        await wire.whole(Reply(reply.status, reply.headers, self.change(reply.body)))


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """Done, but the connection ends after `after` bytes of the answer's body.

    `clean`: the body is ended properly, so that only its content shows that something is missing.
    """

    after: int
    clean: bool = False

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        reply = await act()
        streamed = any(value.startswith(b"text/event-stream") for _, value in reply.headers)
        await wire.start(reply, with_length=not (streamed or self.clean))
        await wire.part(reply.body[: self.after])
        if self.clean:
            await wire.end()


@dataclass(frozen=True, slots=True)
class Lost(Fault):
    """Done, but the connection closes without a single byte of the answer."""

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        await act()
        await wire.hang_up()


@dataclass(frozen=True, slots=True)
class Dropped(Fault):
    """Not done: the connection closes as soon as the request is read."""

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        await wire.hang_up()


@dataclass(frozen=True, slots=True)
class Held(Fault):
    """Done; the first `after` bytes of the answer are sent, the rest only once `go_on` is set.

    `reached` tells when it waits. `after` None holds back everything, the status line included.
    """

    after: int | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    patience_seconds: float = 30.0

    async def apply(self, act: Callable[[], Awaitable[Reply]], wire: Wire) -> None:
        reply = await act()
        if self.after is not None:
            await wire.start(reply, with_length=False)
            await wire.part(reply.body[: self.after])
        self.reached.set()
        await asyncio.to_thread(self.go_on.wait, self.patience_seconds)
        if self.after is None:
            await wire.whole(reply)
        else:
            await wire.end(reply.body[self.after :])
