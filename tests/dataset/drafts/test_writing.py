"""Many edits in one call: all or none, told which one it was, and others can save while they are being made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.drafts import spool
from lib.dataset.shelf import Version
from lib.errors import DataError, EditConflict, WorkspaceError
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, many

Edit = tuple[int, dict[str, Any] | None, int]


def test_edits_are_counted_and_come_in_any_order(ws: Workspace, held: Version) -> None:
    assert drafts.change_all(ws, held.id, [(7, None, 0), (2, chat("a", "b"), 0), (11, None, 0)]) == 3
    revisions = [entry.revision for entry in drafts.entries(ws, held, [2, 7, 11])]
    assert revisions == sorted(set(revisions))


def test_many_edits_wait_in_a_file_that_is_gone_afterwards(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 100)
    before = set(ws.home.iterdir())
    assert drafts.change_all(ws, held.id, [(at, chat("new", str(at)), 0) for at in range(12)]) == 12
    texts = [entry.example and entry.example.messages[1].text for entry in drafts.current(ws, held.id, 0, 12)]
    assert texts == [str(at) for at in range(12)]
    assert set(ws.home.iterdir()) == before


def test_an_iterator_that_breaks_off_changes_nothing(ws: Workspace, held: Version) -> None:
    def breaking() -> Iterator[Edit]:
        yield 1, None, 0
        raise KeyError

    with pytest.raises(KeyError):
        drafts.change_all(ws, held.id, breaking())
    assert drafts.edits(ws, held.id) == {}


@pytest.mark.parametrize("bad", [(12, chat(), 0), (-1, None, 0), (2**40, chat(), 0), (3, {"a": float("nan")}, 0)])
def test_one_bad_edit_spoils_all_and_is_told(bad: Edit, ws: Workspace, held: Version) -> None:
    with pytest.raises(DataError):
        drafts.change_all(ws, held.id, [(1, None, 0), bad, (2, None, 0)])
    assert drafts.edits(ws, held.id) == {}
    assert drafts.history(ws, held.id).undo is None


def test_two_edits_of_one_example_in_one_call_are_a_conflict(ws: Workspace, held: Version) -> None:
    with pytest.raises(EditConflict) as told:
        drafts.change_all(ws, held.id, [(4, chat("first", "1"), 0), (4, chat("second", "2"), 0)])
    assert '"second"' in told.value.mine
    assert '"first"' in told.value.theirs
    assert drafts.edits(ws, held.id) == {}


def test_others_save_while_edits_are_still_being_made(ws: Workspace, held: Version) -> None:
    other = Workspace.open(ws.home)

    def slow() -> Iterator[Edit]:
        yield 1, None, 0
        drafts.change(other, held.id, 5, chat("theirs", "5"), 0)
        yield 2, None, 0

    assert drafts.change_all(ws, held.id, slow()) == 2
    assert list(drafts.edits(ws, held.id)) == [1, 2, 5]

    def overtaken() -> Iterator[Edit]:
        yield 6, None, 0
        drafts.change(other, held.id, 6, chat("theirs", "6"), 0)

    with pytest.raises(EditConflict, match="Example 7"):
        drafts.change_all(ws, held.id, overtaken())
    assert drafts.current(ws, held.id, 6, 7)[0].example.data == chat("theirs", "6")  # type: ignore[union-attr]
    other.close()


def test_an_iterator_may_look_at_what_it_edits(ws: Workspace, held: Version) -> None:
    drafts.remove(ws, held.id, 3, 0)
    edits = (
        (entry.position, chat("again", str(entry.position)), entry.revision)
        for entry in drafts.current(ws, held.id, 0, 12)
        if drafts.current(ws, held.id, entry.position, entry.position + 1)[0].example is None
    )
    assert drafts.change_all(ws, held.id, edits) == 1


def test_a_full_disk_under_the_waiting_edits_is_told(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

    waiting = spool.Spool(Full(), ws.home)  # type: ignore[arg-type]
    with pytest.raises(WorkspaceError, match="No space left on device") as told:
        waiting.put(0, 0, "removed", None)
    assert str(ws.home) in told.value.todo


def test_an_edit_that_gives_the_original_bytes_is_none(ws: Workspace, held: Version) -> None:
    revision = drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    drafts.change(ws, held.id, 4, many(12)[4], revision)
    assert drafts.changes(ws, held.id) == drafts.Changes(0, 0, 0)
    assert drafts.edited_places(ws, held.id).tolist() == []
    assert drafts.current(ws, held.id, 4, 5)[0].revision > revision
    assert shelf.open_lines(ws, held).raw(4) == {one.position: one.line for one in drafts.walk(ws, held.id)}[4]
