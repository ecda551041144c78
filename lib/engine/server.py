"""The engine as a program: a socket on the loopback interface, a token for this start, and an orderly end.

Knows no route by itself and nothing of jobs; it puts the parts together and keeps the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from lib.engine import training_files
from lib.engine.guard import Doorstep, Guard, Presence, names_of
from lib.engine.protocol import refusal
from lib.engine.routes import bases, chat, files, jobs, models, responses, uploads
from lib.engine.service import Service
from lib.engine.settings import Settings
from lib.engine.training_files import Examine
from lib.errors import EngineError, EtudeError, ServiceBroken, ServiceError

ROUTES = [
    *files.ROUTES,
    *uploads.ROUTES,
    *jobs.ROUTES,
    *models.ROUTES,
    *chat.ROUTES,
    *responses.ROUTES,
    *bases.ROUTES,
]
TOKEN_BYTES = 32
LOOK_SECONDS = 0.5
GRACE_SECONDS = 2
# Longer than clients keep a connection (5 s): whoever closes first must not be the server, or a request meets a closed
# door just as it is sent.
KEEP_ALIVE_SECONDS = 75

log = logging.getLogger("etude.engine")


def application(service: Service, doorstep: Doorstep, presence: Presence) -> Guard:
    """The whole application behind its guard; the service starts and stops with it."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers={
            ServiceError: _refuse,
            HTTPException: _no_such_route,
            ClientDisconnect: _nobody,
            Exception: _broken,
        },
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return Guard(app, doorstep, presence)


def serve(settings: Settings, *, examine: Examine = training_files.examine) -> None:
    """Run an engine until SIGTERM, SIGINT, or `settings.idle_exit` seconds without a request or an unfinished job.

    Prints one JSON line {"base_url", "api_key", "pid"} once it accepts requests. Raises EngineError when the port or
    the folder cannot be used, with nothing printed.
    """
    os.umask(0o077)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    service = Service.open(settings, time.time, examine)
    listener = listen(settings.port)
    port = listener.getsockname()[1]
    token = f"sk-etude-{secrets.token_urlsafe(TOKEN_BYTES)}"
    presence = Presence(time.monotonic)
    config = uvicorn.Config(
        application(service, Doorstep(token, names_of(port)), presence),
        http="h11",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    address = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": token, "pid": os.getpid()}
    asyncio.run(_run(_Server(config, address), listener, service, presence, settings.idle_exit))


class _Server(uvicorn.Server):
    """Says where it is once it accepts requests, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config, address: dict[str, object]) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as left:
            raise EngineError(
                "The engine could not take up what lies in its folder.", "The lines above say what is in the way."
            ) from left
        print(json.dumps(self._address), flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _run(
    server: _Server, listener: socket.socket, service: Service, presence: Presence, idle_exit: float | None
) -> None:
    def leave() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, leave)
    watch = asyncio.create_task(_watch(service, presence, idle_exit, leave))
    await server.serve(sockets=[listener])
    watch.cancel()


async def _watch(service: Service, presence: Presence, idle_exit: float | None, leave: Callable[[], None]) -> None:
    """Leave after `idle_exit` seconds in which nobody asked for anything, no job was unfinished, no model fetched."""
    while idle_exit is not None:
        await asyncio.sleep(min(LOOK_SECONDS, idle_exit))
        try:
            busy = service.jobs.unfinished() or service.hub.busy
        except (sqlite3.Error, EtudeError):
            # Its folder may be gone. An engine that cannot read its jobs does none, and must not stay for ever.
            log.exception("The jobs cannot be read.")
            busy = False
        if busy:
            presence.touch()
        elif presence.idle_seconds() >= idle_exit:
            log.info("Nothing to do for %s seconds: the engine ends.", idle_exit)
            leave()
            return


def listen(port: int) -> socket.socket:
    """A socket on the loopback interface, bound but not yet accepting. Raises EngineError when the port is taken."""
    # With the protocol named, asyncio sends small answers at once. Without it each would wait some 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise EngineError(
            f"Port {port} on 127.0.0.1 cannot be used: {error.strerror or error}.",
            "Give another --port, or 0 for any that is free.",
            raw=str(error),
        ) from error
    return listener


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return refusal(error)


async def _no_such_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path[:200]}"
    # Starlette tells the methods of the first route with this path only.
    matching = [route for route in ROUTES if route.matches(request.scope)[0] is not Match.NONE]
    methods = sorted({method for route in matching for method in route.methods or ()})
    said = f"Invalid method for URL ({where})" if methods else f"Invalid URL ({where})"
    answer = refusal(ServiceError(said, status=error.status_code))
    if methods:
        answer.headers["allow"] = ", ".join(methods)
    return answer


async def _broken(request: Request, error: Exception) -> Response:
    """The error itself goes to the log, by way of the server."""
    return refusal(ServiceBroken("The engine had an internal error while processing your request.", status=500))


async def _nobody(request: Request, error: Exception) -> Response:
    """The client is gone: nobody reads this answer."""
    return Response(status_code=499)
