"""Two windows that edit, undo and redo at random, each on what it saw last, against a model of what must be there.

An edit on what is no longer there must be refused and change nothing; every other edit must be there, byte for byte,
until somebody who had seen it changes it. ETUDE_RUNS sets how many runs of 40 steps there are.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lib.dataset import drafts, shelf
from lib.dataset.drafts import History, journal, writing
from lib.dataset.example import encode
from lib.errors import DataError, EditConflict
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many

EXAMPLES = 4
RUNS = int(os.environ.get("ETUDE_RUNS", "10"))
Shown = dict[int, bytes | None]
windows = st.sampled_from([0, 1])
places = st.integers(0, EXAMPLES + 2)
texts = st.sampled_from(["a", "b", "c"])


@dataclass
class Window:
    """What one window has on its screen: texts with their revisions, and what its undo and redo buttons would do."""

    shown: dict[int, tuple[bytes | None, int]] = field(default_factory=dict)
    history: History | None = None
    followed: Shown = field(default_factory=dict)
    mark: int = 0


class TwoWindows(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.ws = Workspace.open(Path(self.folder.name) / "home")
        self.held = shelf.bring_in(self.ws, lines_of(many(EXAMPLES)), "a.jsonl")
        self.original: Shown = {at: shelf.open_lines(self.ws, self.held).raw(at) for at in range(EXAMPLES)}
        self.now: Shown = dict(self.original)
        self.done: list[Shown] = []
        self.undone: list[Shown] = []
        self.windows = [Window(followed=dict(self.original)) for _ in range(2)]
        self.revision = 0
        for which in range(2):
            self.look(which)

    def teardown(self) -> None:
        self.ws.close()
        self.folder.cleanup()

    def stands(self) -> dict[int, tuple[bytes | None, int]]:
        entries = drafts.current(self.ws, self.held.id, 0, 100)
        return {one.position: (encode(one.example.data) if one.example else None, one.revision) for one in entries}

    def attempt(self, edits: dict[int, bytes | None], window: Window, act: Callable[[], Any]) -> None:
        """Make an edit on what a window shows. It must be made if all of it is still there, and refused if not."""
        before, steps = dict(self.now), drafts.history(self.ws, self.held.id).steps
        stands = self.stands()
        fresh = all(at in window.shown and window.shown[at] == stands.get(at) for at in edits)
        try:
            act()
        except (EditConflict, DataError):
            assert not fresh, "an edit on what is there was refused"
            return
        # The text that was replaced is one that this window has shown.
        assert all(at in window.shown and window.shown[at][0] == before[at] for at in edits), (
            "an edit was overwritten by somebody who never saw it"
        )
        self.now |= edits
        self.step(before, steps)

    def step(self, before: Shown, steps: int) -> None:
        if self.now == before:
            assert drafts.history(self.ws, self.held.id).steps == steps
        else:
            self.done.append(before)
            self.undone.clear()

    @rule(which=windows)
    def look(self, which: int) -> None:
        self.windows[which].shown = self.stands()
        self.windows[which].history = drafts.history(self.ws, self.held.id)

    @rule(which=windows, place=places, text=texts)
    def change(self, which: int, place: int, text: str) -> None:
        window = self.windows[which]
        revision = window.shown.get(place, (None, 0))[1]
        data = chat(text, text)
        act = lambda: drafts.change(self.ws, self.held.id, place, data, revision)  # noqa: E731
        self.attempt({place: encode(data)}, window, act)

    @rule(which=windows, place=places)
    def remove(self, which: int, place: int) -> None:
        window = self.windows[which]
        revision = window.shown.get(place, (None, 0))[1]
        self.attempt({place: None}, window, lambda: drafts.remove(self.ws, self.held.id, place, revision))

    @rule(which=windows, place=places)
    def revert(self, which: int, place: int) -> None:
        window = self.windows[which]
        revision = window.shown.get(place, (None, 0))[1]
        act = lambda: drafts.revert(self.ws, self.held.id, place, revision)  # noqa: E731
        self.attempt({place: self.original.get(place)}, window, act)

    @rule(which=windows, chosen=st.dictionaries(places, st.none() | texts, min_size=1, max_size=3))
    def change_several(self, which: int, chosen: dict[int, str | None]) -> None:
        window = self.windows[which]
        edits = [
            (at, None if text is None else chat(text, "all"), window.shown.get(at, (None, 0))[1])
            for at, text in chosen.items()
        ]
        expected = {at: None if data is None else encode(data) for at, data, _ in edits}
        self.attempt(expected, window, lambda: drafts.change_all(self.ws, self.held.id, iter(edits)))

    @rule(text=texts)
    def add(self, text: str) -> None:
        before, steps = dict(self.now), len(self.done)
        place = drafts.add(self.ws, self.held.id, chat(text, "added"))
        assert place == len(self.now)
        self.now[place] = encode(chat(text, "added"))
        self.step(before, steps)

    @rule()
    def discard(self) -> None:
        before, steps = dict(self.now), drafts.history(self.ws, self.held.id).steps
        drafts.discard(self.ws, self.held.id)
        self.now = dict(self.original)
        self.step(before, steps)

    @rule(which=windows)
    def undo(self, which: int) -> None:
        history = self.windows[which].history
        if history is None or (step := history.undo) is None:
            return
        last = drafts.history(self.ws, self.held.id).undo
        try:
            drafts.undo(self.ws, self.held.id, step.id)
        except EditConflict:
            assert last is None or last.id != step.id
            return
        assert last == step, "a step was undone that this window did not show"
        self.undone.append(self.now)
        self.now = self.done.pop()

    @rule(which=windows)
    def redo(self, which: int) -> None:
        history = self.windows[which].history
        if history is None or (step := history.redo) is None:
            return
        following = drafts.history(self.ws, self.held.id).redo
        try:
            drafts.redo(self.ws, self.held.id, step.id)
        except EditConflict:
            assert following is None or following.id != step.id
            return
        assert following == step, "a step was redone that this window did not show"
        self.done.append(self.now)
        self.now = self.undone.pop()

    @rule(which=windows)
    def follow(self, which: int) -> None:
        window = self.windows[which]
        for one in drafts.since(self.ws, self.held.id, window.mark):
            window.mark = one.revision
            if one.state == "absent":
                window.followed.pop(one.position, None)
            else:
                window.followed[one.position] = one.line
        assert window.followed == self.now

    @invariant()
    def everything_is_as_it_must_be(self) -> None:
        assert {at: line for at, (line, _) in self.stands().items()} == self.now
        assert drafts.history(self.ws, self.held.id).steps == len(self.done)
        last = drafts.last_revision(self.ws, self.held.id)
        assert last >= self.revision
        self.revision = last
        assert drafts.edited_places(self.ws, self.held.id).tolist() == [
            at for at in sorted(self.now) if at >= EXAMPLES or self.now[at] != self.original[at]
        ]


def many_times(runs: int, **others: Any) -> settings:
    return settings(
        max_examples=runs, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), **others
    )


def test_two_windows_lose_no_edit() -> None:
    run_state_machine_as_test(TwoWindows, settings=many_times(RUNS))


def test_without_the_comparison_of_revisions_edits_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_refuse_stale", lambda *_: None)
    # The first failure is enough: nobody needs the shortest way to it.
    once = many_times(300, database=None, report_multiple_bugs=False, phases=[Phase.generate])
    with pytest.raises(AssertionError, match="never saw it"):
        run_state_machine_as_test(TwoWindows, settings=once)


def test_without_the_number_of_the_step_something_else_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def any_step(row: Any, step_id: int, verb: str, real: Any = journal._expected) -> Any:
        return real(row, row["id"] if row else step_id, verb)

    monkeypatch.setattr(journal, "_expected", any_step)
    once = many_times(300, database=None, report_multiple_bugs=False, phases=[Phase.generate])
    with pytest.raises(AssertionError, match="that this window did not show"):
        run_state_machine_as_test(TwoWindows, settings=once)
