from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.dataset import drafts, shelf
from lib.dataset.drafts import saving
from lib.dataset.shelf import Version
from lib.errors import DataError, EditConflict
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many


@pytest.fixture
def held(ws: Workspace) -> Version:
    return shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=[1, 2])


def data_of(ws: Workspace, version: Version) -> list[Any]:
    return [example.data for example in shelf.open_lines(ws, version)]


def test_an_edit_is_there_at_once_and_for_everybody(ws: Workspace, held: Version) -> None:
    revision = drafts.change(ws, held.id, 4, chat("New?", "Yes."), 0)
    other = Workspace.open(ws.home)
    entry = drafts.current(other, held.id, 4, 5)[0]
    other.close()
    assert entry.example is not None
    assert (entry.example.data, entry.revision, entry.edited) == (chat("New?", "Yes."), revision, True)
    assert entry.original is not None
    assert entry.original.data == many(12)[4]
    assert not drafts.current(ws, held.id, 3, 4)[0].edited
    assert data_of(ws, held) == many(12), "the version itself never changes"


def test_of_two_tabs_the_second_is_told_and_overwrites_nothing(ws: Workspace, held: Version) -> None:
    first = drafts.change(ws, held.id, 4, chat("mine", "1"), 0)
    with pytest.raises(EditConflict) as caught:
        drafts.change(ws, held.id, 4, chat("theirs", "2"), 0)
    assert '"theirs"' in caught.value.mine
    assert '"mine"' in caught.value.theirs
    assert drafts.current(ws, held.id, 4, 5)[0].revision == first
    assert drafts.change(ws, held.id, 4, chat("agreed", "3"), first) > first


def test_removing_needs_the_right_revision_too(ws: Workspace, held: Version) -> None:
    drafts.change(ws, held.id, 4, chat(), 0)
    with pytest.raises(EditConflict):
        drafts.remove(ws, held.id, 4, 0)
    assert drafts.current(ws, held.id, 4, 5)[0].example is not None


def test_a_removed_example_leaves_its_place_and_comes_back(ws: Workspace, held: Version) -> None:
    revision = drafts.remove(ws, held.id, 4, 0)
    assert drafts.current(ws, held.id, 4, 5)[0].example is None
    assert drafts.changes(ws, held.id) == drafts.Changes(added=0, removed=1, changed=0)
    drafts.revert(ws, held.id, 4, revision)
    assert not drafts.current(ws, held.id, 4, 5)[0].edited
    assert drafts.changes(ws, held.id) == drafts.Changes(0, 0, 0)


def test_an_added_example_stands_at_the_end(ws: Workspace, held: Version) -> None:
    assert drafts.add(ws, held.id, chat("one", "1")) == 12
    assert drafts.add(ws, held.id, chat("two", "2")) == 13
    assert drafts.total(ws, held.id) == 14
    entries = drafts.current(ws, held.id, 11, 100)
    assert [entry.position for entry in entries] == [11, 12, 13]
    assert entries[1].original is None
    drafts.revert(ws, held.id, 12, entries[1].revision)
    assert drafts.changes(ws, held.id) == drafts.Changes(added=1, removed=0, changed=0)


def test_many_edits_are_saved_together_or_not_at_all(ws: Workspace, held: Version) -> None:
    drafts.change_all(ws, held.id, [(0, chat("a", "b"), 0), (3, None, 0)])
    assert drafts.changes(ws, held.id) == drafts.Changes(added=0, removed=1, changed=1)
    with pytest.raises(EditConflict):
        drafts.change_all(ws, held.id, [(5, chat("c", "d"), 0), (0, chat("e", "f"), 0)])
    assert list(drafts.edits(ws, held.id)) == [0, 3], "the edit before the conflict was not kept either"


def test_all_edits_are_found_without_going_through_the_version(ws: Workspace, held: Version) -> None:
    assert drafts.edits(ws, held.id) == {}
    drafts.remove(ws, held.id, 7, 0)
    drafts.add(ws, held.id, chat())
    assert drafts.edits(ws, held.id) == {
        7: drafts.current(ws, held.id, 7, 8)[0],
        12: drafts.current(ws, held.id, 12, 13)[0],
    }


@pytest.mark.parametrize("position", [-1, 12, 1000])
def test_an_edit_outside_the_file_is_told(ws: Workspace, held: Version, position: int) -> None:
    with pytest.raises(DataError, match="no example"):
        drafts.change(ws, held.id, position, chat(), 0)
    assert drafts.current(ws, held.id, 12, 2000) == []


def test_a_discarded_edit_is_not_mistaken_for_a_later_one(ws: Workspace, held: Version) -> None:
    stale = drafts.change(ws, held.id, 4, chat("first", "1"), 0)
    drafts.discard(ws, held.id)
    assert drafts.current(ws, held.id, 4, 5)[0].revision == 0
    drafts.change(ws, held.id, 4, chat("second", "2"), 0)
    with pytest.raises(EditConflict):
        drafts.change(ws, held.id, 4, chat("stale", "3"), stale)


