"""Makes a version of the saved edits.

Lines without edits keep their exact bytes and are copied in blocks; of the others a few are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from itertools import islice

import numpy as np

from lib.dataset.drafts.journal import end_history, take_revisions
from lib.dataset.drafts.reading import DIFFERS, Positions, by_position, changes, last_revision, places, walk
from lib.dataset.parse import parse
from lib.dataset.places import Places
from lib.dataset.rules.belonging import LOOKED_AT_FIRST, method_of_most
from lib.dataset.shelf import Version, insert, keep_lines, open_lines, version
from lib.errors import DataError, WorkspaceError
from lib.workspace.database import Workspace, new_id

ATTEMPTS = 5


def save_version(ws: Workspace, version_id: str, name: str, *, validation: Collection[int] | None = None) -> Version:
    """Make the edited examples a new version, and the edits none.

    The split goes along, or becomes `validation` (positions among `current`). Lines without edits keep their exact
    bytes. What led here can no longer be undone: the version before is still there. Raises DataError when nothing
    would be left.
    """
    held = version(ws, version_id)
    wanted = Places.of(held.validation if validation is None else validation).array
    for _ in range(ATTEMPTS):
        # What follows is read in many small queries. It is one state if nothing was saved meanwhile.
        state = last_revision(ws, version_id)
        counted, removed = changes(ws, version_id), places(ws, version_id, f"{DIFFERS} AND state = 'removed'")
        if not (examples := held.examples + counted.added - counted.removed):
            raise DataError("All examples are removed, so there is nothing to save.", "Bring some back first.")
        made = Version(
            id=new_id("ver"),
            dataset_id=held.dataset_id,
            dataset_name=held.dataset_name,
            number=0,
            name=name.strip() or "Untitled",
            sha256=keep_lines(ws, _raws(ws, held)),
            examples=examples,
            # A conversion may have changed the method.
            method=method_of_most(parse(one.line or b"") for one in islice(walk(ws, held.id), LOOKED_AT_FIRST)),
            validation=_shifted(wanted, removed, examples),
            changes=asdict(counted),
            parent_id=held.id,
            created_at=ws.clock(),
        )
        if (saved := _replace(ws, held, made, state)) is not None:
            return saved
    raise WorkspaceError("The examples kept changing while they were saved.", "Nothing was lost. Save once more.")


def _replace(ws: Workspace, held: Version, made: Version, state: int) -> Version | None:
    """Write the version and end its drafts at once; None when something was saved in between."""
    names = {"version": held.id, "now": ws.clock()}
    differing = f"FROM drafts WHERE version_id = :version AND {DIFFERS}"
    with ws.write() as db:
        row = db.execute("SELECT max(revision) AS last FROM drafts WHERE version_id = :version", names).fetchone()
        if (row["last"] or 0) != state:
            return None
        last = db.execute(
            "SELECT max(number) AS last FROM versions WHERE dataset_id = ?", (made.dataset_id,)
        ).fetchone()
        insert(db, made := replace(made, number=last["last"] + 1))
        (end,) = db.execute(f"SELECT max(position) {differing}", names).fetchone()
        if end is not None:
            # They stay as discarded ones, so that a window that follows the version before is told.
            names["base"] = take_revisions(db, end + 1)
            db.execute(
                "INSERT OR REPLACE INTO drafts"
                f" SELECT version_id, position, :base + 1 + position, 'discarded', :now, NULL {differing}",
                names,
            )
        end_history(db, held.id)
    return made


def _raws(ws: Workspace, held: Version) -> Iterator[bytes]:
    """What the lines of the new version are."""
    lines = open_lines(ws, held)
    reached = 0
    for row in by_position(ws, held.id):
        if row["state"] in ("edited", "removed"):
            yield from lines.raws(reached, min(row["position"], held.examples))
            if row["line"] is not None:
                yield row["line"]
            reached = row["position"] + 1
    yield from lines.raws(reached, held.examples)


def _shifted(wanted: Positions, removed: Positions, examples: int) -> Places:
    """Where the wanted positions are once the removed ones are gone."""
    stay = wanted[~np.isin(wanted, removed)]
    now = stay - np.searchsorted(removed, stay)
    return Places(now[now < examples])
