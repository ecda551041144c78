from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.example import Example
from lib.dataset.prompt import prompt_of
from lib.dataset.split import suggest
from tests.dataset.conversations import chat, many


def examples(number: int) -> list[Example]:
    return [Example(data) for data in many(number)]


@pytest.mark.parametrize(
    ("number", "held_out"), [(0, 0), (10, 0), (19, 0), (20, 10), (50, 10), (100, 10), (240, 24), (1000, 100)]
)
def test_a_tenth_is_held_out_and_at_least_ten_where_there_are_enough(number: int, held_out: int) -> None:
    assert len(suggest(examples(number))) == held_out


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    assert suggest(examples(100)) == suggest(examples(100))
    assert suggest(examples(100), seed=1) != suggest(examples(100), seed=2)


def test_a_share_can_be_chosen_and_none_is_none() -> None:
    assert len(suggest(examples(100), share=0.3)) == 30
    assert suggest(examples(100), share=0) == frozenset()


def test_where_all_ask_the_same_nothing_is_held_out() -> None:
    assert suggest([Example(chat("Name a bird.", str(n))) for n in range(100)]) == frozenset()


@given(st.lists(st.integers(0, 60), min_size=20, max_size=200), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_no_prompt_stands_on_both_sides_and_enough_is_left(prompts: list[int], seed: int) -> None:
    held = [Example(chat(f"  Question {n}?" if n % 2 else f"QUESTION  {n}?", str(i))) for i, n in enumerate(prompts)]
    split = suggest(held, seed=seed)
    sides: dict[str, set[bool]] = {}
    for position, example in enumerate(held):
        sides.setdefault(prompt_of(example.data), set()).add(position in split)
    assert all(len(side) == 1 for side in sides.values())
    assert not split or (len(split) >= 10 and len(held) - len(split) >= 10)
