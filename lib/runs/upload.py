"""Brings a file to a service once: content that is there is used again, an upload whose answer got lost is found.

A file's name at the service ends with the start of its hash, so that name and size tell the content. Knows the table
`uploads`; it knows no job.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lib.catalog.limits import limits
from lib.errors import NotThere, Rejected, ServiceError
from lib.runs.heard import clean, whole
from lib.runs.locks import held
from lib.runs.wire import Answer, Sleep, ask_for_one, pages, patiently, refused
from lib.services.connection import Connection
from lib.workspace.database import Workspace

Tell = Callable[[str], None]

ATTEMPTS = 3
PAGES_LOOKED_AT = 20
PENDING = frozenset({"uploaded", "pending", "running", "processing", "queued", "notRunning"})
# Processing is watched for two minutes; then the job is tried, and the service says if it is still too early.
PROCESSING_DELAYS = (0.5, 1.0, 2.0, 3.0, *(5.0,) * 23)
# In the table: an upload was begun and its outcome is not known.
BEGUN = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file at a service; `told_at` is the service's clock when it last spoke of it."""

    file_id: str
    told_at: float | None


def bring(ws: Workspace, connection: Connection, source: Path, name: str, *, sleep: Sleep, tell: Tell) -> Brought:
    """A file at the service with the content of `source`, sent if it is not there, and ready to train on.

    `name` is shown at the service. Raises Rejected when the file is larger than the service takes (then nothing is
    sent) or when the service cannot use it, other ServiceErrors as told.
    """
    sha256, size = _sha256(source), source.stat().st_size
    most = limits(connection.service.kind).file_bytes
    if size > most:
        raise Rejected(
            f"The file has {size:,} bytes; {connection.service.name} takes at most {most:,}.",
            "Take examples out, or shorten them, and launch again. Nothing was sent.",
        )
    with held(ws.home, f"upload-{connection.service.id}-{sha256[:32]}"):
        there = _there(ws, connection, sha256, size, sleep)
        file_id = there or _send(ws, connection, source, name, sha256, sleep, tell)
    return Brought(file_id, _processed(connection, file_id, sleep, tell))


def _there(ws: Workspace, connection: Connection, sha256: str, size: int, sleep: Sleep) -> str | None:
    """The id under which this content was sent before, if the service still has it."""
    rows = ws.read("SELECT file_id FROM uploads WHERE service_id = ? AND sha256 = ?", (connection.service.id, sha256))
    if not rows or rows[0]["file_id"] == BEGUN:
        return None
    file_id = str(rows[0]["file_id"])
    try:
        file = patiently(lambda: _retrieve(connection, file_id), sleep).body
    except NotThere:
        return None
    usable = file.get("status") not in ("error", "deleted") and whole(file.get("bytes")) in (None, size)
    return file_id if usable else None


def _send(
    ws: Workspace, connection: Connection, content: Path, name: str, sha256: str, sleep: Sleep, tell: Tell
) -> str:
    """Upload; when no answer comes, look whether the file arrived before it is sent again."""
    size = content.stat().st_size
    shown = f"{_plain(name)}-{sha256[:16]}.jsonl"
    rows = ws.read(
        "SELECT 1 FROM uploads WHERE service_id = ? AND sha256 = ? AND file_id = ?",
        (connection.service.id, sha256, BEGUN),
    )
    found = _lost(connection, shown, size, sleep) if rows else None
    attempt = 0
    while found is None:
        attempt += 1
        _remember(ws, connection, sha256, BEGUN)
        tell(f"Uploading {shown} ({size:,} bytes).")
        try:
            found = _post(connection, content, shown)
        except ServiceError as error:
            if refused(error):
                raise
            tell("The upload was not answered; looking whether the file arrived.")
            found = _lost(connection, shown, size, sleep)
            if found is None and attempt == ATTEMPTS:
                raise
    _remember(ws, connection, sha256, found)
    return found


def _post(connection: Connection, content: Path, shown: str) -> str:
    files = connection.once.files.with_raw_response
    with content.open("rb") as file:
        answer = ask_for_one(
            connection, "upload the file", lambda: files.create(file=(shown, file), purpose="fine-tune")
        )
    return clean(answer.body["id"])


def _lost(connection: Connection, shown: str, size: int, sleep: Sleep) -> str | None:
    """The newest file with this name and size at the service."""
    files = connection.once.files.with_raw_response

    def look() -> str | None:
        listed = pages(connection, "list the files", lambda query: files.list(purpose="fine-tune", **query))
        same = [
            file
            for page in islice(listed, PAGES_LOOKED_AT)
            for file in page
            if file.get("filename") == shown and whole(file.get("bytes")) == size and isinstance(file.get("id"), str)
        ]
        newest = max(same, key=lambda file: whole(file.get("created_at")) or 0, default=None)
        return clean(newest["id"]) if newest is not None else None

    return patiently(look, sleep)


def _processed(connection: Connection, file_id: str, sleep: Sleep, tell: Tell) -> float | None:
    """Wait until the file can be used and return the service's clock then. Some services never say that it can."""
    for delay in (*PROCESSING_DELAYS, None):
        answer = patiently(lambda: _retrieve(connection, file_id), sleep)
        status, details = answer.body.get("status"), answer.body.get("status_details")
        if status == "error":
            raise Rejected(
                f"{connection.service.name} could not use the file: {clean(details or 'it gave no reason')}.",
                "Check the examples on the Data page, then launch again.",
                raw=clean(answer.body),
            )
        if status not in PENDING or delay is None:
            break
        tell("The service is still reading the file.")
        sleep(delay)
    return answer.told_at


def _retrieve(connection: Connection, file_id: str) -> Answer:
    files = connection.once.files.with_raw_response
    return ask_for_one(connection, "look at the uploaded file", lambda: files.retrieve(file_id))


def _remember(ws: Workspace, connection: Connection, sha256: str, file_id: str) -> None:
    with ws.write() as db:
        db.execute(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)",
            (connection.service.id, sha256, file_id, ws.clock()),
        )


def _plain(name: str) -> str:
    """A name that any service and any header takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40].lower() or "examples"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
