"""Looking at edits: what a page reads, what a follower is told, and that neither depends on how many there are."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from lib.dataset import drafts, shelf
from lib.dataset.drafts import Saved, reading
from lib.dataset.example import encode
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many


@pytest.fixture
def asked(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every query of the drafts from here on."""
    queries: list[str] = []
    read = Workspace.read

    def reading_aloud(self: Workspace, sql: str, values: Any = ()) -> list[sqlite3.Row]:
        if "drafts" in sql:
            queries.append(sql)
        return read(self, sql, values)

    monkeypatch.setattr(Workspace, "read", reading_aloud)
    return queries


def test_the_entries_of_a_page_come_from_one_query_in_the_order_asked(
    ws: Workspace, held: Version, asked: list[str]
) -> None:
    drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    drafts.remove(ws, held.id, 7, 0)
    drafts.add(ws, held.id, chat("new", "12"))
    asked.clear()
    entries = drafts.entries(ws, held, [12, 4, 0, 7, 99, -1])
    assert len(asked) == 1
    assert [entry.position for entry in entries] == [12, 4, 0, 7], "those that are not there are left out"
    assert entries == [drafts.current(ws, held.id, at, at + 1)[0] for at in (12, 4, 0, 7)]
    assert drafts.entries(ws, held, []) == []
    assert drafts.entries(ws, held, np.array([4, 0]))[1].position == 0  # type: ignore[arg-type]


def test_lines_are_read_as_they_stand_byte_for_byte(ws: Workspace, asked: list[str]) -> None:
    odd = [b'{"messages":  [ ] , "x": 1.50}', b'{"x":"\\u00e9", "x":"twice"}', b'{"x": 1e3}', b'{"x": 4}']
    held = shelf.bring_in(ws, b"\n".join(odd), "a.jsonl")
    drafts.remove(ws, held.id, 2, 0)
    revision = drafts.change(ws, held.id, 3, {"x": 5}, 0)
    place = drafts.add(ws, held.id, chat())
    drafts.undo(ws, held.id, drafts.history(ws, held.id).undo.id)  # type: ignore[union-attr]
    asked.clear()
    found = drafts.stands(ws, held, [3, 2, 1, 0, place, 99, -1])
    assert len(asked) == 1
    assert found[0] == Saved(3, revision, "edited", b'{"x": 5}')
    assert [(one.state, one.line) for one in found[1:]] == [
        ("removed", None),
        ("original", odd[1]),
        ("original", odd[0]),
        ("absent", None),
    ]


def test_the_places_that_differ_are_found_without_reading_an_example(
    ws: Workspace, held: Version, asked: list[str]
) -> None:
    assert drafts.edited_places(ws, held.id).tolist() == []
    drafts.change_all(ws, held.id, [(9, None, 0), (4, chat("new", "4"), 0)])
    place = drafts.add(ws, held.id, chat("new", "12"))
    found = drafts.edited_places(ws, held.id)
    assert (found.dtype, found.tolist()) == (np.int32, [4, 9, place])
    drafts.revert(ws, held.id, 9, drafts.current(ws, held.id, 9, 10)[0].revision)
    assert drafts.edited_places(ws, held.id).tolist() == [4, place]
    asked.clear()
    drafts.edited_places(ws, held.id)
    drafts.changes(ws, held.id)
    drafts.last_revision(ws, held.id)
    assert len(asked) == 3
    for query in list(asked):
        (plan,) = ws.read(
            "EXPLAIN QUERY PLAN " + query, {"end": 0, "version": "", "1": ""} if ":end" in query else ("",)
        )
        assert "COVERING INDEX" in plan["detail"], query


def test_edits_are_read_when_they_are_asked_for(ws: Workspace, held: Version, asked: list[str]) -> None:
    drafts.change_all(ws, held.id, [(at, chat("new", str(at)), 0) for at in range(8)])
    edits = drafts.edits(ws, held.id)
    asked.clear()
    assert (len(edits), list(edits), 3 in edits, 8 in edits, edits.get(99)) == (8, list(range(8)), True, False, None)
    assert list(edits.values()) == [edits[at] for at in range(8)] == [entry for _, entry in edits.items()]
    assert asked
    with pytest.raises(KeyError):
        edits[8]
    assert dict(edits) == edits


def follow(ws: Workspace, held: Version, seen: dict[int, bytes | None], revision: int) -> int:
    """Bring up to date what a window knows of the examples, as the desk does."""
    for one in drafts.since(ws, held.id, revision):
        assert one.revision > revision
        revision = one.revision
        if one.state == "absent":
            seen.pop(one.position, None)
        else:
            seen[one.position] = one.line
    assert revision == drafts.last_revision(ws, held.id)
    return revision


