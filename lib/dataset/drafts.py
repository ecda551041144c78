"""Edits of a version that are saved but not yet a version of their own.

Every edit lasts as soon as its function returns. An edit names the revision it was made on, so that two tabs that edit
the same example notice each other: the second gets an EditConflict with both texts and nothing is overwritten.
Revisions only ever grow, over the whole workspace; 0 stands for an example without edits. Knows no screen.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lib.dataset.example import Example, encode
from lib.dataset.jsonl import Lines
from lib.dataset.parse import parse
from lib.dataset.rules.belonging import LOOKED_AT_FIRST, method_of_most
from lib.dataset.shelf import Version, insert, keep_lines, open_lines, version
from lib.errors import DataError, EditConflict, WorkspaceError
from lib.workspace.database import Workspace, new_id

COUNTER = "draft_revision"
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One example with its edits. `example` is None when it is removed, `original` None when it was added.

    `revision` is what an edit of it must name.
    """

    position: int
    revision: int
    example: Example | None
    original: Example | None

    @property
    def edited(self) -> bool:
        """Whether it differs from the version."""
        if self.example is None or self.original is None:
            return self.example is not self.original
        # Compared as they would be written: to Python, true equals 1.
        return encode(self.example.data) != encode(self.original.data)


@dataclass(frozen=True, slots=True)
class Changes:
    """How many examples saving would add, remove and change."""

    added: int
    removed: int
    changed: int


def change(ws: Workspace, version_id: str, position: int, data: Mapping[str, Any], revision: int) -> int:
    """Save an example as it is now and return its new revision.

    `revision` is that of the entry the edit was made on. Raises EditConflict when the example was changed since, and
    DataError when there is no such position or `data` cannot be JSON.
    """
    held, line = version(ws, version_id), encode(dict(data))
    with ws.write() as db:
        return _put(db, ws, held, position, line, revision)


def change_all(ws: Workspace, version_id: str, edits: Iterable[tuple[int, Mapping[str, Any] | None, int]]) -> None:
    """Save many edits at once: all of them last, or none. Each is (position, data or None to remove, revision).

    Raises as `change` does, on the first edit that cannot be made.
    """
    held = version(ws, version_id)
    lines = [(at, None if data is None else encode(dict(data)), revision) for at, data, revision in edits]
    with ws.write() as db:
        for position, line, revision in lines:
            _put(db, ws, held, position, line, revision)


def remove(ws: Workspace, version_id: str, position: int, revision: int) -> int:
    """Take an example out and return the new revision. Raises as `change` does."""
    held = version(ws, version_id)
    with ws.write() as db:
        return _put(db, ws, held, position, None, revision)


def revert(ws: Workspace, version_id: str, position: int, revision: int) -> int:
    """Make an example what it is in the version, or take an added one out. Raises as `change` does."""
    held = version(ws, version_id)
    original = open_lines(ws, held).raw(position) if position < held.examples else None
    with ws.write() as db:
        return _put(db, ws, held, position, original, revision)


def add(ws: Workspace, version_id: str, data: Mapping[str, Any]) -> int:
    """Add an example at the end and return its position. Raises DataError when `data` cannot be JSON."""
    line, held = encode(dict(data)), version(ws, version_id)
    with ws.write() as db:
        position = _total(db, held)
        _write(db, ws, version_id, position, line)
    return position


def current(ws: Workspace, version_id: str, start: int, stop: int) -> list[Entry]:
    """The entries at positions `start` to `stop` (excluded) with all edits applied, removed ones included."""
    held = version(ws, version_id)
    lines = open_lines(ws, held)
    rows = ws.read(
        "SELECT * FROM drafts WHERE version_id = ? AND position >= ? AND position < ?", (version_id, start, stop)
    )
    drafts = {row["position"]: row for row in rows}
    places = range(max(0, start), min(stop, total(ws, version_id)))
    return [_entry(held, lines, position, drafts.get(position)) for position in places]


def edits(ws: Workspace, version_id: str) -> dict[int, Entry]:
    """All entries with a saved edit, by position, in their order. They are few, whatever the size of the version."""
    held = version(ws, version_id)
    lines = open_lines(ws, held)
    rows = ws.read("SELECT * FROM drafts WHERE version_id = ? ORDER BY position", (version_id,))
    return {row["position"]: _entry(held, lines, row["position"], row) for row in rows}


def total(ws: Workspace, version_id: str) -> int:
    """The number of positions: the version's examples and the added ones, removed ones included."""
    held = version(ws, version_id)
    rows = ws.read("SELECT max(position) AS last FROM drafts WHERE version_id = ?", (version_id,))
    return max(held.examples, (rows[0]["last"] if rows[0]["last"] is not None else -1) + 1)


def changes(ws: Workspace, version_id: str) -> Changes:
    """What saving would change."""
    held = version(ws, version_id)
    return _count(ws, held, _drafts(ws, version_id))


def discard(ws: Workspace, version_id: str) -> None:
    """Forget all edits of a version. An edit made on one of them is then in conflict, not applied."""
    with ws.write() as db:
        db.execute("DELETE FROM drafts WHERE version_id = ?", (version_id,))


