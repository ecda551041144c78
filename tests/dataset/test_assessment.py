"""Whatever is edited, an assessment says what a survey of the file as it then is would say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.assessment import Assessment
from lib.dataset.jsonl import Lines
from lib.dataset.rules.kinds import KINDS
from lib.dataset.survey.survey import survey
from lib.tokens.batch import batch_counter
from tests.dataset.conversations import chat, many

COUNTER = batch_counter("o200k_base")
LIMIT = 25


class Held:
    """Lines that are edited, and their assessment."""

    def __init__(self, data: list[Any], held_out: list[int] = (), **more: Any) -> None:  # type: ignore[assignment]
        self.lines: list[bytes | None] = [json.dumps(one).encode() for one in data]
        mask = np.zeros(len(data), np.bool_)
        mask[list(held_out)] = True
        surveyed = survey(Lines.of([line for line in self.lines if line is not None]), counter=COUNTER, **more)
        self.assessed = Assessment(surveyed, self.read, counter=COUNTER, held_out=mask)

    def read(self, positions: Any) -> list[bytes | None]:
        return [self.lines[at] for at in positions]

    def put(self, position: int, data: Any) -> None:
        while len(self.lines) <= position:
            self.lines.append(None)
        self.lines[position] = None if data is None else json.dumps(data).encode()
        self.assessed.replace([position], [self.lines[position]])


def said(assessed: Assessment, positions: list[int], limit: int | None = LIMIT) -> list[list[tuple[str, str]]]:
    every = assessed.findings(positions, limit)
    return [[(one.code, one.text.partition(" ")[2]) for one in found] for found in every]


answers = st.sampled_from(["yes", "no", "mail ann@acme.io", "word " * 30, "TODO"])
edits = st.lists(st.tuples(st.integers(0, 14), st.sampled_from("abc"), answers, st.booleans()), max_size=6)


@given(st.lists(st.tuples(st.sampled_from("abc"), answers), min_size=1, max_size=12), edits)
@settings(max_examples=150, deadline=None)
def test_after_any_edits_it_says_what_a_new_one_would(
    rows: list[tuple[str, str]], changes: list[tuple[int, str, str, bool]]
) -> None:
    held = Held([chat(question, answer) for question, answer in rows], held_out=[0])
    for position, question, answer, stays in changes:
        held.put(min(position, len(held.lines)), chat(question, answer) if stays else None)
    stay = [at for at, line in enumerate(held.lines) if line is not None]
    fresh = Held([json.loads(held.lines[at] or b"") for at in stay], held_out=[stay.index(0)] if 0 in stay else [])
    assert held.assessed.examples == fresh.assessed.examples
    assert held.assessed.tokens(LIMIT) == fresh.assessed.tokens(LIMIT)
    found = {code: places.tolist() for code, places in held.assessed.found(LIMIT).items()}
    wanted = {code: [stay[at] for at in places] for code, places in fresh.assessed.found(LIMIT).items()}
    assert found == wanted
    codes = [[code for code, _ in one] for one in said(held.assessed, stay)]
    assert codes == [[code for code, _ in one] for one in said(fresh.assessed, list(range(len(stay))))]


def test_what_is_found_is_what_is_said_about_each_example() -> None:
    data = [*many(12), chat("twice", "a"), chat("twice", "a"), chat("twice", "b"), {**chat(), "extra": 1}]
    held = Held(data, held_out=[13])
    found = held.assessed.found(LIMIT)
    for position, findings in enumerate(held.assessed.findings(range(len(data)), LIMIT)):
        assert {one.code for one in findings} == {code for code, places in found.items() if position in places}
        assert all(one.severity == KINDS[one.code].severity for one in findings)
        assert all(one.line == position + 1 for one in findings)


def test_too_few_counts_those_that_are_trained_on() -> None:
    held = Held(many(11), held_out=[3])
    assert held.assessed.about_the_whole() == []
    held.put(5, None)
    (few,) = held.assessed.about_the_whole()
    assert "has 9 example(s)" in few.text


def test_an_edit_of_one_leaves_the_others_as_they_were() -> None:
    held = Held([*many(12), {**chat(), "extra": 1}])
    before = held.assessed.columns.tokens.copy()
    held.put(2, chat("another", "thing entirely"))
    changed = np.flatnonzero(held.assessed.columns.tokens != before)
    assert changed.tolist() in ([2], [])
    assert held.assessed.found()["extra_key"].tolist() == [12]


def test_a_survey_is_not_written_to_by_an_edit() -> None:
    lines = [json.dumps(one).encode() for one in many(12)]
    surveyed = survey(Lines.of(lines), counter=COUNTER)
    same = surveyed.columns.same.copy()
    assessed = Assessment(surveyed, lambda positions: [lines[at] for at in positions], counter=COUNTER)
    assessed.replace([1], [json.dumps(chat("x", "y")).encode()])
    assert np.array_equal(surveyed.columns.same, same)
    assert assessed.columns.same[1] != same[1]
