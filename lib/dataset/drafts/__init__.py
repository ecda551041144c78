"""Edits of a version that are saved but not yet a version of their own.

Every edit lasts as soon as its function returns. An edit names the revision it was made on, so that two tabs that edit
the same example notice each other: the second gets an EditConflict with both texts and nothing is overwritten.
Revisions only ever grow, over the whole workspace; 0 stands for an example without edits. Every call that edits is one
step, which `undo` takes back and `redo` makes again. Knows no screen.

entry    what an example with its edits is
reading  looks at edits: a page of them, all of them, what came after a revision
writing  makes them: change, change_all, remove, revert, add, discard
journal  takes steps back and makes them again
saving   makes a version of them
"""

from __future__ import annotations

from lib.dataset.drafts.entry import Changes, Entry, Saved
from lib.dataset.drafts.journal import History, Step, history, redo, undo
from lib.dataset.drafts.reading import (
    Edits,
    changes,
    current,
    edited_places,
    edits,
    entries,
    last_revision,
    since,
    stands,
    total,
    walk,
)
from lib.dataset.drafts.saving import save_version
from lib.dataset.drafts.writing import add, change, change_all, discard, remove, revert

__all__ = [
    "Changes",
    "Edits",
    "Entry",
    "History",
    "Saved",
    "Step",
    "add",
    "change",
    "change_all",
    "changes",
    "current",
    "discard",
    "edited_places",
    "edits",
    "entries",
    "history",
    "last_revision",
    "redo",
    "remove",
    "revert",
    "save_version",
    "since",
    "stands",
    "total",
    "undo",
    "walk",
]
