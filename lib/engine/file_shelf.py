"""The uploaded and produced files: their rows, their bytes under `files/`, and when they expire.

A file lies under its random id; the sender's name for it is data and never a path. Knows no route and no job.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib.engine.protocol import not_there
from lib.engine.store import Store, new_id

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")

PREFIX = "file-"
# What OpenAI lets a batch file live for when nothing is said; all others stay until they are deleted.
BATCH_LIVES = 30 * 24 * 3600


class FileShelf:
    """Files by id. Expired ones are as good as gone, and removed when the next file arrives."""

    def __init__(self, store: Store, folder: Path, clock: Callable[[], float]) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock

    def sweep(self) -> None:
        """Remove expired files, and bytes that no row names: uploads that a crash cut short. Only before any upload.

        What does not have a file's id for a name is somebody else's and stays.
        """
        self._drop_expired()
        named = {row["id"] for row in self._store.rows("SELECT id FROM files")}
        for path in self._folder.glob(f"{PREFIX}*"):
            if path.is_file() and path.name not in named:
                path.unlink()

    def new_path(self) -> Path:
        """Where the bytes of a file that is about to arrive are written."""
        return self._folder / new_id(PREFIX)

    def add(self, path: Path, *, filename: str, purpose: str, lives: int | None = None) -> sqlite3.Row:
        """Enter a written and synced file, named by its path; `lives` in seconds."""
        self._drop_expired()
        with self._store.change() as db:
            self.enter(db, path, filename=filename, purpose=purpose, lives=lives)
        return self.get(path.name)

    def enter(
        self, change: sqlite3.Connection, path: Path, *, filename: str, purpose: str, lives: int | None = None
    ) -> None:
        """What `add` does, as a part of a change that does more than that."""
        now = int(self._clock())
        lives = BATCH_LIVES if lives is None and purpose == "batch" else lives
        change.execute(
            "INSERT INTO files (id, filename, purpose, bytes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
            (path.name, filename, purpose, path.stat().st_size, now, None if lives is None else now + lives),
        )

    def write(self, content: bytes, *, name: str, filename: str, purpose: str) -> sqlite3.Row:
        """Keep bytes that the engine itself made, under an id that ends in `name`. Doing it twice changes nothing."""
        path = self._folder / f"{PREFIX}{name}"
        if self._store.number("files", path.name) is None:
            with path.open("wb") as target:
                target.write(content)
                target.flush()
                os.fsync(target.fileno())
            self.add(path, filename=filename, purpose=purpose)
        return self.get(path.name)

    def get(self, file_id: str, *, param: str = "id") -> sqlite3.Row:
        """The row of a file. Raises NotThere."""
        row = self._store.row(
            "SELECT * FROM files WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)", (file_id, self._clock())
        )
        if row is None:
            raise not_there("File", file_id, param=param)
        return row

    def path(self, file_id: str) -> Path:
        """The bytes of a file. Raises NotThere."""
        return self._folder / str(self.get(file_id)["id"])

    def listed(
        self, *, purpose: str | None, behind: int | None, limit: int, oldest_first: bool
    ) -> tuple[list[sqlite3.Row], bool]:
        """A page of files and whether more follow."""
        values: list[Any] = [self._clock()]
        where = "(expires_at IS NULL OR expires_at > ?)"
        if purpose is not None:
            where, values = f"{where} AND purpose = ?", [*values, purpose]
        return self._store.page("files", where, values, behind=behind, limit=limit, oldest_first=oldest_first)

    def remove(self, file_id: str) -> None:
        """Remove a file. Jobs that were given it keep their own copy. Raises NotThere."""
        path = self.path(file_id)
        with self._store.change() as db:
            db.execute("DELETE FROM files WHERE id = ?", (file_id,))
        path.unlink(missing_ok=True)

    def _drop_expired(self) -> None:
        for row in self._store.rows("SELECT id FROM files WHERE expires_at <= ?", (self._clock(),)):
            with self._store.change() as db:
                db.execute("DELETE FROM files WHERE id = ?", (row["id"],))
            (self._folder / row["id"]).unlink(missing_ok=True)


def file_object(row: sqlite3.Row) -> dict[str, Any]:
    """A file as the protocol shows it."""
    return {
        "id": row["id"],
        "object": "file",
        "bytes": row["bytes"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "filename": row["filename"],
        "purpose": row["purpose"],
        "status": "processed",
        "status_details": None,
    }
