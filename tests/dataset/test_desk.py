"""A desk follows what is saved, by whichever window, and says what a new desk would say."""

from __future__ import annotations

from typing import Any

import pytest

from lib.dataset import desk as desk_module
from lib.dataset import drafts, shelf
from lib.dataset.desk import Desk
from lib.dataset.shelf import Version
from lib.dataset.survey import kept
from lib.tokens.batch import batch_counter
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many

COUNTER = batch_counter("o200k_base")


@pytest.fixture
def version(ws: Workspace) -> Version:
    return shelf.bring_in(ws, lines_of([*many(14), {**chat("x", "y"), "extra": 1}]), "some.jsonl", validation=[3])


def told(desk: Desk) -> dict[str, Any]:
    assessed = desk.assessed
    found = {code: places.tolist() for code, places in assessed.found().items() if code != "near_duplicate"}
    return {"found": found, "examples": assessed.examples, "tokens": assessed.tokens(), "edited": desk.changed}


def test_an_edit_is_followed_and_a_new_desk_says_the_same(ws: Workspace, version: Version) -> None:
    desk = Desk(ws, version, counter=COUNTER)
    assert told(desk)["found"] == {"extra_key": [14]}
    assert desk.follow() is False
    drafts.change(ws, version.id, 14, chat("x", "y"), 0)
    drafts.change(ws, version.id, 2, {**chat("z", "y"), "other": 1}, 0)
    drafts.remove(ws, version.id, 5, 0)
    added = drafts.add(ws, version.id, chat("x", "y"))
    assert desk.follow() is True
    assert told(desk)["found"] == {"extra_key": [2], "duplicate": [added]}
    assert (len(desk), desk.assessed.examples, desk.changed) == (16, 15, 4)
    assert desk.changes == drafts.changes(ws, version.id) == drafts.Changes(added=1, removed=1, changed=2)
    assert told(Desk(ws, version, counter=COUNTER)) == told(desk)


def test_undoing_everything_leaves_it_as_it_was(ws: Workspace, version: Version) -> None:
    desk = Desk(ws, version, counter=COUNTER)
    before = told(desk)
    drafts.change(ws, version.id, 2, chat("new", "text"), 0)
    drafts.add(ws, version.id, chat("added", "example"))
    desk.follow()
    assert told(desk) != before
    for _ in range(2):
        last = drafts.history(ws, version.id).undo
        assert last is not None
        drafts.undo(ws, version.id, last.id)
    desk.follow()
    assert told(desk) == before


def test_it_reads_edited_examples_as_they_are_now_and_others_byte_for_byte(ws: Workspace, version: Version) -> None:
    desk = Desk(ws, version)
    drafts.change(ws, version.id, 1, chat("now", "this"), 0)
    drafts.remove(ws, version.id, 2, 0)
    desk.follow()
    lines = shelf.open_lines(ws, version)
    assert desk.read([0, 2]) == [lines.raw(0), None]
    assert b"now" in (desk.read([1])[0] or b"")
    assert desk.findings([2]) == [[]]


def test_many_edits_are_followed_in_batches(ws: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "BATCH", 3)
    desk = Desk(ws, version, counter=COUNTER)
    drafts.change_all(ws, version.id, ((at, chat(f"{at}", "same"), 0) for at in range(10)))
    desk.follow()
    assert desk.changed == 10
    assert told(Desk(ws, version, counter=COUNTER)) == told(desk)


def test_a_second_opening_surveys_nothing(ws: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told(Desk(ws, version, counter=COUNTER))

    def never(*args: Any, **more: Any) -> None:
        raise AssertionError("surveyed again")

    monkeypatch.setattr(desk_module, "survey", never)
    assert told(Desk(ws, version, counter=COUNTER)) == first
    with pytest.raises(AssertionError, match="surveyed again"):
        Desk(ws, version, counter=batch_counter("cl100k_base"))


def test_a_kept_survey_that_is_damaged_or_of_other_rules_is_made_anew(
    ws: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = told(Desk(ws, version, counter=COUNTER))
    (path,) = (ws.home / kept.FOLDER).glob("*.npz")
    path.write_bytes(path.read_bytes()[:200])
    assert told(Desk(ws, version, counter=COUNTER)) == first
    monkeypatch.setattr(kept, "_rules", lambda: "other")
    assert told(Desk(ws, version, counter=COUNTER)) == first
    assert len(list((ws.home / kept.FOLDER).glob("*.npz"))) == 2
    assert all(held.stat().st_mode & 0o077 == 0 for held in (ws.home / kept.FOLDER).glob("*.npz"))
