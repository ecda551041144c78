"""A sample with its flaws repaired, as a second version: what the first screen trains on.

The repairs are those of the check, made for every kind of warning that has one; nothing here is a way around them.
"""

from __future__ import annotations

from lib.dataset import drafts, mending, shelf
from lib.dataset.desk import Desk
from lib.dataset.likeness import LEAK
from lib.dataset.rules.kinds import KINDS
from lib.dataset.shelf import Version
from lib.tokens.batch import BatchCounter
from lib.workspace.database import Workspace

NAME = "Flaws repaired"


def repaired(ws: Workspace, version: Version, counter: BatchCounter, limit: int | None) -> Version:
    """The version after all repairs of what is more than a note; the same one when it was made before."""
    made = next((one for one in shelf.versions(ws, version.dataset_id) if one.name == NAME), None)
    if made is not None:
        return made
    desk = Desk(ws, version, counter=counter)
    # Leaks first: what stands on both sides of the split goes from training.
    for code in sorted(desk.assessed.found(limit), key=lambda code: code != LEAK):
        kind = KINDS[code]
        if kind.fix is not None and kind.severity != "info":
            edits = mending.repairs(desk, code, limit)
            drafts.change_all(ws, version.id, edits, label=f"Repaired: {kind.title.lower()}")
            desk.follow()
    return drafts.save_version(ws, version.id, NAME) if desk.changed else version
