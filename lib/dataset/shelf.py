"""Datasets and their versions in the workspace.

A dataset is a name over versions; a version is an immutable file of lines, known by its hash, and a split. A file that
is brought in is kept as plain JSONL with the exact bytes of its lines; what could not be read stays in the source,
which is then kept as well. Knows no findings, and nothing of edits that are not yet a version (see drafts.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib.dataset import held_out
from lib.dataset.compare import compare
from lib.dataset.convert.conversion import Conversion
from lib.dataset.example import METHODS, Method
from lib.dataset.jsonl import Lines, lines_of
from lib.dataset.naming import title_of
from lib.dataset.places import Places
from lib.dataset.reading import read
from lib.dataset.rules.belonging import LOOKED_AT_FIRST, method_of_most
from lib.dataset.survey.survey import survey
from lib.errors import DataError, WorkspaceError
from lib.workspace.database import Workspace, new_id

FIRST_NAME = "As brought in"
BLOCK = 1 << 20

Told = Callable[[int], None]


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
    """One immutable version. `validation` are the positions held out; `changes` says what differs from the parent.

    `changes` has the numbers of examples "added", "removed" and "changed", and "tokens" where whoever saved it counted
    them: encoding → billed tokens of one epoch over all examples. The first version also has "unread", the number of
    lines of the source that are no examples, "source", the hash under which the source is kept when it holds more than
    these lines, and "conversion", what was converted into what, when something was.
    """

    id: str
    dataset_id: str
    dataset_name: str
    number: int
    name: str
    sha256: str
    examples: int
    method: Method
    validation: Places
    changes: Mapping[str, Any]
    parent_id: str | None
    created_at: float

    @property
    def training(self) -> int:
        """How many examples are trained on."""
        return self.examples - len(self.validation)


def bring_in(
    ws: Workspace,
    source: bytes | Path,
    name: str,
    *,
    validation: Iterable[int] = (),
    conversion: Conversion | None = None,
    told: Told | None = None,
) -> Version:
    """Keep the examples of a file as the first version of a new dataset, without a question; `name` is the file's own.

    `conversion` says how they are written elsewhere; that of a table is guessed. `told` hears how many bytes are kept
    so far; what it raises stops the work, and nothing is kept. Raises UnreadableFile when the file is something else,
    DataError when not one line is an example.
    """
    reading = read(source, name, conversion=conversion)
    surveyed = survey(reading.lines)
    problems = [*reading.problems, *surveyed.problems]
    if not len(surveyed.lines):
        why = next((one for one in problems if one.severity != "info"), None)
        raise DataError(why.text, why.why, line=why.line) if why else DataError(f"There is no example in {name}.")
    totals = {**reading.totals, **surveyed.totals}
    unread = sum(totals[code] for code in {one.code for one in problems if one.severity != "info"})
    return begin(
        ws,
        surveyed.lines.raws(),
        name,
        validation=validation,
        method=surveyed.method,
        unread=unread,
        source=source if unread or reading.conversion else None,
        conversion=reading.conversion.as_json() if reading.conversion else None,
        told=told,
    )


def begin(
    ws: Workspace,
    lines: Iterable[bytes] | Path,
    name: str,
    *,
    validation: Iterable[int] = (),
    method: Method | None = None,
    unread: int = 0,
    source: bytes | Path | None = None,
    conversion: Any = None,
    told: Told | None = None,
) -> Version:
    """Keep examples that were read elsewhere as the first version of a new dataset; `name` is that of their file.

    `lines` are the examples, or a file in which every line is one: it is kept as it is, a block at a time. `method` is
    recognised when it is not given. `source` is kept beside them when it holds more than they do; `conversion`, any
    JSON value, says what became what. `told` hears how many bytes of the lines are kept so far; what it raises stops
    the work. Raises DataError when there is no example; no dataset begins then.
    """
    sha256 = ws.keep(lines, told) if isinstance(lines, Path) else keep_lines(ws, lines, told)
    kept, now = ws.kept(sha256), ws.clock()
    if not kept.stat().st_size or not len(held := _opened(kept)):
        raise DataError(f"There is no example in {name}.", "Choose a file with examples in it.")
    changes: dict[str, Any] = {"added": len(held), "removed": 0, "changed": 0, "unread": unread}
    if source is not None:
        changes["source"] = ws.keep(source)
    if conversion is not None:
        changes["conversion"] = conversion
    made = Version(
        id=new_id("ver"),
        dataset_id=new_id("ds"),
        dataset_name=title_of(name),
        number=1,
        name=FIRST_NAME,
        sha256=sha256,
        examples=len(held),
        method=method or method_of_most(example.data for example in held[:LOOKED_AT_FIRST]),
        validation=Places.of(validation),
        changes=changes,
        parent_id=None,
        created_at=now,
    )
    with ws.write() as db:
        db.execute("INSERT INTO datasets VALUES (?, ?, ?, ?, NULL)", (made.dataset_id, made.dataset_name, name, now))
        insert(db, made)
    return made


def datasets(ws: Workspace, *, removed: bool = False) -> tuple[Dataset, ...]:
    """All datasets on the shelf, or all that were removed from it, the newest first."""
    rows = ws.read(
        "SELECT d.*, (SELECT id FROM versions v WHERE v.dataset_id = d.id ORDER BY number DESC LIMIT 1) AS latest"
        " FROM datasets d WHERE (deleted_at IS NOT NULL) = ? ORDER BY created_at DESC, rowid DESC",
        (removed,),
    )
    return tuple(Dataset(row["id"], row["name"], row["source_name"], row["created_at"], row["latest"]) for row in rows)


def versions(ws: Workspace, dataset_id: str) -> tuple[Version, ...]:
    """All versions of a dataset, the newest first."""
    rows = ws.read(f"{VERSIONS} WHERE v.dataset_id = ? ORDER BY v.number DESC", (dataset_id,))
    return tuple(_version(ws, row) for row in rows)


def version(ws: Workspace, version_id: str) -> Version:
    """The version with this id. Raises WorkspaceError when there is none."""
    rows = ws.read(f"{VERSIONS} WHERE v.id = ?", (version_id,))
    if not rows:
        raise WorkspaceError(f"There is no version {version_id} in this workspace.", "Choose another one on Data.")
    return _version(ws, rows[0])


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


def rename(ws: Workspace, dataset_id: str, name: str) -> None:
    """Give a dataset another name. Raises DataError when the name is empty."""
    if not (plain := " ".join(name.split())):
        raise DataError("A dataset needs a name.", "Write one, however short.")
    with ws.write() as db:
        db.execute("UPDATE datasets SET name = ? WHERE id = ?", (plain, dataset_id))


def restore(ws: Workspace, version_id: str) -> Version:
    """Go back to a version: a new one with the same examples and the same split, after the newest of its dataset.

    No version is lost by it. The newest version is returned as it is. Raises WorkspaceError when there is none such.
    """
    wanted = version(ws, version_id)
    newest = versions(ws, wanted.dataset_id)[0]
    if newest.id == wanted.id:
        return newest
    changes: dict[str, Any] = {"added": 0, "removed": 0, "changed": 0}
    if wanted.sha256 != newest.sha256:
        found = compare(open_lines(ws, newest), open_lines(ws, wanted))
        changes = {"added": len(found.added), "removed": len(found.removed), "changed": len(found.changed)}
    if "tokens" in wanted.changes:
        changes["tokens"] = wanted.changes["tokens"]
    made = replace(
        wanted,
        id=new_id("ver"),
        name=f"Back to version {wanted.number}",
        changes=changes,
        parent_id=newest.id,
        created_at=ws.clock(),
    )
    with ws.write() as db:
        last = db.execute("SELECT max(number) FROM versions WHERE dataset_id = ?", (made.dataset_id,)).fetchone()[0]
        insert(db, made := replace(made, number=last + 1))
    return made


def keep_lines(ws: Workspace, raws: Iterable[bytes], told: Told | None = None) -> str:
    """Keep examples as a file of lines and return its SHA-256. Memory is bounded by the longest of them.

    `told` hears how many bytes are kept so far; what it raises stops the work, and nothing is kept.
    """
    return ws.keep(_blocks(raws), told)


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
            held_out.write(db, made.validation),
            json.dumps(dict(made.changes)),
            made.parent_id,
            made.created_at,
        ),
    )


VERSIONS = "SELECT v.*, d.name AS dataset_name FROM versions v JOIN datasets d ON d.id = v.dataset_id"


def _version(ws: Workspace, row: sqlite3.Row) -> Version:
    return Version(
        id=row["id"],
        dataset_id=row["dataset_id"],
        dataset_name=row["dataset_name"],
        number=row["number"],
        name=row["name"],
        sha256=row["sha256"],
        examples=row["examples"],
        method=next(method for method in METHODS if method == row["method"]),
        validation=held_out.read(ws, row["validation"]),
        changes=json.loads(row["changes"]),
        parent_id=row["parent_id"],
        created_at=row["created_at"],
    )


def _blocks(raws: Iterable[bytes]) -> Iterator[bytes]:
    """The lines with their ends, many at once."""
    waiting, length = [], 0
    for raw in raws:
        waiting.append(raw)
        length += len(raw) + 1
        if length >= BLOCK:
            yield b"\n".join([*waiting, b""])
            waiting, length = [], 0
    yield b"\n".join([*waiting, b""])


@lru_cache(maxsize=8)
def _opened(path: Path) -> Lines:
    return lines_of(path)
