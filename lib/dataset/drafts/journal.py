"""The steps of a version's edits: what undoes the last one, and what makes it again.

Every call that edits is one step. While a step is done, the journal holds what its examples were before; while it is
undone, what they were after. Undoing and redoing change places between the journal and the drafts, so that no line is
kept twice, and a line that stands in the version's file not at all. The last KEPT_STEPS steps can be undone, fewer
when what they hold is more than KEPT_BYTES, and the last one always. Knows no example from the inside.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from lib.errors import EditConflict
from lib.workspace.database import Workspace

COUNTER = "draft_revision"
KEPT_STEPS = 200
KEPT_BYTES = 1 << 30
ROW_BYTES = 32

HELD = "CASE WHEN d.state IN ('edited', 'removed') THEN d.state ELSE 'untouched' END, d.line"


@dataclass(frozen=True, slots=True)
class Step:
    """One call that edited. `edits` is how many examples it changed, `first` the first of their positions.

    `made_at` is in seconds since 1970.
    """

    id: int
    label: str
    edits: int
    first: int
    made_at: float


@dataclass(frozen=True, slots=True)
class History:
    """The step that would be undone and the one that would be made again; `steps` is how many can be undone."""

    undo: Step | None
    redo: Step | None
    steps: int


def history(ws: Workspace, version_id: str) -> History:
    """What can be undone and redone."""
    rows = ws.read("SELECT * FROM draft_steps WHERE version_id = ? ORDER BY id", (version_id,))
    done, undone = ([_step(row) for row in rows if row["undone"] == is_undone] for is_undone in (0, 1))
    return History(done[-1] if done else None, undone[0] if undone else None, len(done))


def undo(ws: Workspace, version_id: str, step_id: int) -> Step:
    """Make all examples of the last step what they were before it, byte for byte, with new revisions.

    `step_id` is that of the step the person saw. Raises EditConflict when another step is the last by now.
    """
    with ws.write() as db:
        step = _expected(db.execute(LAST_DONE, (version_id,)).fetchone(), step_id, "undone")
        _change_places(db, ws, version_id, step, "draft_befores", "draft_afters", undone=1)
    return step


def redo(ws: Workspace, version_id: str, step_id: int) -> Step:
    """Make all examples of the step undone last what they were after it, byte for byte, with new revisions.

    `step_id` is that of the step the person saw. Raises EditConflict when another step is the next by now.
    """
    with ws.write() as db:
        step = _expected(db.execute(FIRST_UNDONE, (version_id,)).fetchone(), step_id, "redone")
        _change_places(db, ws, version_id, step, "draft_afters", "draft_befores", undone=0)
    return step


def take_revisions(db: sqlite3.Connection, number: int) -> int:
    """Take the next `number` revisions and return the one before them. A revision never comes back."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (COUNTER,)).fetchone()
    base = int(json.loads(row["value"])) if row else 0
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (COUNTER, json.dumps(base + number)))
    return base


def begin_step(db: sqlite3.Connection, version_id: str, step: Step) -> None:
    """Write a step into the journal, before the edits that wait in the table `incoming` are made.

    What was undone can then no longer be redone, and the oldest steps beyond the limits can no longer be undone.
    """
    db.execute("DELETE FROM draft_steps WHERE version_id = ? AND undone = 1", (version_id,))
    values = (step.id, version_id, step.label, step.edits, step.first, step.made_at)
    db.execute("INSERT INTO draft_steps VALUES (?, ?, ?, ?, ?, 0, 0, ?)", values)
    db.execute(
        f"INSERT INTO draft_befores SELECT :step, i.position, {HELD} FROM incoming i"
        " LEFT JOIN drafts d ON d.version_id = :version AND d.position = i.position ORDER BY i.position",
        {"step": step.id, "version": version_id},
    )
    _measure(db, step.id)
    _forget_oldest(db, version_id)


def end_history(db: sqlite3.Connection, version_id: str) -> None:
    """Forget all steps: their edits are a version now."""
    db.execute("DELETE FROM draft_steps WHERE version_id = ?", (version_id,))


LAST_DONE = "SELECT * FROM draft_steps WHERE version_id = ? AND undone = 0 ORDER BY id DESC LIMIT 1"
FIRST_UNDONE = "SELECT * FROM draft_steps WHERE version_id = ? AND undone = 1 ORDER BY id LIMIT 1"


def _change_places(
    db: sqlite3.Connection, ws: Workspace, version_id: str, step: Step, source: str, target: str, *, undone: int
) -> None:
    """Bring what `source` holds of a step into the drafts, and what stood there into `target`."""
    (last,) = db.execute(f"SELECT max(position) FROM {source} WHERE step_id = ?", (step.id,)).fetchone()
    base = take_revisions(db, last - step.first + 1)
    names = {"step": step.id, "version": version_id, "base": base, "first": step.first, "now": ws.clock()}
    db.execute(
        f"INSERT INTO {target} SELECT :step, s.position, {HELD} FROM {source} s"
        " LEFT JOIN drafts d ON d.version_id = :version AND d.position = s.position"
        " WHERE s.step_id = :step ORDER BY s.position",
        names,
    )
    db.execute(
        "INSERT OR REPLACE INTO drafts SELECT :version, position, :base + 1 + position - :first, state, :now, line"
        f" FROM {source} WHERE step_id = :step ORDER BY position",
        names,
    )
    db.execute(f"DELETE FROM {source} WHERE step_id = :step", names)
    db.execute("UPDATE draft_steps SET undone = ? WHERE id = ?", (undone, step.id))
    _measure(db, step.id)


def _measure(db: sqlite3.Connection, step_id: int) -> None:
    query = "SELECT count(*) * ? + coalesce(sum(length(line)), 0) FROM draft_befores WHERE step_id = ?"
    (held,) = db.execute(query, (ROW_BYTES, step_id)).fetchone()
    db.execute("UPDATE draft_steps SET held_bytes = ? WHERE id = ?", (held, step_id))


def _forget_oldest(db: sqlite3.Connection, version_id: str) -> None:
    query = "SELECT id, held_bytes FROM draft_steps WHERE version_id = ? AND undone = 0 ORDER BY id DESC"
    held = 0
    for age, row in enumerate(db.execute(query, (version_id,)).fetchall()):
        held += row["held_bytes"]
        if age and (age >= KEPT_STEPS or held > KEPT_BYTES):
            db.execute(
                "DELETE FROM draft_steps WHERE version_id = ? AND undone = 0 AND id <= ?", (version_id, row["id"])
            )
            return


def _expected(row: sqlite3.Row | None, step_id: int, verb: str) -> Step:
    step = _step(row) if row else None
    if step is None or step.id != step_id:
        raise EditConflict(
            "Another window has edited, undone or redone something since this page was drawn.",
            f"Nothing was {verb}. Look at the page as it is now, and try again.",
            mine=str(step_id),
            theirs=step.label if step else f"There is nothing to be {verb}.",
        )
    return step


def _step(row: sqlite3.Row) -> Step:
    return Step(row["id"], row["label"], row["edits"], row["first"], row["made_at"])
