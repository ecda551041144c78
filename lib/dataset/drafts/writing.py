"""Makes edits. Each call is one transaction and one step that can be undone; when it returns, it lasts.

An edit that changes nothing is no step and keeps its example's revision. Knows no screen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from lib.dataset.drafts.journal import Step, begin_step, take_revisions
from lib.dataset.drafts.reading import DIFFERS, LAST, past_end
from lib.dataset.drafts.spool import Row, opened_spool
from lib.dataset.example import encode
from lib.dataset.jsonl import Lines
from lib.dataset.shelf import Version, open_lines, version
from lib.errors import DataError, EditConflict
from lib.workspace.database import Workspace

Edit = tuple[int, Mapping[str, Any] | None, int]

# The edits of one call until they are settled. Temporary tables belong to one connection, and so to one thread.
INCOMING = """
CREATE TEMP TABLE IF NOT EXISTS incoming (
    position INTEGER PRIMARY KEY, revision INTEGER NOT NULL, state TEXT NOT NULL, line BLOB
) STRICT
"""
WITH_DRAFTS = "FROM incoming i LEFT JOIN drafts d ON d.version_id = :version AND d.position = i.position"
# An example without edits, or whose edits were discarded, is known by 0.
STALE = """
i.revision <> CASE WHEN d.state IS NULL OR d.state = 'discarded' THEN 0 ELSE d.revision END
AND NOT (d.state IS 'discarded' AND i.revision = d.revision)
"""
# An edit that would change nothing.
SAME = f"""
position IN (SELECT i.position {WITH_DRAFTS} WHERE i.line IS d.line AND (
    i.state IS d.state OR i.state = 'untouched' AND coalesce(d.state, 'discarded') IN ('untouched', 'discarded')))
