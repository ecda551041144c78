"""Undo and redo: exactly what was there, never twice by surprise, and no window's stale text over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.drafts import History, Step, journal
from lib.dataset.example import encode
from lib.dataset.shelf import Version
from lib.errors import DataError, EditConflict
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, many


def undo(ws: Workspace, held: Version) -> Step:
    """Undo what a screen that was drawn just now shows."""
    step = drafts.history(ws, held.id).undo
    assert step is not None
    return drafts.undo(ws, held.id, step.id)


def redo(ws: Workspace, held: Version) -> Step:
    step = drafts.history(ws, held.id).redo
    assert step is not None
    return drafts.redo(ws, held.id, step.id)


def lines(ws: Workspace, held: Version) -> list[bytes | None]:
    """What stands at every position, byte for byte."""
    now = {one.position: one.line for one in drafts.walk(ws, held.id)}
    return [now.get(position) for position in range(drafts.total(ws, held.id))]


def edit(ws: Workspace, held: Version) -> None:
    drafts.change(ws, held.id, 4, chat("new", "4"), 0)


def edit_some(ws: Workspace, held: Version) -> None:
    drafts.change_all(ws, held.id, [(11, None, 0), (2, chat("new", "2"), 0), (5, chat("new", "5"), 0)])


def take_out(ws: Workspace, held: Version) -> None:
    drafts.remove(ws, held.id, 0, 0)


def put_in(ws: Workspace, held: Version) -> None:
    drafts.add(ws, held.id, chat("new", "12"))


def discard_all(ws: Workspace, held: Version) -> None:
    drafts.discard(ws, held.id)


def take_back(ws: Workspace, held: Version) -> None:
    drafts.revert(ws, held.id, 9, drafts.current(ws, held.id, 9, 10)[0].revision)


@pytest.fixture
def edited(ws: Workspace, held: Version) -> Version:
    """A version with edits of every kind, far from those that are undone in these tests."""
    drafts.change_all(ws, held.id, [(7, None, 0), (8, chat("kept", "8"), 0), (9, chat("kept", "9"), 0)])
    return held


@pytest.mark.parametrize("act", [edit, edit_some, take_out, put_in, take_back, discard_all])
def test_undo_and_redo_bring_back_every_byte(
    act: Callable[[Workspace, Version], None], ws: Workspace, edited: Version
) -> None:
    before, was = lines(ws, edited), drafts.changes(ws, edited.id)
    act(ws, edited)
    after, changed = lines(ws, edited), drafts.changes(ws, edited.id)
    assert before != after
    for _ in range(3):
        step = undo(ws, edited)
        assert (lines(ws, edited), drafts.changes(ws, edited.id)) == (before, was)
        assert redo(ws, edited) == step
        assert (lines(ws, edited), drafts.changes(ws, edited.id)) == (after, changed)


def test_everything_can_be_undone_back_to_the_beginning_and_redone(ws: Workspace, held: Version) -> None:
    seen = [lines(ws, held)]
    for act in (edit, edit_some, take_out, put_in, discard_all, put_in):
        act(ws, held)
        seen.append(lines(ws, held))
    assert drafts.history(ws, held.id).steps == 6
    for expected in seen[-2::-1]:
        undo(ws, held)
        assert lines(ws, held) == expected
    assert drafts.history(ws, held.id).undo is None
    assert drafts.edits(ws, held.id) == {}
    for expected in seen[1:]:
        redo(ws, held)
        assert lines(ws, held) == expected
    assert drafts.history(ws, held.id).redo is None


def test_a_step_says_what_was_done(ws: Workspace, held: Version) -> None:
    said = []
    for act in (edit, edit_some, take_out, put_in, discard_all):
        act(ws, held)
        step = drafts.history(ws, held.id).undo
        assert step is not None
        said.append((step.label, step.edits, step.first))
    assert said == [
        ("Edited example 5", 1, 4),
        ("Edited 3 examples", 3, 2),
        ("Removed example 1", 1, 0),
        ("Added example 13", 1, 12),
        ("Discarded the edits of 6 examples", 6, 0),
    ]
    drafts.change_all(ws, held.id, [(1, None, 0)], label="Repaired 1 × exact duplicate")
    assert undo(ws, held).label == "Repaired 1 × exact duplicate"


def test_nothing_was_done_yet(ws: Workspace, held: Version) -> None:
    assert drafts.history(ws, held.id) == History(None, None, 0)
    for act in (drafts.undo, drafts.redo):
        with pytest.raises(EditConflict):
            act(ws, held.id, 1)


def test_an_edit_that_changes_nothing_is_no_step(ws: Workspace, held: Version) -> None:
    revision = drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    assert drafts.change(ws, held.id, 4, chat("new", "4"), revision) == revision
    assert drafts.change(ws, held.id, 5, many(12)[5], 0) == 0
    assert drafts.change_all(ws, held.id, [(4, chat("new", "4"), revision), (5, many(12)[5], 0)]) == 0
    assert drafts.change_all(ws, held.id, []) == 0
    assert drafts.history(ws, held.id).steps == 1
    undo(ws, held)
    drafts.discard(ws, held.id)
    assert drafts.history(ws, held.id).steps == 0


def test_a_new_edit_after_an_undo_drops_what_was_undone(ws: Workspace, held: Version) -> None:
    edit(ws, held)
    undone = undo(ws, held)
    take_out(ws, held)
    assert drafts.history(ws, held.id).redo is None
    with pytest.raises(EditConflict):
        drafts.redo(ws, held.id, undone.id)
    assert drafts.changes(ws, held.id) == drafts.Changes(added=0, removed=1, changed=0)
    assert ws.read("SELECT * FROM draft_afters") == [], "nothing is kept for what cannot come back"


def test_a_stale_window_cannot_overwrite_what_an_undo_brought_back(ws: Workspace, held: Version) -> None:
    mine = drafts.change(ws, held.id, 4, chat("mine", "1"), 0)
    undo(ws, held)
    for stale in (mine, 0):
        with pytest.raises(EditConflict) as told:
            drafts.change(ws, held.id, 4, chat("stale", "2"), stale)
        assert told.value.theirs.encode() == shelf.open_lines(ws, held).raw(4)
    redo(ws, held)
    with pytest.raises(EditConflict):
        drafts.change(ws, held.id, 4, chat("stale", "2"), mine)
    assert drafts.current(ws, held.id, 4, 5)[0].example.data == chat("mine", "1")  # type: ignore[union-attr]


def test_an_edit_of_an_example_whose_adding_was_undone_is_told(ws: Workspace, held: Version) -> None:
    place = drafts.add(ws, held.id, chat("new", "1"))
    (entry,) = drafts.current(ws, held.id, place, place + 1)
    undo(ws, held)
    with pytest.raises(EditConflict) as told:
        drafts.change(ws, held.id, place, chat("mine", "2"), entry.revision)
    assert (told.value.theirs, '"mine"' in told.value.mine) == ("(removed)", True)
    assert drafts.total(ws, held.id) == 12
    assert drafts.add(ws, held.id, chat("other", "3")) == place
    with pytest.raises(EditConflict):
        drafts.change(ws, held.id, place, chat("mine", "2"), entry.revision)


def test_a_place_that_is_gone_cannot_be_edited_by_a_window_that_knows_it_is(ws: Workspace, held: Version) -> None:
    place = drafts.add(ws, held.id, chat("new", "1"))
    undo(ws, held)
    (gone,) = drafts.since(ws, held.id, 0)
    with pytest.raises(DataError, match="no example 13"):
        drafts.change(ws, held.id, place, chat("new", "2"), gone.revision)


def test_two_windows_that_undo_at_once_undo_once(ws: Workspace, held: Version) -> None:
    edit(ws, held)
    take_out(ws, held)
    shown = drafts.history(ws, held.id).undo
    assert shown is not None
    drafts.undo(ws, held.id, shown.id)
    with pytest.raises(EditConflict) as told:
        drafts.undo(ws, held.id, shown.id)
    assert told.value.theirs == "Edited example 5", "what would have been undone by surprise"
    assert drafts.changes(ws, held.id).changed == 1
    redone = drafts.redo(ws, held.id, shown.id)
    with pytest.raises(EditConflict, match="Another window"):
        drafts.redo(ws, held.id, redone.id)


def test_a_step_of_another_version_is_not_undone_here(ws: Workspace, held: Version) -> None:
    other = shelf.bring_in(ws, shelf.open_lines(ws, held).raw(0), "b.jsonl")
    drafts.remove(ws, other.id, 0, 0)
    step = drafts.history(ws, other.id).undo
    assert step is not None
    assert drafts.history(ws, held.id) == History(None, None, 0)
    with pytest.raises(EditConflict):
        drafts.undo(ws, held.id, step.id)


def test_a_number_of_a_step_never_comes_back(ws: Workspace, held: Version) -> None:
    edit(ws, held)
    first = undo(ws, held)
    drafts.change(ws, held.id, 4, chat("other", "1"), drafts.current(ws, held.id, 4, 5)[0].revision)
    second = drafts.history(ws, held.id).undo
    assert second is not None
    assert second.id > first.id
    with pytest.raises(EditConflict):
        drafts.undo(ws, held.id, first.id)


def test_saving_ends_the_history(ws: Workspace, held: Version) -> None:
    edit(ws, held)
    edit_some(ws, held)
    undo(ws, held)
    made = drafts.save_version(ws, held.id, "Saved")
    for version_id in (held.id, made.id):
        assert drafts.history(ws, version_id) == History(None, None, 0)
    for table in ("draft_steps", "draft_befores", "draft_afters"):
        assert ws.read(f"SELECT * FROM {table}") == []


def test_the_journal_keeps_so_many_steps(ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT_STEPS", 3)
    for place in range(6):
        drafts.remove(ws, held.id, place, 0)
    assert drafts.history(ws, held.id).steps == 3
    for _ in range(3):
        undo(ws, held)
    assert drafts.history(ws, held.id).undo is None
    assert list(drafts.edits(ws, held.id)) == [0, 1, 2], "what cannot be undone any more is still there"


def test_the_journal_keeps_so_many_bytes_and_always_the_last_step(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEPT_BYTES", 2500)
    revision = 0
    for turn in range(6):
        revision = drafts.change(ws, held.id, 4, chat(str(turn), "x" * 1000), revision)
    assert drafts.history(ws, held.id).steps == 2
    monkeypatch.setattr(journal, "KEPT_BYTES", 0)
    drafts.change(ws, held.id, 4, chat("7", "x"), revision)
    assert drafts.history(ws, held.id).steps == 1
    undo(ws, held)
    assert drafts.current(ws, held.id, 4, 5)[0].example.data == chat("5", "x" * 1000)  # type: ignore[union-attr]


def test_a_line_of_the_version_is_not_copied(ws: Workspace, held: Version) -> None:
    revision = drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    drafts.change(ws, held.id, 4, many(12)[4], revision)
    drafts.remove(ws, held.id, 3, 0)
    for _ in range(2):
        held_lines = [row["line"] for row in ws.read("SELECT line FROM drafts")]
        held_lines += [row["line"] for row in ws.read("SELECT line FROM draft_befores")]
        assert [line for line in held_lines if line is not None] == [encode(chat("new", "4"))]
        undo(ws, held)
        redo(ws, held)


def test_an_undo_that_fails_in_the_middle_leaves_everything(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_some(ws, held)
    before, shown = lines(ws, held), drafts.history(ws, held.id)

    def fail(*_: Any) -> None:
        raise KeyError

    monkeypatch.setattr(journal, "_measure", fail)
    with pytest.raises(KeyError):
        undo(ws, held)
    assert (lines(ws, held), drafts.history(ws, held.id)) == (before, shown)
