"""The engine's own database: one SQLite file (WAL, synchronous FULL), readable by its owner alone.

Knows how rows last and how ids are made, not what jobs and files mean. Used from the thread of the event loop only.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from lib.errors import EngineError

# One script a version: a new database runs all of them, an older one those it lacks. A script that was released stays.
SCHEMAS = tuple(Path(__file__).parent / name for name in ("schema.sql", "schema_2.sql", "schema_3.sql", "schema_4.sql"))
VERSION = len(SCHEMAS)
BUSY_SECONDS = 5.0
ALPHABET = string.ascii_letters + string.digits

Table = Literal["files", "jobs", "events", "checkpoints", "models", "uploads", "responses"]
Values = Sequence[Any] | Mapping[str, Any]


def new_id(prefix: str, length: int = 22) -> str:
    """A random id in the protocol's form, such as `file-9m0cKxq…`."""
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


class Store:
    """Rows of the engine. Raises EngineError when the file cannot be used or a later Etude wrote it."""

    def __init__(self, path: Path) -> None:
        try:
            # Made here with its mode: SQLite would make it readable by everybody and give its -wal the same mode.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            raise EngineError(
                f"The engine's database {path} cannot be used: {error}.",
                "Make room on the disk, check who owns the folder, or give another --home.",
                raw=str(error),
            ) from error

    def rows(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """All rows of one query."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """The first row of one query, or None."""
        found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def number(self, table: Table, identity: str) -> int | None:
        """The place of a row among those of its table, None when there is no such row."""
        found = self.row(f"SELECT number FROM {table} WHERE id = ?", (identity,))
        return None if found is None else int(found["number"])

    def page(
        self,
        table: Table,
        where: str,
        values: Sequence[Any],
        *,
        behind: int | None,
        limit: int,
        oldest_first: bool = False,
    ) -> tuple[list[sqlite3.Row], bool]:
        """At most `limit` rows that fulfil `where`, behind a place, newest first, and whether more follow."""
        beyond, order = (">", "ASC") if oldest_first else ("<", "DESC")
        place = f" AND number {beyond} ?" if behind is not None else ""
        rows = self.rows(
            f"SELECT * FROM {table} WHERE {where}{place} ORDER BY number {order} LIMIT ?",
            (*values, *(() if behind is None else (behind,)), limit + 1),
        )
        return rows[:limit], len(rows) > limit

    @contextmanager
    def change(self, *, at_once: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it lasts once the block ends, or nothing of it if the block raises.

        With `at_once` False the disk is not waited for: a power cut may take it back, the end of this process cannot.
        """
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if at_once else 'NORMAL'}")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            # On a full disk SQLite has rolled back by itself already, or the COMMIT is what failed.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the database; the write-ahead log is folded into it."""
        self._connection.close()

    def _prepare(self, path: Path) -> None:
        written_by = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if written_by > VERSION:
            raise EngineError(
                f"The engine's database {path} was written by a later version of Etude.",
                "Update Etude, or give another --home. Nothing was changed.",
            )
        for number, schema in enumerate(SCHEMAS[written_by:], start=written_by + 1):
            script = schema.read_text(encoding="utf-8")
            self._connection.executescript(f"BEGIN;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
