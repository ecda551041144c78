"""Looks at the saved edits of a version: the entries of a page, all edits, and what was saved after a revision.

What goes through many edits reads them a few at a time, so that a million of them take no more memory than a page.
Changes nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView

import msgspec
import numpy as np
import numpy.typing as npt

from lib.dataset.drafts.entry import Changes, Entry, Saved, State
from lib.dataset.example import Example
from lib.dataset.jsonl import Lines
from lib.dataset.parse import parse
from lib.dataset.shelf import Version, open_lines, version
from lib.workspace.database import Workspace

Positions = npt.NDArray[np.int32]

# How many rows are in memory at a time. A line may be megabytes long.
ROWS = 200
DIFFERS = "state IN ('edited', 'removed')"
AT_PLACES = "SELECT * FROM drafts WHERE version_id = ? AND position IN (SELECT value FROM json_each(?))"


def current(ws: Workspace, version_id: str, start: int, stop: int) -> list[Entry]:
    """The entries at positions `start` to `stop` (excluded) with all edits applied, removed ones included."""
    held = version(ws, version_id)
    return entries(ws, held, range(max(0, start), min(stop, total(ws, version_id))))


def entries(ws: Workspace, held: Version, places: Sequence[int]) -> list[Entry]:
    """The entries at exactly these positions, in their order, from one query. Positions past the end are left out."""
    lines = open_lines(ws, held)
    rows = ws.read(AT_PLACES, (held.id, json.dumps([int(place) for place in places])))
    drafts = {row["position"]: row for row in rows}
    found = (_entry(held, lines, int(place), drafts.get(place)) for place in places)
    return [entry for entry in found if entry is not None]


def stands(ws: Workspace, held: Version, places: Sequence[int]) -> list[Saved]:
    """How exactly these examples stand, in the order of `places`, from one query. Positions past the end are left out.

    What `entries` is for a screen, as lines: for whoever looks at examples in another form.
    """
    lines = open_lines(ws, held)
    rows = {row["position"]: row for row in ws.read(AT_PLACES, (held.id, json.dumps([int(place) for place in places])))}
    found: list[Saved] = []
    for place in map(int, places):
        if place in rows:
            found.append(_saved(held, lines, rows[place]))
        elif 0 <= place < held.examples:
            found.append(Saved(place, 0, "original", lines.raw(place)))
    return found


class Edits(Mapping[int, Entry]):
    """The entries that differ from the version, by position, in their order.

    Which positions these are is as it was when this was made; an entry is read when it is asked for, as it is then.
    """

    def __init__(self, ws: Workspace, held: Version, places: Positions) -> None:
        self._ws = ws
        self._held = held
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[int]:
        return iter(self._places.tolist())

    def __getitem__(self, position: int) -> Entry:
        at = self._places.searchsorted(position)
        found = at < len(self._places) and self._places[at] == position
        if not found or not (held := entries(self._ws, self._held, [position])):
            raise KeyError(position)
        return held[0]

    def values(self) -> ValuesView[Entry]:
        """The entries, read a few at a time."""
        return _Entries(self)

    def items(self) -> ItemsView[int, Entry]:
        """Positions and entries, read a few at a time."""
        return _Items(self)

    def read(self) -> Iterator[Entry]:
        """The entries, one after the other."""
        for start in range(0, len(self._places), ROWS):
            yield from entries(self._ws, self._held, self._places[start : start + ROWS].tolist())


class _Entries(ValuesView[Entry]):
    def __init__(self, held: Edits) -> None:
        super().__init__(held)
        self._read = held.read

    def __iter__(self) -> Iterator[Entry]:
        return self._read()


class _Items(ItemsView[int, Entry]):
    def __init__(self, held: Edits) -> None:
        super().__init__(held)
        self._read = held.read

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        return ((entry.position, entry) for entry in self._read())


def edits(ws: Workspace, version_id: str) -> Edits:
    """All entries with a saved edit, by position, in their order."""
    held = version(ws, version_id)
    return Edits(ws, held, edited_places(ws, version_id))


def edited_places(ws: Workspace, version_id: str) -> Positions:
    """The positions that differ from the version, removed and added ones included, ascending. Reads no example."""
    return places(ws, version_id, DIFFERS)


def places(ws: Workspace, version_id: str, condition: str) -> Positions:
    """The positions of the rows of a version on which an SQL condition holds, ascending."""
    # As one value: a million rows would take a hundred megabytes on their way.
    query = f"SELECT json_group_array(position) AS held FROM drafts WHERE version_id = ? AND {condition}"
    (row,) = ws.read(query, (version_id,))
    return np.sort(np.array(msgspec.json.decode(row["held"], type=list[int]), dtype=np.int32))


def total(ws: Workspace, version_id: str) -> int:
    """The number of positions: the version's examples and the added ones, removed ones included."""
    held = version(ws, version_id)
    rows = ws.read(LAST, (version_id,))
    return past_end(held, rows[0] if rows else None)


