"""Runs the endpoints in a thread on the loopback interface, logs what was asked, and puts faults in the way."""

from __future__ import annotations

import fnmatch
import json
import socket
import threading
from collections.abc import MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from tests.protocol_server.faults import Fault, Reply, Wire, json_reply
from tests.protocol_server.routes import application, error_body
from tests.protocol_server.world import World


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request as it came in. `path` is without /v1; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ProtocolServer:
    """A service under a test's control. `requests` is everything that reached it, in order."""

    def __init__(self, api_key: str = "sk-protocol-test") -> None:
        self.api_key = api_key
        self.requests: list[SeenRequest] = []
        self.world = World()
        self._app = application(self.world)
        self._faults: list[tuple[str, str, Fault, int | None]] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._application,
            interface="asgi3",
            http="h11",
            ws="none",
            lifespan="off",
            proxy_headers=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="protocol server")
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def next(self, method: str, path: str, fault: Fault, times: int | None = 1) -> None:
        """Let `fault` befall the next `times` requests (None: all) to a path such as /fine_tuning/jobs/*.

        Faults for the same request are used up in the order in which they were given.
        """
        self._faults.append((method, path, fault, times))

    def seen(self, method: str, path: str) -> list[SeenRequest]:
        """The logged requests to a path such as /fine_tuning/jobs/*."""
        return [one for one in self.requests if one.method == method and fnmatch.fnmatchcase(one.path, path)]

    def count(self, method: str, path: str) -> int:
        return len(self.seen(method, path))

    def reset(self) -> None:
        """As new, at the same address: no files, no jobs, no faults, an empty log."""
        self.requests = []
        self._faults = []
        self.world = World()
        self._app = application(self.world)

    def close(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    def __enter__(self) -> ProtocolServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        path = scope["path"]
        request = SeenRequest(
            scope["method"],
            path.removeprefix("/v1"),
            dict(parse_qsl(scope["query_string"].decode())),
            {name.decode(): value.decode("latin-1") for name, value in scope["headers"]},
            body,
        )
        self.requests.append(request)

        async def act() -> Reply:
            return await self._true_answer(request, scope, body)

        # The bound method of uvicorn's cycle is the only way to its connection, and hanging up needs the connection.
        wire = Wire(send, send.__self__.transport.abort)
        await self._fault(request).apply(act, wire)

    def _fault(self, request: SeenRequest) -> Fault:
        for position, (method, path, fault, times) in enumerate(self._faults):
            if method == request.method and fnmatch.fnmatchcase(request.path, path):
                if times is not None:
                    left = times - 1
                    self._faults[position : position + 1] = [(method, path, fault, left)] if left else []
                return fault
        return Fault()

    async def _true_answer(self, request: SeenRequest, scope: Any, body: bytes) -> Reply:
        identity = (("x-request-id", self.world.new_id("req_")),)
        if request.headers.get("authorization") != f"Bearer {self.api_key}":
            key = request.headers.get("authorization", "").removeprefix("Bearer ")
            text = f"Incorrect API key provided: {key[:3]}…. You can find your API key at https://example.com."
            return json_reply(401, error_body(text, code="invalid_api_key"), dict(identity))
        messages: list[MutableMapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            messages.append(message)

        with self.world.lock:
            await self._app(scope, receive, send)
        headers = [*messages[0]["headers"], *((name.encode(), value.encode()) for name, value in identity)]
        content = b"".join(message.get("body", b"") for message in messages[1:])
        return Reply(messages[0]["status"], tuple(headers), content)