"""
# Positions are 32-bit numbers wherever they are kept in arrays.
END = 2**31


def change(
    ws: Workspace, version_id: str, position: int, data: Mapping[str, Any], revision: int, *, label: str | None = None
) -> int:
    """Save an example as it is now and return its new revision.

    `revision` is that of the entry the edit was made on. `label` says what was done where it can be undone. Raises
    EditConflict when the example was changed since, and DataError when there is no such position or `data` cannot be
    JSON.
    """
    return _one(ws, version_id, (position, data, revision), label, "Edited")


def change_all(ws: Workspace, version_id: str, edits: Iterable[Edit], *, label: str | None = None) -> int:
    """Save many edits as one step and return how many: all of them last, or none.

    Each is (position, data or None to remove, revision). They are read one by one, and wait in a file of the
    workspace until the last one is there, so that other windows can save meanwhile and memory holds a few at a time.
    Raises as `change` does, on the first edit that cannot be made.
    """
    held = version(ws, version_id)
    lines = open_lines(ws, held)
    with opened_spool(ws.home) as waiting:
        for position, data, revision in edits:
            waiting.put(position, revision, *_written(held, lines, position, data))
        if not waiting.count:
            return 0
        with ws.write() as db:
            return _settle(db, ws, held, waiting.rows(), label, "Edited")


def remove(ws: Workspace, version_id: str, position: int, revision: int, *, label: str | None = None) -> int:
    """Take an example out and return the new revision. Raises as `change` does."""
    return _one(ws, version_id, (position, None, revision), label, "Removed")


def revert(ws: Workspace, version_id: str, position: int, revision: int, *, label: str | None = None) -> int:
    """Make an example what it is in the version, or take an added one out, and return the new revision.

    Raises as `change` does.
    """
    held = version(ws, version_id)
    state = "untouched" if position < held.examples else "removed"
    with ws.write() as db:
        _settle(db, ws, held, [(position, revision, state, None)], label, "Took back the edits of")
        return _revision(db, version_id, position)


def add(ws: Workspace, version_id: str, data: Mapping[str, Any], *, label: str | None = None) -> int:
    """Add an example at the end and return its position. Raises DataError when `data` cannot be JSON."""
    line, held = encode(dict(data)), version(ws, version_id)
    with ws.write() as db:
        position = _total(db, held)
        row = (position, _revision(db, version_id, position), "edited", line)
        _settle(db, ws, held, [row], label, "Added", adding=True)
    return position


def discard(ws: Workspace, version_id: str, *, label: str | None = None) -> None:
    """Forget all edits of a version, as a step that can be undone.

    An edit made on one of them is then in conflict, not applied.
    """
    held = version(ws, version_id)
    rows = f"SELECT position, revision, 'discarded', NULL FROM drafts WHERE version_id = :version AND {DIFFERS}"
    with ws.write() as db:
        _settle(db, ws, held, rows, label, "Discarded the edits of")


def _one(ws: Workspace, version_id: str, edit: Edit, label: str | None, verb: str) -> int:
    position, data, revision = edit
    held = version(ws, version_id)
    state, line = _written(held, open_lines(ws, held), position, data)
    with ws.write() as db:
        _settle(db, ws, held, [(position, revision, state, line)], label, verb)
        return _revision(db, version_id, position)


def _written(held: Version, lines: Lines, position: int, data: Mapping[str, Any] | None) -> tuple[str, bytes | None]:
    """An edit as a state and a line. A line that is that of the version is not kept a second time."""
    if not 0 <= position < END:
        raise _no_example(held, position)
    if data is None:
        return "removed", None
    line = encode(dict(data))
    if position < held.examples and line == lines.raw(position):
        return "untouched", None
    return "edited", line


def _settle(
    db: sqlite3.Connection,
    ws: Workspace,
    held: Version,
    rows: Iterable[Row] | str,
    label: str | None,
    verb: str,
    *,
    adding: bool = False,
) -> int:
    """Make the edits in `rows` (rows, or a query for them) and write them into the journal. Returns how many.

    Without a label, the step is called by the verb and its examples.
    """
    names = {"version": held.id}
    db.execute(INCOMING)
    db.execute("DELETE FROM incoming")
    if isinstance(rows, str):
        db.execute(f"INSERT INTO incoming {rows}", names)
    else:
        _fill(db, ws, held, rows)
    _refuse_stale(db, ws, held)
    if not adding:
        _refuse_outside(db, held)
    db.execute(f"DELETE FROM incoming WHERE {SAME}", names)
    edits, first, last = db.execute("SELECT count(*), min(position), max(position) FROM incoming").fetchone()
    if edits:
        said = label or f"{verb} {f'example {first + 1}' if edits == 1 else f'{edits:,} examples'}"
        base = take_revisions(db, last - first + 1)
        begin_step(db, held.id, Step(base + 1, said, edits, first, ws.clock()))
        db.execute(
            "INSERT OR REPLACE INTO drafts SELECT :version, position, :base + 1 + position - :first, state, :now, line"
            " FROM incoming ORDER BY position",
            {**names, "base": base, "first": first, "now": ws.clock()},
        )
        db.execute("DELETE FROM incoming")
    return int(edits)


def _fill(db: sqlite3.Connection, ws: Workspace, held: Version, rows: Iterable[Row]) -> None:
    """Fill `incoming`. Two edits of one example in one call are a conflict: the second was not made on the first."""
    for row in rows:
        try:
            db.execute("INSERT INTO incoming VALUES (?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as error:
            position, _, state, line = row
            other = db.execute("SELECT state, line FROM incoming WHERE position = ?", (position,)).fetchone()
            raise _conflict(ws, held, position, (state, line), (other["state"], other["line"])) from error


def _refuse_outside(db: sqlite3.Connection, held: Version) -> None:
    end = _total(db, held)
    row = db.execute("SELECT position FROM incoming WHERE position NOT BETWEEN 0 AND ? LIMIT 1", (end - 1,)).fetchone()
    if row:
        raise _no_example(held, row["position"])


def _no_example(held: Version, position: int) -> DataError:
    return DataError(
        f"There is no example {position + 1} in version {held.number} of “{held.dataset_name}”.",
        "Load the page again.",
    )


def _refuse_stale(db: sqlite3.Connection, ws: Workspace, held: Version) -> None:
    row = db.execute(
        f"SELECT i.position, i.state, i.line, coalesce(d.state, 'untouched') AS other_state, d.line AS other_line"
        f" {WITH_DRAFTS} WHERE {STALE} ORDER BY i.position LIMIT 1",
        {"version": held.id},
    ).fetchone()
    if row:
        mine, theirs = (row["state"], row["line"]), (row["other_state"], row["other_line"])
        raise _conflict(ws, held, row["position"], mine, theirs)


def _conflict(
    ws: Workspace, held: Version, position: int, mine: tuple[str, bytes | None], theirs: tuple[str, bytes | None]
) -> EditConflict:
    def text(state: str, line: bytes | None) -> str:
        if state in ("untouched", "discarded"):
            line = open_lines(ws, held).raw(position) if position < held.examples else None
        return "(removed)" if line is None else line.decode()

    return EditConflict(
        f"Example {position + 1} was changed in another window since you opened it.",
        "Look at both texts and decide which one to keep. Nothing was overwritten.",
        mine=text(*mine),
        theirs=text(*theirs),
    )


def _revision(db: sqlite3.Connection, version_id: str, position: int) -> int:
    """The revision that an edit of this position must name now."""
    row = db.execute(
        "SELECT revision FROM drafts WHERE version_id = ? AND position = ? AND state <> 'discarded'",
        (version_id, position),
    ).fetchone()
    return int(row["revision"]) if row else 0


def _total(db: sqlite3.Connection, held: Version) -> int:
    return past_end(held, db.execute(LAST, (held.id,)).fetchone())
