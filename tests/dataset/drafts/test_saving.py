"""A version out of edits: exact bytes, the split that goes along, and what a window on the old version is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.dataset import drafts, shelf
from lib.dataset.drafts import reading
from lib.dataset.example import encode
from lib.dataset.shelf import Version
from lib.errors import EditConflict
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many


@given(st.lists(st.tuples(st.integers(0, 11), st.booleans()), max_size=8, unique_by=lambda edit: edit[0]), st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_file_and_the_split_are_what_was_shown(
    ws: Workspace, edits: list[tuple[int, bool]], data: st.DataObject
) -> None:
    held = shelf.bring_in(ws, lines_of(many(12)), "a.jsonl", validation=data.draw(st.sets(st.integers(0, 11))))
    drafts.change_all(ws, held.id, [(at, chat("new", str(at)) if kept else None, 0) for at, kept in edits])
    if data.draw(st.booleans()):
        drafts.add(ws, held.id, chat("new", "12"))
    wanted = data.draw(st.none() | st.sets(st.integers(0, 12)))
    shown = list(drafts.walk(ws, held.id))
    made = drafts.save_version(ws, held.id, "Saved", validation=wanted)
    lines = [one.line or b"" for one in shown]
    assert ws.kept(made.sha256).read_bytes() == b"".join(line + b"\n" for line in lines)
    out = held.validation if wanted is None else wanted
    assert set(made.validation) == {now for now, one in enumerate(shown) if one.position in out}
    assert made.examples == len(shown)


def test_lines_are_copied_with_their_exact_bytes_a_few_at_a_time(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS", 2)
    odd = [b'{"messages":  [ ] , "x": 1.50}', b'{"x":"\\u00e9", "x":"twice"}', b'{"messages":[{"content":"\\ud83d"}]}']
    held = shelf.bring_in(ws, b"\r\n".join(odd * 3), "a.jsonl")
    drafts.change_all(ws, held.id, [(0, None, 0), (3, chat(), 0), (4, None, 0), (8, None, 0)])
    made = drafts.save_version(ws, held.id, "Saved")
    expected = [odd[1], odd[2], encode(chat()), odd[2], odd[0], odd[1]]
    assert ws.kept(made.sha256).read_bytes() == b"".join(line + b"\n" for line in expected)


def test_the_method_of_converted_examples_is_found_again(ws: Workspace) -> None:
    held = shelf.bring_in(ws, lines_of(many(3)), "a.jsonl")
    pair = {"input": chat(), "preferred_output": [], "non_preferred_output": []}
    drafts.change_all(ws, held.id, [(at, pair, 0) for at in range(3)])
    assert drafts.save_version(ws, held.id, "Pairs").method == "dpo"


def test_a_window_on_the_version_before_is_told_and_in_conflict(ws: Workspace, held: Version) -> None:
    mine = drafts.change(ws, held.id, 4, chat("new", "4"), 0)
    drafts.remove(ws, held.id, 5, 0)
    drafts.add(ws, held.id, chat("new", "12"))
    mark = drafts.last_revision(ws, held.id)
    drafts.save_version(ws, held.id, "Saved")
    told = [(one.position, one.state) for one in drafts.since(ws, held.id, mark)]
    assert told == [(4, "original"), (5, "original"), (12, "absent")]
    with pytest.raises(EditConflict):
        drafts.change(ws, held.id, 4, chat("stale", "1"), mine)
    assert (drafts.total(ws, held.id), drafts.edits(ws, held.id)) == (12, {})
    drafts.change(ws, held.id, 4, chat("another way", "1"), 0)
    second = drafts.save_version(ws, held.id, "Another way")
    assert (second.number, second.parent_id) == (3, held.id)


def test_a_version_without_edits_can_be_saved_under_another_name(ws: Workspace, held: Version) -> None:
    made = drafts.save_version(ws, held.id, " ")
    assert (made.name, made.sha256, made.number) == ("Untitled", held.sha256, 2)
    assert np.array_equal(sorted(made.validation), sorted(held.validation))
