"""From a service to a connection, with whatever key is at hand; the embedded service is started when it is needed.

Knows where keys and addresses are to be had; the connection itself is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from lib.services import embedded
from lib.services.connection import Connection, connect
from lib.services.credentials import Secret, find_key
from lib.services.service import EMBEDDED, Service, at
from lib.workspace.database import Workspace


def reach(ws: Workspace, service: Service, session_keys: Mapping[str, Secret]) -> Connection | None:
    """A connection with the key that is at hand; None when the service's key is missing.

    Starts the embedded service when it is the one asked for. Raises EngineError when that fails, Unreachable when the
    address may not be used.
    """
    if service.kind == "embedded":
        running = embedded.ensure(ws.home)
        return connect(at(service, running.base_url), running.api_key)
    secret = find_key(service, session_keys)
    if secret is None and service.key_source != "none":
        return None
    return connect(service, secret)


def reach_running(ws: Workspace) -> Connection | None:
    """A connection to the embedded service if it runs; starts nothing. None otherwise."""
    found = embedded.running(ws.home)
    return connect(at(EMBEDDED, found.base_url), found.api_key) if found is not None else None
