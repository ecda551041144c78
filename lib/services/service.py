"""What a service is, and the ones this workspace knows: the embedded one, OpenAI, and those that were added.

Owns the table `services`. Knows where a key comes from, never the key itself.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from lib.errors import BadCredentials, ServiceError
from lib.services import address
from lib.workspace.database import Workspace, new_id

Kind = Literal["embedded", "openai", "azure", "nebius", "other"]

_ENVIRONMENT_NAME = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Service:
    """An API to talk to. `key_source` is "session", "env:NAME" or "none" (a service that asks for no key).

    `base_url` is empty for the embedded service until it runs: see `at`.
    """

    id: str
    kind: Kind
    name: str
    base_url: str
    key_source: str

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a key is bound to."""
        return address.origin_of(self.base_url)

    @property
    def host(self) -> str:
        """Where data goes, as it is shown before it goes."""
        return urlsplit(self.base_url).netloc

    @property
    def on_this_machine(self) -> bool:
        """Whether nothing that is sent there leaves the machine."""
        return self.kind == "embedded" or address.is_loopback(self.base_url)

    @property
    def subject(self) -> str:
        """The service as the subject of a sentence."""
        return "The service on this machine" if self.kind == "embedded" else self.name

    @property
    def token_limit(self) -> str:
        """What the bound on an answer's length is called there: OpenAI gave it a new name, others kept the first."""
        return "max_completion_tokens" if self.kind in ("openai", "azure") else "max_tokens"


EMBEDDED = Service("embedded", "embedded", "On this machine", "", "none")
OPENAI = Service("openai", "openai", "OpenAI", address.OPENAI, "env:OPENAI_API_KEY")


def known(ws: Workspace) -> tuple[Service, ...]:
    """Every service that can be chosen: the embedded one, OpenAI, then the added ones from the oldest."""
    rows = ws.read("SELECT * FROM services ORDER BY created_at, id")
    return (EMBEDDED, OPENAI, *map(_service, rows))


def find(ws: Workspace, service_id: str) -> Service | None:
    """The service with this id, None when there is none any more."""
    return next((one for one in known(ws) if one.id == service_id), None)


def add(ws: Workspace, *, kind: Kind, name: str, base_url: str, key_source: str = "session") -> Service:
    """Remember a service.

    Raises Unreachable when the address may not be used (see `address.checked`), BadCredentials when the key would come
    from a place that belongs to another service, ServiceError when the kind or name cannot be used.
    """
    if kind not in get_args(Kind) or kind in ("embedded", "openai"):
        raise ServiceError(f"A service of kind {kind!r} cannot be added.", "Use azure, nebius or other.")
    if not name.strip():
        raise ServiceError("The service has no name.", "Give it one that you will recognise.")
    service = Service(new_id("svc"), kind, name.strip(), address.checked(base_url), key_source)
    if key_source not in ("session", "none") and not _ENVIRONMENT_NAME.fullmatch(key_source):
        raise BadCredentials(
            f"{key_source!r} is not a place that a key can come from.", "Use session, none or env:NAME."
        )
    if key_source == OPENAI.key_source and service.origin != OPENAI.origin and not service.on_this_machine:
        raise BadCredentials(
            f"The variable OPENAI_API_KEY belongs to OpenAI and is not sent to {service.host}.",
            "Put this service's key into a variable of another name.",
        )
    with ws.write() as db:
        db.execute(
            "INSERT INTO services VALUES (?, ?, ?, ?, ?, ?)",
            (service.id, service.kind, service.name, service.base_url, service.key_source, ws.clock()),
        )
    return service


def remove(ws: Workspace, service_id: str) -> None:
    """Forget an added service. Its runs stay; they are not followed any more."""
    with ws.write() as db:
        db.execute("DELETE FROM services WHERE id = ?", (service_id,))


def at(service: Service, base_url: str) -> Service:
    """The same service at the address that it has now (the embedded one gets a new one at each start)."""
    return replace(service, base_url=address.checked(base_url))


def _service(row: sqlite3.Row) -> Service:
    return Service(row["id"], cast(Kind, row["kind"]), row["name"], row["base_url"], row["key_source"])
