from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lib.dataset.assessment import Assessment, raws_of
from lib.dataset.jsonl import Lines
from lib.dataset.split_choice import candidates, choose
from lib.dataset.survey.survey import survey
from lib.errors import DataError
from tests.dataset.conversations import chat, lines_of, many


def assessed(examples: list[dict[str, Any]]) -> Assessment:
    lines = Lines.of(lines_of(examples).splitlines())
    return Assessment(survey(lines), raws_of(lines))


def test_a_tenth_is_held_out_and_always_the_same() -> None:
    held = assessed(many(200))
    one, other = (choose(held, candidates(held), seed=7) for _ in range(2))
    assert (one.validation, one.training) == (20, 180)
    assert one.held_out == other.held_out
    assert choose(held, candidates(held), seed=8).held_out != one.held_out


def test_a_number_is_held_out_as_it_was_asked_for() -> None:
    held = assessed(many(200))
    assert choose(held, candidates(held), number=3, seed=7).validation == 3


def test_the_same_prompt_is_never_on_both_sides() -> None:
    examples = [chat(f"Question {n // 4}", f"Answer {n}.") for n in range(200)]
    held = assessed(examples)
    among = candidates(held)
    assert (among.together, among.groups_of_many, among.largest) == (200, 50, 4)
    out = choose(held, among, share=0.2, seed=7).held_out
    asked = {n // 4 for n in out}
    assert asked.isdisjoint(n // 4 for n in range(200) if n not in out)
    assert len(out) == 4 * len(asked) > 0


def test_examples_without_a_prompt_do_not_hang_together() -> None:
    examples = [{"messages": [{"role": "assistant", "content": f"Line {n}."}]} for n in range(40)]
    assert candidates(assessed(examples)).together == 0


def test_near_duplicates_stay_together_where_they_were_looked_for() -> None:
    held = assessed(many(40))
    held.near = SimpleNamespace(partner=np.array([-1, 0, *[-1] * 38]))  # type: ignore[assignment]
    among = candidates(held)
    assert among.near
    assert (among.together, among.groups_of_many) == (2, 1)
    assert among.groups[0] == among.groups[1]


def test_a_removed_example_is_neither_held_out_nor_joins_others() -> None:
    held = assessed(many(60))
    held.near = SimpleNamespace(partner=np.array([-1, 0, 1, *[-1] * 57]), replace=lambda *_: held.near)  # type: ignore[assignment]
    held.present = held.present.copy()
    held.present[[1, 30]] = False
    among = candidates(held)
    assert len(among.positions) == 58
    assert among.together == 0
    for seed in range(5):
        out = choose(held, among, number=40, seed=seed).held_out
        assert len(out) == 40
        assert 1 not in out
        assert 30 not in out


def test_an_added_example_can_be_held_out() -> None:
    held = assessed(many(30))
    added = lines_of([chat(f"Added {n}", "Yes.") for n in range(30)]).splitlines()
    held.replace(list(range(30, 60)), added)
    out = choose(held, candidates(held), number=40, seed=7).held_out
    assert any(place >= 30 for place in out)


def test_each_label_is_held_out_in_its_share_and_the_table_says_so() -> None:
    examples = [chat(f"Case {n}", "rare" if n % 10 == 0 else "common") for n in range(200)]
    held = assessed(examples)
    choice = choose(held, candidates(held), seed=7, field="")
    assert [(row.name, row.examples, row.validation) for row in choice.labels] == [
        ("common", 180, 18),
        ("rare", 20, 2),
    ]
    out = np.asarray(choice.held_out.array)
    assert sum(n % 10 == 0 for n in out) == 2
    assert not choose(held, candidates(held), seed=7).labels


def test_an_unknown_field_and_a_silly_share_do_no_harm() -> None:
    held = assessed(many(40))
    assert choose(held, candidates(held), seed=7, field="no such field").validation == 10
    with pytest.raises(DataError, match="cannot be held out"):
        choose(held, candidates(held), share=1.0, seed=7)


def test_nothing_is_suggested_of_few() -> None:
    held = assessed(many(12))
    assert not choose(held, candidates(held), seed=7).validation
