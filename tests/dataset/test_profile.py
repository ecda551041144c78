from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.assessment import Assessment, raws_of
from lib.dataset.jsonl import Lines
from lib.dataset.profile import Profile, Spread, bars, profile
from lib.dataset.selection import OTHER
from lib.dataset.survey.survey import survey
from lib.tokens.batch import batch_counter
from lib.tokens.billing import example_tokens
from tests.dataset.conversations import chat, lines_of, many

COUNTER = batch_counter("o200k_base")


def assessed(examples: list[dict[str, Any]], held_out: list[int] | None = None) -> Assessment:
    lines = Lines.of(lines_of(examples).splitlines())
    surveyed = survey(lines, counter=COUNTER)
    sides = np.isin(np.arange(len(examples)), held_out or [])
    return Assessment(surveyed, raws_of(lines), counter=COUNTER, held_out=sides)


def of(examples: list[dict[str, Any]], held_out: list[int] | None = None, limit: int | None = None) -> Profile:
    return profile(assessed(examples, held_out), limit)


def test_numbers_are_those_of_the_examples() -> None:
    examples = [*many(8), chat("Hello?", "Yes.", system="Be kind.")]
    held = of(examples, [0, 1])
    assert (held.examples, held.training, held.validation) == (9, 7, 2)
    assert held.messages == Spread(total=19, least=2, median=2, most=3)
    assert held.size == len(lines_of(examples)) - len(examples)
    assert held.roles == (("user", 9), ("assistant", 9), ("system", 1))
    assert (held.systems, held.different_systems, held.without_system) == ((("Be kind.", 1),), 1, 8)


def test_an_epoch_is_billed_for_training_alone_and_cut() -> None:
    examples = [chat("a " * 100, "b"), *many(9)]
    tokens = of(examples, [9], limit=50).tokens
    assert tokens is not None
    assert tokens.epoch == sum(example_tokens(one, COUNTER.count, 50) for one in examples[:9])
    whole = example_tokens(examples[0], COUNTER.count)
    assert (tokens.cut, tokens.lost) == (1, whole - 50)
    assert (tokens.each.most, tokens.longest[0].position) == (whole, 0)
    assert 0 < tokens.trained_share < 1
    assert tokens.trained == sum(COUNTER.count(one["messages"][-1]["content"]) for one in examples[:9])


def test_nothing_is_cut_without_a_limit() -> None:
    tokens = of([chat("a " * 100, "b"), *many(9)]).tokens
    assert tokens is not None
    assert (tokens.cut, tokens.lost) == (0, 0)


def test_labels_are_counted_on_each_side() -> None:
    examples = [chat(f"Case {n}", "yes" if n % 3 else "no") for n in range(30)]
    [(field, labels)] = of(examples, list(range(0, 30, 3))).labels
    assert field == ""
    assert [(one.name, one.training, one.validation) for one in labels] == [("yes", 20, 0), ("no", 0, 10)]


def test_free_answers_are_no_labels_and_json_is_told() -> None:
    held = of([chat("Which?", '{"a": 1}'), *(chat(f"What is {n}?", f"It is {n}, surely.") for n in range(25))])
    assert not held.labels
    assert (held.json, held.answers) == (1, 26)


def test_a_role_that_nobody_knows_is_named_as_such() -> None:
    odd = {"messages": [{"role": "wizard", "content": "?"}, {"role": "assistant", "content": "!"}]}
    assert dict(of([odd, *many(3)]).roles)[OTHER] == 1


def test_removed_examples_are_in_no_number() -> None:
    examples = [chat("a " * 200, "b", system="Odd."), *(chat(f"Case {n}", "yes") for n in range(30))]
    held = assessed(examples, [0])
    held.replace([0, 5], [None, None])
    left = profile(held)
    assert (left.examples, left.training, left.validation) == (29, 29, 0)
    assert left.systems == ()
    assert left.labels[0][1][0].examples == 29
    assert left.tokens is not None
    assert {0, 5}.isdisjoint(one.position for one in (*left.tokens.longest, *left.tokens.shortest))
    assert left.tokens.each.most < 30
    assert sum(bar.training + bar.validation for bar in left.tokens.bars) == 29


def test_nothing_left_has_a_profile_too() -> None:
    held = assessed(many(3))
    held.replace([0, 1, 2], [None, None, None])
    assert profile(held) == Profile(0, 0, 0, 0, Spread(0, 0, 0, 0), (), (), 0, 0, (), 0, 0, None)


def test_tokens_that_were_not_counted_are_not_told() -> None:
    assert profile(assessed(many(3)), counted=False).tokens is None


@given(st.lists(st.tuples(st.integers(0, 10**7), st.booleans()), min_size=1, max_size=60))
def test_every_example_is_in_the_one_bar_it_belongs_to(rows: list[tuple[int, bool]]) -> None:
    tokens, held_out = np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows])
    made = bars(tokens, held_out)
    assert [bar.least for bar in made[1:]] == [bar.below for bar in made[:-1]]
    for bar in made:
        inside = (tokens >= bar.least) & (tokens < bar.below)
        assert (bar.training, bar.validation) == (int((inside & ~held_out).sum()), int((inside & held_out).sum()))
    assert sum(bar.training + bar.validation for bar in made) == len(rows)
    assert made[0].training + made[0].validation
    assert made[-1].training + made[-1].validation


@pytest.mark.parametrize("most", [9, 300, 5000, 10**7])
def test_bars_are_neither_too_few_nor_too_many(most: int) -> None:
    spread = np.unique(np.geomspace(8, most, 500).astype(np.int32))
    assert 1 <= len(bars(spread, np.zeros(len(spread), np.bool_))) <= 60


def test_of_equally_long_examples_the_first_are_named() -> None:
    tokens = of([chat("What is it?", "This.")] * 9).tokens
    assert tokens is not None
    assert [one.position for one in tokens.longest] == [0, 1, 2, 3, 4]
    assert [one.position for one in tokens.shortest] == [0, 1, 2, 3, 4]
