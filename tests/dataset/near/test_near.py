from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lib.dataset.jsonl import Lines
from lib.dataset.near import index, near
from lib.dataset.near.near import AT_ONCE, NOBODY, THRESHOLD, Near, compare
from lib.dataset.near.words import said
from lib.dataset.survey.facts import same_of
from tests.dataset.conversations import Data, call, chat, pair
from tests.dataset.near import plain

WORDS = [a + b for a in ("ka", "lo", "mi", "nu", "re", "sa", "to") for b in ("b", "d", "ga", "l", "na", "s", "x", "zo")]
SYSTEM = "You answer customers of a small shop. " * 20


def lines_of(examples: list[Data]) -> Lines:
    """The examples as lines, escaped so that halves of characters can be among them."""
    return Lines.of([json.dumps(data).encode() for data in examples])


def compared(examples: list[Data], **options: Any) -> Near:
    """The near duplicates of these examples."""
    lines = lines_of(examples)
    same = np.array([same_of(data) for data in examples], np.int64)
    return compare(lines, same, np.ones(len(examples), np.bool_), **options)


def partners(examples: list[Data]) -> list[int]:
    found: list[int] = compared(examples).partner.tolist()
    return found


def text(words: int, seed: int | str) -> str:
    """So many words drawn by chance."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def edited(said: str, seed: int) -> str:
    """The same with one word changed, added or missing, and other capitals and blanks."""
    draw = random.Random(seed)
    words = said.split()
    at = draw.randrange(len(words))
    words[at : at + 1] = draw.choice([["changed"], ["changed", words[at]], []])
    return "  ".join(words).upper() + "!"


def test_one_word_changed_is_found_and_every_pair_is_exact() -> None:
    draw = random.Random(5)
    examples = [
        chat(text(draw.randrange(15, 90), n), text(draw.randrange(15, 60), -n), system=SYSTEM) for n in range(300)
    ]
    for place in range(0, 300, 3):
        question, answer = said(examples[place])
        examples.append(chat(edited(question, place), answer) if place % 2 else chat(question, edited(answer, place)))
    found = compared(examples)
    hits = np.count_nonzero(found.partner[300:] == np.arange(0, 300, 3))
    assert hits >= 95, f"{hits} of 100"
    assert (found.partner[:300] == NOBODY).all(), "unlike examples are not told"
    for early, late in zip(*found.pairs(), strict=True):
        likeness = plain.likeness(said(examples[early]), said(examples[late]))
        assert found.likeness[late] == pytest.approx(likeness)
        assert early < late
        assert likeness >= THRESHOLD
    assert (found.likeness[found.partner == NOBODY] == 0).all()


def test_the_threshold_lies_where_the_description_says() -> None:
    for words, change, found in [(25, 1, True), (20, 1, False), (45, 2, True), (38, 2, False)]:
        said = [f"w{n}" for n in range(words)]
        other = list(said)
        for place in range(change):
            other[8 + 15 * place] = "other"
        assert (plain.likeness([" ".join(said)], [" ".join(other)]) >= THRESHOLD) is found
    short = "My order {n} is late. Where is order {n}?"
    assert partners([chat(short.format(n=n), "It will be there soon.") for n in (48213, 51877)]) == [NOBODY, NOBODY]
    long = short + " " + text(40, 1)
    assert partners([chat(long.format(n=n), "It will be there soon.") for n in (48213, 51877)]) == [NOBODY, 0]


def test_the_system_message_is_not_compared() -> None:
    assert partners([chat(text(40, 1), "Yes.", system=SYSTEM), chat(text(40, 2), "No.", system=SYSTEM)]) == [-1, -1]
    assert partners([chat(text(40, 1), "Yes.", system=SYSTEM), chat(text(40, 1), "Yes.", system="Be brief.")]) == [
        -1,
        0,
    ]


def test_answers_of_pairs_and_tool_calls_are_compared() -> None:
    good, bad = text(30, "good"), text(30, "bad")
    assert partners([pair("Which?", good, bad), pair("Which?", good, edited(bad, 1))]) == [NOBODY, 0]
    assert partners([pair("Which?", good, bad), pair("Which?", good, text(30, "other"))]) == [NOBODY, NOBODY]
    calls = [{"messages": [{"role": "assistant", "tool_calls": [call(arguments=text(30, n))]}]} for n in (1, 2)]
    calls.append({"messages": [{"role": "assistant", "tool_calls": [call(arguments=edited(text(30, 2), 1))]}]})
    assert partners(calls) == [NOBODY, NOBODY, 1]


def test_equal_examples_are_not_near_ones_and_the_first_stands_for_all() -> None:
    one, other = chat(text(60, 1), "Yes."), chat(edited(text(60, 1), 1), "Yes.")
    assert partners([one, one, one]) == [-1, -1, -1]
    assert partners([one, one, other, other, one]) == [-1, -1, 0, -1, -1]


def test_what_is_not_present_takes_no_part() -> None:
    examples = [chat(edited(text(60, 1), n), "Yes.") for n in range(4)]
    lines = lines_of(examples)
    present = np.array([False, True, False, True])
    found = compare(lines, np.array([same_of(data) for data in examples]), present)
    assert found.partner.tolist() == [-1, -1, -1, 1]


@pytest.mark.parametrize(
    "texts",
    [
        ["", ""],
        ["?", "!"],
        ["a" * 1_000_000, "b"],
        ["\ud83d half", "\ud83d other"],
        ["\x00", "\x00\x00"],
        ["yes", "no"],
    ],
)
def test_strange_texts_are_neither_alike_nor_a_stop(texts: list[str]) -> None:
    examples = [{"messages": [{"role": "assistant", "content": one}]} for one in texts]
    lines = lines_of(examples)
    found = compare(lines, np.array([same_of(data) for data in examples]), np.ones(2, np.bool_))
    assert found.partner.tolist() == [NOBODY, NOBODY]


def test_no_examples_are_no_pairs() -> None:
    found = compare(Lines.of([]), np.empty(0, np.int64), np.empty(0, np.bool_))
    assert [len(side) for side in found.pairs()] == [0, 0]
    grown = found.replace([2], {2: chat("One?", "Two.")}.get)
    assert grown.partner.tolist() == [-1, -1, -1]


def test_a_line_that_cannot_be_read_takes_no_part() -> None:
    raw = lines_of([chat(text(40, 1))]).raw(0)
    for other in (raw[:-1], b"[" + raw + b"]", b"\xff" + raw, b""):
        found = compare(Lines.of([raw, other]), np.array([1, 2]), np.ones(2, np.bool_))
        assert found.partner.tolist() == [NOBODY, NOBODY]


VARIANT = st.tuples(st.integers(0, 2), st.integers(0, 6))


def variant(which: tuple[int, int]) -> Data:
    """One of three texts, as it is or with words changed: with many of them it is no longer nearly the same."""
    words = text(40, which[0]).split()
    for change in range(which[1]):
        words[(change * 7) % 40] = f"v{which[1]}"
    return chat(" ".join(words), "Yes.")


@given(st.lists(VARIANT, max_size=20), st.integers(1, 5), st.integers(1, 5), st.integers(2, 6))
@settings(max_examples=25)
def test_how_much_is_read_together_does_not_matter(
    which: list[tuple[int, int]], lines: int, some: int, most: int
) -> None:
    examples = [variant(one) for one in which]
    whole = compared(examples) if examples else None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"BLOCK": lines, "IN_A_FILE": some, "MOST": most, "MOST_CHARACTERS": 300}.items():
            patch.setattr(near, name, value)
        if whole is not None:
            again = compared(examples).arrays()
            assert all(np.array_equal(again[name], held) for name, held in whole.arrays().items())


def test_a_crowd_of_one_template_is_read_a_few_times_each(monkeypatch: pytest.MonkeyPatch) -> None:
    template = text(60, 1)
    examples = [chat(f"{template} number {n}", "Yes.") for n in range(300)]
    reads: list[bytes] = []
    original = near._said_in
    monkeypatch.setattr(near, "_said_in", lambda raw: (reads.append(raw), original(raw))[1])
    assert compared(examples).partner.tolist() == [NOBODY] + [0] * 299
    assert len(reads) <= 2.1 * len(examples)
    reads.clear()
    # Half alike: never nearly the same, and all of them share keys with many.
    half = [chat(" ".join(w if n % 8 else f"v{i}" for n, w in enumerate(template.split())), "No.") for i in range(300)]
    assert (compared(half).partner == NOBODY).all()
    assert len(reads) <= 10 * len(half)


def test_in_a_crowd_that_is_half_alike_the_nearly_equal_ones_are_found() -> None:
    template = text(60, 1).split()
    examples = [chat(" ".join(w if n % 8 else f"v{i}n{n}" for n, w in enumerate(template)), "No.") for i in range(400)]
    planted = [chat(edited(said(examples[at])[0], at), "No.") for at in range(0, 400, 10)]
    found = compared(examples + planted).partner[400:]
    assert np.count_nonzero(found == np.arange(0, 400, 10)) >= 36


def test_progress_counts_the_lines_and_may_stop_it() -> None:
    examples = [chat(edited(text(60, 1), n), "Yes.") for n in range(5)]
    told: list[int] = []
    compared(examples, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 5

    class Stopped(Exception):
        pass

    def stop(done: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        compared(examples, progress=stop)


def test_what_is_stored_comes_back_and_takes_few_bytes() -> None:
    examples = [variant((n % 3, n % 7)) for n in range(20)]
    held = dict(enumerate(examples))
    found = compared(examples)
    held[3] = chat("Something else?", "Yes.")
    changed = found.replace([3], held.get)
    for one in (found, changed):
        back = Near.of(one.arrays())
        assert back.pairs()[0].tolist() == one.pairs()[0].tolist()
        assert back.pairs()[1].tolist() == one.pairs()[1].tolist()
        assert sum(array.nbytes for array in one.arrays().values()) <= 150 * len(examples)
    held[3] = examples[3]
    assert np.array_equal(Near.of(changed.arrays()).replace([3], held.get).partner, found.partner)


def test_an_edit_makes_another_one_and_leaves_the_old_as_it_was() -> None:
    examples = {n: chat(edited(text(60, 1), n), "Yes.") for n in range(4)}
    found = compared(list(examples.values()))
    before = {name: array.copy() for name, array in found.arrays().items()}

    def broken(position: int) -> Mapping[str, Any] | None:
        if position == 0:
            raise OSError("gone")
        return examples[position]

    with pytest.raises(OSError, match="gone"):
        found.replace([1, 0], broken)
    assert found.replace([0], {**examples, 0: None}.get).partner.tolist() == [-1, -1, 1, 1]
    assert found.replace([], broken) is found
    assert all(np.array_equal(before[name], array) for name, array in found.arrays().items())


def test_many_that_an_edit_concerns_wait_and_nobody_has_a_partner_that_is_gone() -> None:
    number = 2 * AT_ONCE + 20
    held: dict[int, Data | None] = {n: chat(f"{text(60, 1)} number {n}", "Yes.") for n in range(number)}
    found = compared([data for data in held.values() if data])
    held[0] = None
    found = found.replace([0], held.get)
    assert len(found.waiting) == number - 1 - AT_ONCE
    assert not (found.partner == 0).any()
    assert np.isin(np.flatnonzero(found.partner == NOBODY), [0, 1, *found.waiting]).all()
    while len(found.waiting):
        found = found.settle(held.get)
    assert found.partner.tolist() == [NOBODY, NOBODY] + [1] * (number - 2)
    assert found.settle(held.get) is found
    held[0] = chat(f"{text(60, 1)} number 0", "Yes.")
    found = found.replace([0], held.get)
    assert set(found.partner[1:].tolist()) == {0, 1}, "the partner they have stays until a better one is found"
    while len(found.waiting):
        found = found.settle(held.get, 50)
    assert found.partner.tolist() == [NOBODY] + [0] * (number - 1)


class Edits(RuleBasedStateMachine):
    """After every edit the same is known as when all were compared anew."""

    @initialize(which=st.lists(VARIANT, min_size=1, max_size=5), most=st.sampled_from([2, 4096]))
    def begin(self, which: list[tuple[int, int]], most: int) -> None:
        self.held: list[Data | None] = [variant(one) for one in which]
        self.most = most
        self.near = self._anew()

    @rule(which=VARIANT, place=st.integers(0, 7))
    def edit(self, which: tuple[int, int], place: int) -> None:
        self._change([place % len(self.held)], [variant(which)])

    @rule(place=st.integers(0, 7))
    def remove(self, place: int) -> None:
        self._change([place % len(self.held)], [None])

    @precondition(lambda self: len(self.held) < 8)
    @rule(which=VARIANT)
    def add(self, which: tuple[int, int]) -> None:
        self.held.append(None)
        self._change([len(self.held) - 1], [variant(which)])

    @rule(which=st.lists(VARIANT, min_size=1, max_size=4), place=st.integers(0, 7))
    def edit_many(self, which: list[tuple[int, int]], place: int) -> None:
        places = [at % len(self.held) for at in range(place, place + min(len(which), len(self.held)))]
        self._change(places, [variant(one) for one in which[: len(places)]])

    @rule(place=st.integers(0, 7))
    def say_nothing(self, place: int) -> None:
        self._change([place % len(self.held)], [chat("?", "!")])

    @rule()
    def store(self) -> None:
        self.near = Near.of(self.near.arrays())

    @invariant()
    def the_same_is_known(self) -> None:
        if hasattr(self, "near"):
            anew = self._anew()
            assert self.near.partner.tolist() == anew.partner.tolist()
            assert self.near.likeness.tolist() == anew.likeness.tolist()
            assert not len(self.near.waiting)

    def _change(self, places: list[int], data: list[Data | None]) -> None:
        for place, one in zip(places, data, strict=True):
            self.held[place] = one
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(index, "MOST_BESIDE", self.most)
            self.near = self.near.replace(places, lambda position: self.held[position])

    def _anew(self) -> Near:
        lines = lines_of([data or {} for data in self.held])
        same = np.array([same_of(data or {}) for data in self.held], np.int64)
        return compare(lines, same, np.array([data is not None for data in self.held]))


TestEdits = Edits.TestCase
TestEdits.settings = settings(max_examples=20, stateful_step_count=10)
