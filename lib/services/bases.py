"""Base models of the service on this machine: what was added, what is on its way, adding and removing.

Speaks to `/etude/bases`, which only that service has, over the very connection that everything else goes through. Knows
no screen and no command.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lib.errors import EtudeError, NotThere, Rejected, ServiceBroken, ServiceError
from lib.services.connection import Connection
from lib.services.diagnosis import explain
from lib.workspace.database import Workspace

# The setting that keeps the list.
KNOWN = "added_bases"
REFUSALS: Mapping[int, type[ServiceError]] = {400: Rejected, 404: NotThere, 409: Rejected}


@dataclass(frozen=True, slots=True)
class AddedBase:
    """A base model that a person added. `status` is ready, missing, downloading or failed; sizes are in bytes.

    `lora_memory` and `full_memory` are what training needs at least, `free_memory` what is free now; None where it is
    not known. `error` says in sentences why it cannot be used.
    """

    name: str
    status: str
    folder: str | None
    hub_id: str | None
    parameters: int | None
    weight_bytes: int | None
    context: int | None
    lora_memory: int | None
    full_memory: int | None
    free_memory: int | None
    received: int | None
    total: int | None
    error: str | None


def listed(connection: Connection) -> tuple[AddedBase, ...]:
    """What was added and what is on its way, by name. Raises ServiceError."""
    with _told(connection, "list base models"):
        said: Any = connection.client.get(_address(connection), cast_to=object)
    if not isinstance(said, dict) or not isinstance(said.get("data"), list):
        raise _other_shape("no list")
    return tuple(map(_base, said["data"]))


def add(connection: Connection, text: str, name: str | None = None) -> AddedBase:
    """Add what a person named: a folder on this machine, or the id of a model on a hub, which is then fetched.

    Raises EtudeError for a text that is neither, and ServiceError, with the service's own sentence, for what cannot be
    used. Asking twice adds nothing twice.
    """
    body = meant(text) | ({"name": name} if name else {})
    with _told(connection, "add a base model"):
        return _base(connection.once.post(_address(connection), cast_to=object, body=body))


def remove(connection: Connection, name: str, *, with_files: bool = False) -> None:
    """Take an entry out, or give up a download. A person's folder stays; `with_files` deletes what a hub sent.

    Raises ServiceError.
    """
    address = f"{_address(connection)}/{quote(name, safe='')}" + ("?files=true" if with_files else "")
    with _told(connection, "remove a base model"):
        connection.once.delete(address, cast_to=object)


def heard(ws: Workspace, connection: Connection) -> tuple[AddedBase, ...]:
    """Ask for the list and keep it, so that whoever shows it need not ask. Raises ServiceError."""
    found = listed(connection)
    ws.set_setting(KNOWN, [asdict(base) for base in found])
    return found


def known(ws: Workspace) -> tuple[AddedBase, ...]:
    """The list as it was when the service was last asked."""
    try:
        return tuple(AddedBase(**held) for held in ws.setting(KNOWN, []))
    except TypeError:
        # Another version of Etude wrote it; the next answer replaces it.
        return ()


def meant(text: str) -> dict[str, str]:
    """What a person named, as the service wants it. A folder that is there comes before a hub id that reads alike."""
    written = text.strip()
    path = Path(os.path.expanduser(written))
    if written and path.is_dir():
        return {"folder": str(path.resolve())}
    if not written or written.startswith(("/", ".", "~")) or written.count("/") > 1:
        raise EtudeError(
            f"There is no folder {written[:200]}." if written else "Nothing was named.",
            "Name the folder of a model on this machine, or a model on a hub as organization/name.",
        )
    return {"hub_id": written}


def figures(base: AddedBase) -> str:
    """Size and memory in one line, as far as they are known."""
    known = [
        f"{_counted(base.parameters)} parameters" if base.parameters else "",
        f"{_gigabytes(base.weight_bytes)} on disk" if base.weight_bytes else "",
        f"{_gigabytes(base.lora_memory)} of memory to train an adapter" if base.lora_memory else "",
        f"{_gigabytes(base.free_memory)} free" if base.free_memory is not None else "",
    ]
    return ", ".join(part for part in known if part)


def progress(base: AddedBase) -> str:
    """How much of a download has come."""
    if base.total is None:
        return "asking the hub" if not base.received else f"{_gigabytes(base.received)} so far"
    share = min(100, 100 * (base.received or 0) // max(1, base.total))
    return f"{_gigabytes(base.received or 0)} of {_gigabytes(base.total)} ({share} %)"


@contextmanager
def _told(connection: Connection, doing: str) -> Iterator[None]:
    """The service's own sentence where it refuses; anything else as what it means."""
    import openai

    try:
        yield
    except openai.APIStatusError as refusal:
        said = refusal.body if isinstance(refusal.body, Mapping) else {}
        kind = REFUSALS.get(refusal.status_code)
        if kind is None or not isinstance(said.get("message"), str):
            raise explain(refusal, connection.service, doing) from None
        raise kind(said["message"], status=refusal.status_code, code=refusal.code, param=refusal.param) from None
    except (openai.OpenAIError, ValueError, AttributeError) as error:
        raise explain(error, connection.service, doing) from None


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 50_000_000 else f"{size / 1e6:,.1f} MB"


def _counted(number: int) -> str:
    for unit, name in ((1_000_000_000, "B"), (1_000_000, "M")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number:,}"


def _address(connection: Connection) -> str:
    # Outside of /v1, where OpenAI's own routes are.
    return f"{connection.service.origin}/etude/bases"


def _base(said: Any) -> AddedBase:
    try:
        memory = said["memory"] or {}
        return AddedBase(
            name=said["id"],
            status=said["status"],
            folder=said["folder"],
            hub_id=said["hub_id"],
            parameters=said["parameters"],
            weight_bytes=said["weight_bytes"],
            context=said["context"],
            lora_memory=memory.get("lora"),
            full_memory=memory.get("full"),
            free_memory=memory.get("free"),
            received=said["received_bytes"],
            total=said["total_bytes"],
            error=said["error"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise _other_shape(str(error)) from error


def _other_shape(raw: str) -> ServiceBroken:
    return ServiceBroken(
        "The service on this machine spoke of base models in a way that Etude does not know.",
        "It may be of another version: stop it and try again.",
        raw=raw,
    )