def known(ws: Workspace, held: Version) -> dict[int, bytes | None]:
    now: dict[int, bytes | None] = dict.fromkeys(range(drafts.total(ws, held.id)))
    return now | {one.position: one.line for one in drafts.walk(ws, held.id)}


def test_whoever_follows_knows_what_every_edit_and_undo_did(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 2)
    seen = known(ws, held)
    revision = follow(ws, held, seen, 0)
    some = [(at, chat("some", str(at)), 0) for at in (3, 5, 6, 8, 10)]
    acts = [
        lambda: drafts.change(ws, held.id, 4, chat("new", "4"), 0),
        lambda: drafts.remove(ws, held.id, 7, 0),
        lambda: drafts.add(ws, held.id, chat("new", "12")),
        lambda: drafts.change_all(ws, held.id, some),
        lambda: drafts.revert(ws, held.id, 7, drafts.current(ws, held.id, 7, 8)[0].revision),
        lambda: drafts.discard(ws, held.id),
        *[lambda: drafts.undo(ws, held.id, drafts.history(ws, held.id).undo.id)] * 6,  # type: ignore[union-attr]
        *[lambda: drafts.redo(ws, held.id, drafts.history(ws, held.id).redo.id)] * 5,  # type: ignore[union-attr]
        lambda: drafts.save_version(ws, held.id, "Saved"),
    ]
    for act in acts:
        act()
        revision = follow(ws, held, seen, revision)
        assert seen == known(ws, held)
    assert follow(ws, held, known(ws, held), 0) == revision
    assert list(drafts.since(ws, held.id, revision)) == []


def test_an_undone_edit_comes_as_what_the_version_has(ws: Workspace, held: Version) -> None:
    revision = drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    drafts.undo(ws, held.id, drafts.history(ws, held.id).undo.id)  # type: ignore[union-attr]
    (one,) = drafts.since(ws, held.id, revision)
    original = shelf.open_lines(ws, held).raw(4)
    assert (one.position, one.state, one.line, one.revision > revision) == (4, "original", original, True)
    assert drafts.change(ws, held.id, 4, chat("next", "5"), one.revision) > one.revision


def test_a_discarded_edit_may_be_known_by_either_number(ws: Workspace, held: Version) -> None:
    drafts.change_all(ws, held.id, [(4, None, 0), (5, None, 0)])
    drafts.discard(ws, held.id)
    four, five = drafts.since(ws, held.id, 0)
    drafts.change(ws, held.id, 4, chat("new", "4"), four.revision)
    drafts.change(ws, held.id, 5, chat("new", "5"), 0)
    assert five.state == "original"


def test_walking_goes_through_all_examples_as_they_are(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 2)
    first = drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    drafts.remove(ws, held.id, 7, 0)
    place = drafts.add(ws, held.id, chat("new", "12"))
    taken = drafts.add(ws, held.id, chat("new", "13"))
    drafts.remove(ws, held.id, taken, drafts.current(ws, held.id, taken, taken + 1)[0].revision)
    now = list(drafts.walk(ws, held.id))
    assert [one.position for one in now] == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, place]
    assert now[4] == Saved(4, first, "edited", encode(chat("new", "4")))
    assert now[0] == Saved(0, 0, "original", shelf.open_lines(ws, held).raw(0))


def big(number: int) -> Iterator[tuple[int, dict[str, Any], int]]:
    return ((at, chat("new", "x" * 20_000), 0) for at in range(number))


def test_many_long_edits_never_stand_in_memory_together(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 10)
    held = shelf.bring_in(ws, lines_of(many(600)), "a.jsonl")
    drafts.change_all(ws, held.id, big(20))
    tracemalloc.start()
    try:
        drafts.change_all(ws, held.id, ((at, data, drafts_revision(ws, held, at)) for at, data, _ in big(600)))
        drafts.undo(ws, held.id, drafts.history(ws, held.id).undo.id)  # type: ignore[union-attr]
        drafts.redo(ws, held.id, drafts.history(ws, held.id).redo.id)  # type: ignore[union-attr]
        for _ in drafts.edits(ws, held.id).values():
            pass
        for _ in drafts.since(ws, held.id, 0):
            pass
        drafts.save_version(ws, held.id, "Saved")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The edits are 12 MB together. Four may wait in memory before they go into a file.
    assert peak < 8_000_000


def drafts_revision(ws: Workspace, held: Version, position: int) -> int:
    return drafts.entries(ws, held, [position])[0].revision
