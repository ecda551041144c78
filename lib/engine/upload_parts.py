"""Uploads in parts: announced, filled part by part, and put together into a file, or given up.

Parts lie under `uploads/` until their upload is completed, cancelled or an hour old; a restart keeps them.
Source of the rules: OpenAI's OpenAPI document of 2026-08-21. Knows no route and no form.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lib.engine.file_shelf import FileShelf, file_object
from lib.engine.protocol import invalid, not_there
from lib.engine.store import Store, new_id
from lib.engine.whole_file import whole_file
from lib.errors import NotAllowed, Rejected

PART_LIMIT = 64 * 1024 * 1024
UPLOAD_LIMIT = 8 * 1024 * 1024 * 1024
MOST_PARTS = 10_000
LIFETIME_SECONDS = 3600
# How long it is still told what became of an upload, rather than that there is none.
REMEMBERED_SECONDS = 24 * 3600
BLOCK = 1 << 20

PREFIX = "part_"


class UploadShelf:
    """Uploads by id, and the bytes of their parts in `folder`. Used from the thread of the event loop only."""

    def __init__(self, store: Store, files: FileShelf, folder: Path, clock: Callable[[], float]) -> None:
        self._store = store
        self._files = files
        self._folder = folder
        self._clock = clock
        self._joining: set[str] = set()

    def sweep(self) -> None:
        """Remove parts that no upload can use any more, a crash's remains among them. Only before any request."""
        self._drop_ended()
        named = {row["id"] for row in self._store.rows("SELECT id FROM parts")}
        for path in self._folder.glob(f"{PREFIX}*"):
            if path.is_file() and path.name not in named:
                path.unlink()

    def begin(self, *, filename: str, purpose: str, size: int, lives: int | None) -> dict[str, Any]:
        """A new upload of `size` bytes. Its file will live for `lives` seconds. Raises NotAllowed over UPLOAD_LIMIT."""
        if size > UPLOAD_LIMIT:
            # 403: the protocol gives `bytes` no bound, so a large number is no malformed one.
            raise NotAllowed(
                f"An upload may have at most {UPLOAD_LIMIT} bytes.", status=403, param="bytes", code="upload_too_large"
            )
        self._drop_ended()
        now = int(self._clock())
        upload_id = new_id("upload_")
        with self._store.change() as db:
            db.execute(
                "INSERT INTO uploads (id, filename, purpose, bytes, lives, status, created_at, expires_at) "
                "VALUES (?, ?, ?, ?, ?, 'pending', ?, ?)",
                (upload_id, filename, purpose, size, lives, now, now + LIFETIME_SECONDS),
            )
        return self._told(self._row(upload_id))

    def new_path(self, upload_id: str) -> Path:
        """Where the bytes of a part that is about to arrive are written. Raises NotThere, or Rejected as `add` does."""
        self._drop_ended()
        self._room(upload_id)
        return self._folder / new_id(PREFIX)

    def add(self, upload_id: str, path: Path) -> dict[str, Any]:
        """Enter a written and synced part, named by its path.

        Raises Rejected when the upload is not pending any more or would become too large; the part is then gone.
        """
        now = int(self._clock())
        try:
            size = path.stat().st_size
            if size > self._room(upload_id):
                raise Rejected(
                    f"The parts of an upload may have at most {UPLOAD_LIMIT} bytes.", status=413, param="data"
                )
            with self._store.change() as db:
                db.execute(
                    "INSERT INTO parts (id, upload_id, bytes, created_at) VALUES (?, ?, ?, ?)",
                    (path.name, upload_id, size, now),
                )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return {"id": path.name, "object": "upload.part", "created_at": now, "upload_id": upload_id}

    async def complete(self, upload_id: str, part_ids: Sequence[str], md5: str | None) -> dict[str, Any]:
        """Put the parts together in the given order; the upload with its file. Parts that are not named are dropped.

        Raises Rejected, with the upload still pending, when a part is unknown or named twice, when the bytes are not as
        many as announced, or when they have another `md5` (hexadecimal); ServiceBroken when the disk does not take it.
        """
        row = self._pending(upload_id)
        self._check_parts(row, part_ids)
        path = self._files.new_path()
        self._joining.add(upload_id)
        try:
            with whole_file(path):
                # Off the event loop: gigabytes take a while to be copied.
                digest = await asyncio.to_thread(_join, [self._folder / part for part in part_ids], path)
                if md5 is not None and digest != md5.strip().lower():
                    raise invalid("md5", f"The md5 of the uploaded bytes is {digest}, not '{md5[:64]}'.")
                with self._store.change() as db:
                    self._files.enter(db, path, filename=row["filename"], purpose=row["purpose"], lives=row["lives"])
                    dropped = self._end(db, upload_id, "completed")
        finally:
            self._joining.discard(upload_id)
        self._unlink(dropped)
        return self._told(self._row(upload_id)) | {"file": file_object(self._files.get(path.name))}

    def cancel(self, upload_id: str) -> dict[str, Any]:
        """Give an upload up; its parts are gone. Raises NotThere, or Rejected when it is not pending any more."""
        self._pending(upload_id)
        with self._store.change() as db:
            dropped = self._end(db, upload_id, "cancelled")
        self._unlink(dropped)
        return self._told(self._row(upload_id))

    def _row(self, upload_id: str) -> sqlite3.Row:
        row = self._store.row("SELECT * FROM uploads WHERE id = ?", (upload_id,))
        if row is None:
            raise not_there("Upload", upload_id, param="upload_id")
        return row

    def _pending(self, upload_id: str) -> sqlite3.Row:
        row = self._row(upload_id)
        status = "being completed" if upload_id in self._joining else self._status(row)
        if status != "pending":
            raise invalid("upload_id", f"Upload {upload_id} is {status}, not pending.", code="upload_not_pending")
        return row

    def _room(self, upload_id: str) -> int:
        """The bytes that may still be added to a pending upload."""
        self._pending(upload_id)
        found = self._store.row(
            "SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM parts WHERE upload_id = ?", (upload_id,)
        )
        assert found is not None
        if found["count"] >= MOST_PARTS:
            raise invalid("upload_id", f"Upload {upload_id} has {MOST_PARTS} parts already, which is the most.")
        return UPLOAD_LIMIT - int(found["bytes"])

    def _check_parts(self, upload: sqlite3.Row, part_ids: Sequence[str]) -> None:
        parts = self._store.rows("SELECT id, bytes FROM parts WHERE upload_id = ?", (upload["id"],))
        sizes = {row["id"]: row["bytes"] for row in parts}
        for place, part in enumerate(part_ids):
            if part not in sizes:
                raise invalid(f"part_ids[{place}]", f"No such part of upload {upload['id']}: {part[:64]}")
        if len(set(part_ids)) < len(part_ids):
            raise invalid("part_ids", "Each part can be named only once in 'part_ids'.")
        total = sum(sizes[part] for part in part_ids)
        if total != upload["bytes"]:
            raise invalid(
                "part_ids",
                f"The parts have {total} bytes together, but the upload was announced with {upload['bytes']} bytes.",
            )

    def _status(self, row: sqlite3.Row) -> str:
        late = row["status"] == "pending" and row["expires_at"] <= self._clock()
        return "expired" if late else str(row["status"])

    def _told(self, row: sqlite3.Row) -> dict[str, Any]:
        """An upload as the protocol shows it."""
        shown = {name: row[name] for name in ("id", "bytes", "created_at", "filename", "purpose", "expires_at")}
        return shown | {"object": "upload", "status": self._status(row)}

    def _end(self, db: sqlite3.Connection, upload_id: str, status: str) -> list[str]:
        """Give an upload its last status; the ids of its parts, whose bytes can go once that lasts."""
        db.execute("UPDATE uploads SET status = ? WHERE id = ?", (status, upload_id))
        parts = db.execute("SELECT id FROM parts WHERE upload_id = ?", (upload_id,)).fetchall()
        db.execute("DELETE FROM parts WHERE upload_id = ?", (upload_id,))
        return [row["id"] for row in parts]

    def _unlink(self, parts: Sequence[str]) -> None:
        for part in parts:
            (self._folder / part).unlink(missing_ok=True)

    def _drop_ended(self) -> None:
        """Drop the parts of expired uploads, and uploads that ended long ago."""
        now = self._clock()
        late = "SELECT id FROM uploads WHERE status = 'pending' AND expires_at <= ?"
        for row in self._store.rows(late, (now,)):
            if row["id"] not in self._joining:
                with self._store.change() as db:
                    dropped = self._end(db, row["id"], "expired")
                self._unlink(dropped)
        with self._store.change() as db:
            db.execute("DELETE FROM uploads WHERE status <> 'pending' AND expires_at <= ?", (now - REMEMBERED_SECONDS,))


def _join(parts: Sequence[Path], target: Path) -> str:
    """Write the bytes of all parts to `target`, a block at a time; their md5 in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with target.open("xb") as joined:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(BLOCK):
                    digest.update(block)
                    joined.write(block)
        joined.flush()
        os.fsync(joined.fileno())
    return digest.hexdigest()
