"""The workspace: one SQLite database (WAL, synchronous FULL) and a folder of kept files under `$ETUDE_HOME`.

Knows how things last, not what they mean: the rows of datasets, runs and conversations are written by those packages
through `read` and `write`. It knows no service, no file format and no screen.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lib.errors import WorkspaceError, WorkspaceTooNew

SCHEMA = Path(__file__).parent / "schema"
# A step of a million edits, or its undoing, holds the lock for some twenty seconds, all of it or nothing. Whoever else
# saves meanwhile waits for that, and is not refused.
BUSY_SECONDS = 60.0
# The log grows with the largest transaction; by itself it would stay as large as it once was.
LARGEST_LOG = 64 << 20
COPY_BLOCK = 1 << 20

Clock = Callable[[], float]


def default_home() -> Path:
    """`$ETUDE_HOME`, or `~/.etude`; absolute, because processes in other folders are given it."""
    return Path(os.environ.get("ETUDE_HOME") or Path.home() / ".etude").absolute()


def new_id(kind: str) -> str:
    """A random id that carries its kind, such as `run_4f0c…`."""
    return f"{kind}_{secrets.token_hex(8)}"


class Workspace:
    """Everything that must last. Safe to share between threads: each gets its own connection."""

    def __init__(self, home: Path, *, clock: Clock = time.time) -> None:
        self.home = home
        self.clock = clock
        self._local = threading.local()
        self._make_home()
        self._migrate()

    @classmethod
    def open(cls, home: Path | None = None, *, clock: Clock = time.time) -> Workspace:
        """Open the workspace at `home`, making it when it is not there.

        Raises WorkspaceTooNew when a later Etude wrote it, WorkspaceError when the folder or file cannot be used.
        """
        return cls(home or default_home(), clock=clock)

    @property
    def path(self) -> Path:
        """The database file."""
        return self.home / "etude.db"

    def read(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Rows of one query."""
        with self._told("read"):
            return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it lasts once the block ends, or nothing of it if the block raises."""
        with self._told("changed"):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # A full or broken disk makes SQLite roll back by itself; the first error is the one to tell.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def keep(self, source: bytes | Path | Iterable[bytes], told: Callable[[int], None] | None = None) -> str:
        """Keep a file by its content and return its SHA-256 in hex. The same content is kept once.

        Nothing is held in memory but a block at a time; an iterable gives its own. `told` hears after each block how
        many bytes there are so far. What it raises, or the iterable, stops the work, and nothing is kept.
        """
        temporary = self.home / "files" / f"{secrets.token_hex(8)}.tmp"
        digest, length = hashlib.sha256(), 0
        try:
            with open(temporary, "xb", opener=_private) as target:
                for block in _blocks(source):
                    digest.update(block)
                    target.write(block)
                    length += len(block)
                    if told is not None:
                        told(length)
                target.flush()
                os.fsync(target.fileno())
            kept = self.kept(digest.hexdigest())
            temporary.replace(kept)
            _sync_folder(kept.parent)
        except OSError as error:
            raise WorkspaceError(
                f"The file could not be kept: {error.strerror or error}.",
                f"Nothing was changed. Make room in {self.home} and try again.",
                raw=str(error),
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def kept(self, sha256: str) -> Path:
        """Where the content with this hash lies (whether or not it is there)."""
        return self.home / "files" / sha256

    def setting(self, name: str, default: Any = None) -> Any:
        """A setting's value, any JSON value."""
        rows = self.read("SELECT value FROM settings WHERE name = ?", (name,))
        return json.loads(rows[0]["value"]) if rows else default

    def set_setting(self, name: str, value: Any) -> None:
        """Set a setting to any JSON value."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))

    def close(self) -> None:
        """Close this thread's connection. Those of other threads close with their threads."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _make_home(self) -> None:
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.home / "files").mkdir(mode=0o700, exist_ok=True)
            # Made here with its mode: SQLite would make it readable by everybody and give its -wal the same mode.
            with open(self.path, "ab", opener=_private) as database:
                os.fchmod(database.fileno(), 0o600)
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {self.home} cannot be used: {error.strerror or error}.",
                "Set ETUDE_HOME to a folder that you may write to.",
                raw=str(error),
            ) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG}")
            self._local.connection = connection
        return connection

    def _migrate(self) -> None:
        steps = sorted(SCHEMA.glob("*.sql"))
        # One process at a time: SQLite does not wait for its turn while another switches the database to WAL.
        with _locked(self.home), self._told("opened"):
            connection = self._connection()
            done = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if done > len(steps):
                raise WorkspaceTooNew(
                    f"The workspace {self.home} was written by a later version of Etude.",
                    "Update Etude, or set ETUDE_HOME to another folder. Nothing was changed.",
                )
            for number, step in enumerate(steps[done:], start=done + 1):
                script = step.read_text(encoding="utf-8")
                try:
                    connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
                except sqlite3.Error:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                    raise

    @contextmanager
    def _told(self, verb: str) -> Iterator[None]:
        """Turn what SQLite says into a sentence."""
        try:
            yield
        except sqlite3.Error as error:
            raise WorkspaceError(
                f"The workspace {self.path} could not be {verb}: {error}.",
                "Nothing was lost. Close other programs that use it, make room on the disk, and try again.",
                raw=str(error),
            ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait until no other process or thread is in here with the same folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _private(path: str, flags: int) -> int:
    """Open so that only this user can read what is made."""
    return os.open(path, flags, 0o600)


def _blocks(source: bytes | Path | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, Path):
        with source.open("rb") as file:
            while block := file.read(COPY_BLOCK):
                yield block
    else:
        yield from source


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