def test_saving_makes_a_version_and_keeps_the_bytes_of_the_others(ws: Workspace, held: Version) -> None:
    drafts.change(ws, held.id, 4, chat("changed", "c"), 0)
    drafts.remove(ws, held.id, 0, 0)
    drafts.add(ws, held.id, chat("added", "a"))
    made = drafts.save_version(ws, held.id, "Second")
    assert (made.number, made.name, made.parent_id, made.examples) == (2, "Second", held.id, 12)
    assert made.changes == {"added": 1, "removed": 1, "changed": 1}
    assert made.validation == frozenset({0, 1}), "the split goes along with its examples"
    expected = many(12)
    expected[4] = chat("changed", "c")
    assert data_of(ws, made) == [*expected[1:], chat("added", "a")]
    old, new = ws.kept(held.sha256).read_bytes().splitlines(), ws.kept(made.sha256).read_bytes().splitlines()
    assert new[:3] == old[1:4]
    assert drafts.changes(ws, held.id) == drafts.Changes(0, 0, 0)
    assert shelf.versions(ws, held.dataset_id)[0] == made


def test_saving_can_set_a_new_split(ws: Workspace, held: Version) -> None:
    made = drafts.save_version(ws, held.id, "Split", validation={9, 10, 11})
    assert (made.validation, made.sha256) == (frozenset({9, 10, 11}), held.sha256)


def test_nothing_at_all_cannot_be_saved(ws: Workspace, held: Version) -> None:
    for position in range(12):
        drafts.remove(ws, held.id, position, 0)
    with pytest.raises(DataError, match="nothing to save"):
        drafts.save_version(ws, held.id, "Empty")
    assert len(shelf.versions(ws, held.dataset_id)) == 1
    assert drafts.changes(ws, held.id).removed == 12, "the edits are still there"


def test_an_edit_that_comes_while_saving_is_not_lost(
    ws: Workspace, held: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts.change(ws, held.id, 4, chat("before", "1"), 0)
    late = iter([chat("late", "2")])
    keep = saving.keep_lines

    def slow(workspace: Workspace, raws: Any) -> str:
        for data in late:
            drafts.change(workspace, held.id, 5, data, 0)
        return keep(workspace, raws)

    monkeypatch.setattr(saving, "keep_lines", slow)
    made = drafts.save_version(ws, held.id, "Saved")
    assert data_of(ws, made)[4:6] == [chat("before", "1"), chat("late", "2")]


def test_many_threads_lose_no_edit(ws: Workspace, held: Version) -> None:
    def edit(position: int) -> None:
        revision = 0
        for turn in range(5):
            revision = drafts.change(ws, held.id, position, chat(str(position), str(turn)), revision)
        ws.close()

    threads = [threading.Thread(target=edit, args=(position,)) for position in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = drafts.current(ws, held.id, 0, 6)
    assert [entry.example and entry.example.data for entry in entries] == [chat(str(n), "4") for n in range(6)]
    assert len({entry.revision for entry in entries}) == 6


step = st.tuples(st.sampled_from(["change", "remove", "add", "revert", "save", "discard"]), st.integers(0, 14))


@given(st.lists(step, max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_edits_the_version_is_what_was_shown(ws: Workspace, steps: list[tuple[str, int]]) -> None:
    here = shelf.bring_in(ws, lines_of(many(6)), "a.jsonl")
    shown: list[Any] = many(6)
    saved: list[Any] = many(6)
    for number, (what, position) in enumerate(steps):
        data = chat(f"step {number}", "x")
        if what == "add":
            assert drafts.add(ws, here.id, data) == len(shown)
            shown.append(data)
        elif what == "save":
            if any(entry is not None for entry in shown):
                here = drafts.save_version(ws, here.id, "v")
                shown = [entry for entry in shown if entry is not None]
                saved = list(shown)
                assert data_of(ws, here) == saved
        elif what == "discard":
            drafts.discard(ws, here.id)
            shown = list(saved)
        elif position < len(shown):
            revision = drafts.current(ws, here.id, position, position + 1)[0].revision
            if what == "change":
                drafts.change(ws, here.id, position, data, revision)
                shown[position] = data
            elif what == "remove":
                drafts.remove(ws, here.id, position, revision)
                shown[position] = None
            else:
                drafts.revert(ws, here.id, position, revision)
                shown[position] = saved[position] if position < len(saved) else None
        entries = drafts.current(ws, here.id, 0, 100)
        assert [entry.example and entry.example.data for entry in entries] == shown


WRITER = """
import sys
from pathlib import Path
from lib.dataset import drafts
from lib.workspace.database import Workspace
ws = Workspace.open(Path(sys.argv[1]))
revisions = [0] * 12
for turn in range(100_000):
    place = turn % 12
    text = {"messages": [{"role": "user", "content": str(turn)}]}
    revisions[place] = drafts.change(ws, sys.argv[2], place, text, revisions[place])
    print(turn, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a system that can kill")
def test_every_edit_that_was_acknowledged_survives_a_kill(ws: Workspace, held: Version) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", WRITER, str(ws.home), held.id]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)}
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    last = {turn % 12: turn for turn in acknowledged}
    for place, turn in last.items():
        (entry,) = drafts.current(ws, held.id, place, place + 1)
        assert entry.example is not None
        # At most one more edit was made without there being time to say so.
        assert int(entry.example.messages[0].text) in (turn, turn + 12)