LAST = f"SELECT position FROM drafts WHERE version_id = ? AND {DIFFERS} ORDER BY position DESC LIMIT 1"


def past_end(held: Version, last: sqlite3.Row | None) -> int:
    """The number of positions, from the row that LAST has found."""
    return max(held.examples, last["position"] + 1 if last else 0)


def changes(ws: Workspace, version_id: str) -> Changes:
    """What saving would change. Counted without reading an example."""
    held = version(ws, version_id)
    # An added example that was taken out again was never there.
    query = (
        "SELECT total(state = 'edited' AND position >= :end) AS added,"
        " total(state = 'removed' AND position < :end) AS removed,"
        f" total(state = 'edited' AND position < :end) AS changed FROM drafts WHERE version_id = :version AND {DIFFERS}"
    )
    (row,) = ws.read(query, {"end": held.examples, "version": version_id})
    return Changes(added=int(row["added"]), removed=int(row["removed"]), changed=int(row["changed"]))


def last_revision(ws: Workspace, version_id: str) -> int:
    """The revision of what was saved last for this version, by an edit, an undo or a saved version; 0 when nothing was.

    As long as it stays the same, nothing else has changed.
    """
    rows = ws.read("SELECT max(revision) AS last FROM drafts WHERE version_id = ?", (version_id,))
    return int(rows[0]["last"] or 0)


def since(ws: Workspace, version_id: str, revision: int) -> Iterator[Saved]:
    """How the examples stand that were touched after `revision`, in the order of their revisions.

    An example that is again what it is in the version comes as well, with state "original". Whatever is saved while
    this is read comes at the end, an example twice if it was touched twice.
    """
    held = version(ws, version_id)
    lines = open_lines(ws, held)
    query = "SELECT * FROM drafts WHERE version_id = ? AND revision > ? ORDER BY revision LIMIT ?"
    while rows := ws.read(query, (version_id, revision, ROWS)):
        for row in rows:
            yield _saved(held, lines, row)
        revision = rows[-1]["revision"]


def walk(ws: Workspace, version_id: str) -> Iterator[Saved]:
    """Every example as it is now, in order; removed ones are left out.

    An edit that is saved meanwhile may or may not be seen, whole.
    """
    held = version(ws, version_id)
    lines = open_lines(ws, held)
    reached = 0
    for row in by_position(ws, version_id):
        yield from _originals(lines, reached, min(row["position"], held.examples))
        if (saved := _saved(held, lines, row)).line is not None:
            yield saved
        reached = row["position"] + 1
    yield from _originals(lines, reached, held.examples)


def by_position(ws: Workspace, version_id: str) -> Iterator[sqlite3.Row]:
    """All rows of a version in the order of their positions, a few in memory at a time."""
    query = "SELECT * FROM drafts WHERE version_id = ? AND position > ? ORDER BY position LIMIT ?"
    position = -1
    while rows := ws.read(query, (version_id, position, ROWS)):
        yield from rows
        position = rows[-1]["position"]


def _originals(lines: Lines, begun: int, ended: int) -> Iterator[Saved]:
    return (Saved(position, 0, "original", raw) for position, raw in enumerate(lines.raws(begun, ended), start=begun))


def _saved(held: Version, lines: Lines, row: sqlite3.Row) -> Saved:
    position: int = row["position"]
    state: State
    if row["state"] in ("edited", "removed"):
        state, line = row["state"], row["line"]
    elif position < held.examples:
        state, line = "original", lines.raw(position)
    else:
        state, line = "absent", None
    return Saved(position, row["revision"], state, line)


def _entry(held: Version, lines: Lines, position: int, row: sqlite3.Row | None) -> Entry | None:
    original = lines.example(position) if 0 <= position < held.examples else None
    if row is None or row["state"] in ("untouched", "discarded"):
        revision = row["revision"] if row is not None and row["state"] == "untouched" else 0
        return None if original is None else Entry(position, revision, original, original)
    example = None if row["line"] is None else Example(parse(row["line"]))
    return Entry(position, row["revision"], example, original)
