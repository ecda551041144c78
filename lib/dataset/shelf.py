"""Datasets and their versions in the workspace.

A dataset is a name over versions; a version is an immutable file of lines, known by its hash, and a split. A file that
is brought in is kept as plain JSONL with the exact bytes of its lines; what could not be read stays in the source,
which is then kept as well. Knows no findings, and nothing of edits that are not yet a version (see drafts.py).
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib.dataset.dialects import converted
from lib.dataset.example import METHODS, Method, encode
from lib.dataset.finding import first_error
from lib.dataset.jsonl import Lines, open_checked, read, write
from lib.dataset.rules.belonging import LOOKED_AT_FIRST, method_of_most
from lib.dataset.tables import Roles, examples, guess, incomplete, read_table
from lib.errors import DataError, WorkspaceError
from lib.workspace.database import Workspace, new_id

FIRST_NAME = "As brought in"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as the shelf shows it. `latest` is the id of its newest version; times are seconds since 1970."""

    id: str
    name: str
    source_name: str
    created_at: float
    latest: str


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version. `validation` are the positions held out; `changes` counts what differs from the parent.

    `changes` has "added", "removed" and "changed"; the first version also has "unread", the number of lines of the
    source that are no examples, and "source", the hash under which the source is kept when it holds more than these
    lines.
    """

    id: str
    dataset_id: str
    dataset_name: str
    number: int
    name: str
    sha256: str
    examples: int
    method: Method
    validation: frozenset[int]
    changes: Mapping[str, Any]
    parent_id: str | None
    created_at: float

    @property
    def training(self) -> int:
        """How many examples are trained on."""
        return self.examples - len(self.validation)


def bring_in(
    ws: Workspace, source: bytes | Path, name: str, *, validation: Collection[int] = (), convert: bool = False
) -> Version:
    """Keep the readable examples of a file as the first version of a new dataset; `name` is the file's own.

    `convert` turns examples in other tools' formats (lib.dataset.dialects) into that of the services. Raises
    UnreadableFile when the file is something else, DataError when not one line is an example.
    """
    reading = read(source, name)
    if not len(reading.lines):
        why = first_error(reading.problems)
        raise DataError(why.text, why.why, line=why.line)
    unread = sum(reading.totals[code] for code in {one.code for one in reading.problems if one.severity == "error"})
    raws = _converted(reading.lines) if convert else reading.lines.raws()
    return _first_version(ws, raws, name, validation, unread, source if unread or convert else None)


def bring_in_table(
    ws: Workspace, source: bytes, name: str, roles: Roles | None = None, *, validation: Collection[int] = ()
) -> Version:
    """Keep the rows of a table (CSV, TSV) as conversations, as the first version of a new dataset.

    Without `roles` they are guessed. Raises UnreadableFile when the file is no table, DataError when no row has both a
    question and an answer.
    """
    table = read_table(source, name)
    roles = roles or guess(table)
    unread = len(incomplete(table, roles))
    if unread == len(table.rows):
        raise DataError(f"No row of {name} has both a question and an answer.", "Choose other columns.")
    raws = (encode(data) for data in examples(table, roles))
    return _first_version(ws, raws, name, validation, unread, source)


def datasets(ws: Workspace) -> tuple[Dataset, ...]:
    """All datasets that are not removed, the newest first."""
    rows = ws.read(
        "SELECT d.*, (SELECT id FROM versions v WHERE v.dataset_id = d.id ORDER BY number DESC LIMIT 1) AS latest"
        " FROM datasets d WHERE deleted_at IS NULL ORDER BY created_at DESC, rowid DESC"
    )
    return tuple(Dataset(row["id"], row["name"], row["source_name"], row["created_at"], row["latest"]) for row in rows)


def versions(ws: Workspace, dataset_id: str) -> tuple[Version, ...]:
    """All versions of a dataset, the newest first."""
    rows = ws.read(f"{VERSIONS} WHERE v.dataset_id = ? ORDER BY v.number DESC", (dataset_id,))
    return tuple(_version(row) for row in rows)


def version(ws: Workspace, version_id: str) -> Version:
    """The version with this id. Raises WorkspaceError when there is none."""
    rows = ws.read(f"{VERSIONS} WHERE v.id = ?", (version_id,))
    if not rows:
        raise WorkspaceError(f"There is no version {version_id} in this workspace.", "Choose another one on Data.")
    return _version(rows[0])


def open_lines(ws: Workspace, version: Version) -> Lines:
    """The examples of a version. Opened once in a process: a version never changes."""
    path = ws.kept(version.sha256)
    if not path.exists():
        raise WorkspaceError(
            f"The file of version {version.number} of “{version.dataset_name}” is no longer in {path.parent}.",
            "Bring the file in again, or put the folder back from a backup.",
        )
    return _opened(path)


def remove(ws: Workspace, dataset_id: str) -> None:
    """Take a dataset off the shelf. Nothing is deleted: `put_back` undoes it."""
    with ws.write() as db:
        db.execute("UPDATE datasets SET deleted_at = ? WHERE id = ?", (ws.clock(), dataset_id))


def put_back(ws: Workspace, dataset_id: str) -> None:
    """Undo `remove`."""
    with ws.write() as db:
        db.execute("UPDATE datasets SET deleted_at = NULL WHERE id = ?", (dataset_id,))


def keep_lines(ws: Workspace, raws: Iterable[bytes]) -> str:
    """Keep examples as a file of lines and return its SHA-256."""
    with tempfile.TemporaryDirectory(dir=ws.home, prefix="lines-") as folder:
        path = Path(folder) / "lines.jsonl"
        try:
            write(raws, path)
        except OSError as error:
            raise WorkspaceError(
                f"The examples could not be kept: {error.strerror or error}.",
                f"Nothing was changed. Make room in {ws.home} and try again.",
                raw=str(error),
            ) from error
        return ws.keep(path)


def insert(db: sqlite3.Connection, made: Version) -> None:
    """Write the row of a new version inside a transaction."""
    db.execute(
        "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            made.id,
            made.dataset_id,
            made.number,
            made.name,
            made.sha256,
            made.examples,
            made.method,
            json.dumps(sorted(made.validation)),
            json.dumps(dict(made.changes)),
            made.parent_id,
            made.created_at,
        ),
    )


VERSIONS = "SELECT v.*, d.name AS dataset_name FROM versions v JOIN datasets d ON d.id = v.dataset_id"


def _version(row: sqlite3.Row) -> Version:
    return Version(
        id=row["id"],
        dataset_id=row["dataset_id"],
        dataset_name=row["dataset_name"],
        number=row["number"],
        name=row["name"],
        sha256=row["sha256"],
        examples=row["examples"],
        method=next(method for method in METHODS if method == row["method"]),
        validation=frozenset(json.loads(row["validation"])),
        changes=json.loads(row["changes"]),
        parent_id=row["parent_id"],
        created_at=row["created_at"],
    )


def _first_version(
    ws: Workspace,
    raws: Iterable[bytes],
    name: str,
    validation: Collection[int],
    unread: int,
    source: bytes | Path | None,
) -> Version:
    sha256 = keep_lines(ws, raws)
    lines, now = _opened(ws.kept(sha256)), ws.clock()
    changes: dict[str, Any] = {"added": len(lines), "removed": 0, "changed": 0, "unread": unread}
    if source is not None:
        changes["source"] = ws.keep(source)
    made = Version(
        id=new_id("ver"),
        dataset_id=new_id("ds"),
        dataset_name=_title(name),
        number=1,
        name=FIRST_NAME,
        sha256=sha256,
        examples=len(lines),
        method=method_of_most(example.data for example in lines[:LOOKED_AT_FIRST]),
        validation=frozenset(validation),
        changes=changes,
        parent_id=None,
        created_at=now,
    )
    with ws.write() as db:
        db.execute("INSERT INTO datasets VALUES (?, ?, ?, ?, NULL)", (made.dataset_id, made.dataset_name, name, now))
        insert(db, made)
    return made


def _converted(lines: Lines) -> Iterator[bytes]:
    for position, example in enumerate(lines):
        made = converted(example.data)
        yield lines.raw(position) if made is None else encode(made)


@lru_cache(maxsize=8)
def _opened(path: Path) -> Lines:
    return open_checked(path)


def _title(name: str) -> str:
    """A dataset's name from that of its file, of which only the last part is used."""
    plain = name.replace("\\", "/").rpartition("/")[2].strip()
    stem, _, ending = plain.rpartition(".")
    return (
        stem if stem and ending.lower() in ("jsonl", "json", "ndjson", "txt", "csv", "tsv") else plain
    ) or "Untitled"
