"""How the split of a version is kept: a short list beside the version, a long one by its hash and read when asked for.

A list of versions costs the same however many examples are held out. Knows no dataset.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from functools import lru_cache

from lib.dataset.places import Places
from lib.errors import WorkspaceError
from lib.workspace.database import Workspace

# A list of so many numbers is shorter than a page of the database.
SHORT = 500


def write(db: sqlite3.Connection, places: Places) -> str:
    """Keep a split inside a transaction and return what the column `validation` says of it, as JSON."""
    if len(places) <= SHORT:
        return json.dumps(list(places))
    packed = places.packed()
    sha256 = hashlib.sha256(packed.encode()).hexdigest()
    db.execute("INSERT OR IGNORE INTO splits VALUES (?, ?)", (sha256, packed))
    return json.dumps({"count": len(places), "split": sha256})


def read(ws: Workspace, validation: str) -> Places:
    """The split that the column `validation` speaks of. A long one is read when its positions are asked for.

    Asking raises WorkspaceError when the split is not in the workspace.
    """
    said = json.loads(validation)
    if isinstance(said, list):
        return Places(said)
    return Places.later(said["count"], lambda: _kept(ws, said["split"]))


# A split that is known by its hash never changes.
@lru_cache(maxsize=16)
def _kept(ws: Workspace, sha256: str) -> Places:
    rows = ws.read("SELECT places FROM splits WHERE sha256 = ?", (sha256,))
    if not rows:
        raise WorkspaceError(
            f"Which examples are held out is no longer in {ws.path}.", "Split the version again, or use a backup."
        )
    return Places.unpacked(rows[0]["places"])
