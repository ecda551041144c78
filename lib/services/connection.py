"""The one way to a service: the official openai client, held to one origin and one key.

What the client would take from the environment for OpenAI (key, organisation, project, extra headers) goes to OpenAI
alone. A guard in front of the wire refuses every request to another origin than the service's. httpx2 is the client's
own transport and is imported for its settings; no request is made with it here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib.errors import Unreachable
from lib.services import address
from lib.services.credentials import Secret
from lib.services.service import OPENAI, Service

if TYPE_CHECKING:
    import httpx2
    import openai

# Seconds. Reading waits for the service's next byte: long prompts and large uploads keep it silent for a while.
CONNECT, READ, WRITE, POOL = 5.0, 90.0, 90.0, 10.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A service and its client. `once` is the same client without automatic retries, for what must not happen twice."""

    service: Service
    client: openai.OpenAI
    once: openai.OpenAI

    def close(self) -> None:
        """Close both clients. A request that is under way ends with an error."""
        self.client.close()


def connect(service: Service, secret: Secret | None, *, transport: httpx2.BaseTransport | None = None) -> Connection:
    """A connection to a service; nothing is sent yet. `secret` None: no key is sent. `transport` is for tests.

    Raises Unreachable when the address may not be used or the key is bound to another origin.
    """
    import httpx2
    import openai

    base_url = address.checked(service.base_url)
    origin = address.origin_of(base_url)
    if secret is not None and secret.origin != origin:
        raise Unreachable(
            f"The key was given for {secret.origin} and is not sent to {origin}.",
            f"Give the key of {service.name} again if the address is right.",
        )

    def guard(request: httpx2.Request) -> None:
        if address.origin_of(str(request.url)) != origin:
            raise httpx2.UnsupportedProtocol(f"A request to {request.url.host} was stopped: the service is {origin}.")
        for name in _not_for(origin, os.environ):
            request.headers.pop(name, None)
        request.headers.pop("Authorization", None)
        if secret is not None:
            request.headers["Authorization"] = f"Bearer {secret.reveal()}"

    local = address.is_loopback(base_url)
    http = httpx2.Client(
        transport=transport,
        timeout=httpx2.Timeout(connect=CONNECT, read=READ, write=WRITE, pool=POOL),
        follow_redirects=False,
        trust_env=not local,
        # Certificates take 40 ms to load and are not looked at over plain http.
        verify=not base_url.startswith("http:"),
        event_hooks={"request": [guard]},
    )
    # The guard adds the key, so that no object that might be logged or kept holds it.
    client = openai.OpenAI(api_key="added by the guard", admin_api_key="", base_url=base_url, http_client=http)
    return Connection(service, client, client.with_options(max_retries=0))


def _not_for(origin: str, environment: Mapping[str, str]) -> list[str]:
    """The headers that the client adds from the environment and that are meant for OpenAI alone."""
    if origin == OPENAI.origin:
        return []
    lines = environment.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    named = [line.partition(":")[0].strip() for line in lines if ":" in line]
    return [*named, "OpenAI-Organization", "OpenAI-Project"]