def save_version(ws: Workspace, version_id: str, name: str, *, validation: Collection[int] | None = None) -> Version:
    """Make the edited examples a new version, and the edits none.

    The split goes along, or becomes `validation` (positions among `current`). Lines without edits keep their exact
    bytes. Raises DataError when nothing would be left.
    """
    held = version(ws, version_id)
    wanted = held.validation if validation is None else frozenset(validation)
    for _ in range(ATTEMPTS):
        drafts = _drafts(ws, version_id)
        kept = [place for place in range(_end(held, drafts)) if place not in drafts or drafts[place][1] is not None]
        if not kept:
            raise DataError("All examples are removed, so there is nothing to save.", "Bring some back first.")
        made = Version(
            id=new_id("ver"),
            dataset_id=held.dataset_id,
            dataset_name=held.dataset_name,
            number=0,
            name=name.strip() or "Untitled",
            sha256=keep_lines(ws, _raws(ws, held, drafts, kept)),
            examples=len(kept),
            method=method_of_most(example.data for example in _first(ws, held, drafts, kept)),
            validation=frozenset(new for new, place in enumerate(kept) if place in wanted),
            changes=asdict(_count(ws, held, drafts)),
            parent_id=held.id,
            created_at=ws.clock(),
        )
        if (saved := _replace(ws, made, drafts)) is not None:
            return saved
    raise WorkspaceError("The examples kept changing while they were saved.", "Nothing was lost. Save once more.")


Drafts = dict[int, tuple[int, bytes | None]]


def _put(db: sqlite3.Connection, ws: Workspace, held: Version, position: int, line: bytes | None, revision: int) -> int:
    if not 0 <= position < _total(db, held):
        raise DataError(
            f"There is no example {position + 1} in version {held.number} of “{held.dataset_name}”.",
            "Load the page again.",
        )
    row = db.execute(
        "SELECT revision, line FROM drafts WHERE version_id = ? AND position = ?", (held.id, position)
    ).fetchone()
    if (row["revision"] if row else 0) != revision:
        raise EditConflict(
            f"Example {position + 1} was changed in another window since you opened it.",
            "Look at both texts and decide which one to keep. Nothing was overwritten.",
            mine=_text(line),
            theirs=_text(row["line"] if row else open_lines(ws, held).raw(position)),
        )
    return _write(db, ws, held.id, position, line)


def _write(db: sqlite3.Connection, ws: Workspace, version_id: str, position: int, line: bytes | None) -> int:
    """Write a draft with the next revision. The revision of a discarded edit never comes back."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (COUNTER,)).fetchone()
    revision = (json.loads(row["value"]) if row else 0) + 1
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (COUNTER, json.dumps(revision)))
    db.execute(
        "INSERT OR REPLACE INTO drafts VALUES (?, ?, ?, ?, ?)", (version_id, position, revision, line, ws.clock())
    )
    return revision


def _replace(ws: Workspace, made: Version, drafts: Drafts) -> Version | None:
    """Write the version and delete its drafts at once; None when an edit came in between."""
    with ws.write() as db:
        rows = db.execute("SELECT position, revision FROM drafts WHERE version_id = ?", (made.parent_id,)).fetchall()
        if {row["position"]: row["revision"] for row in rows} != {at: draft[0] for at, draft in drafts.items()}:
            return None
        last = db.execute(
            "SELECT max(number) AS last FROM versions WHERE dataset_id = ?", (made.dataset_id,)
        ).fetchone()
        insert(db, made := replace(made, number=last["last"] + 1))
        db.execute("DELETE FROM drafts WHERE version_id = ?", (made.parent_id,))
    return made


def _raws(ws: Workspace, held: Version, drafts: Drafts, kept: list[int]) -> Iterator[bytes]:
    lines = open_lines(ws, held)
    for position in kept:
        line = drafts[position][1] if position in drafts else None
        yield lines.raw(position) if line is None else line


def _first(ws: Workspace, held: Version, drafts: Drafts, kept: list[int]) -> Iterator[Example]:
    """The examples that tell the method, which a conversion may have changed."""
    return (Example(parse(raw)) for raw in _raws(ws, held, drafts, kept[:LOOKED_AT_FIRST]))


def _count(ws: Workspace, held: Version, drafts: Drafts) -> Changes:
    lines = open_lines(ws, held)
    old = {position: line for position, (_, line) in drafts.items() if position < held.examples}
    return Changes(
        added=sum(1 for at, (_, line) in drafts.items() if at >= held.examples and line is not None),
        removed=sum(1 for line in old.values() if line is None),
        changed=sum(1 for at, line in old.items() if line is not None and line != lines.raw(at)),
    )


def _drafts(ws: Workspace, version_id: str) -> Drafts:
    rows = ws.read("SELECT position, revision, line FROM drafts WHERE version_id = ?", (version_id,))
    return {row["position"]: (row["revision"], row["line"]) for row in rows}


def _total(db: sqlite3.Connection, held: Version) -> int:
    row = db.execute("SELECT max(position) AS last FROM drafts WHERE version_id = ?", (held.id,)).fetchone()
    return max(held.examples, (row["last"] if row["last"] is not None else -1) + 1)


def _end(held: Version, drafts: Drafts) -> int:
    return max(held.examples, max(drafts, default=-1) + 1)


def _entry(held: Version, lines: Lines, position: int, row: sqlite3.Row | None) -> Entry:
    original = lines.example(position) if position < held.examples else None
    if row is None:
        return Entry(position, 0, original, original)
    return Entry(position, row["revision"], _example(row["line"]), original)


def _example(line: bytes | None) -> Example | None:
    return None if line is None else Example(parse(line))


def _text(line: bytes | None) -> str:
    return "(removed)" if line is None else line.decode()
