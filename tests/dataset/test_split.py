from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.example import Example
from lib.dataset.places import Places
from lib.dataset.prompt import prompt_of
from lib.dataset.split import joined, suggest, suggest_for
from lib.errors import DataError
from tests.dataset.conversations import chat, many


def alone(number: int) -> npt.NDArray[np.int64]:
    """So many examples, each a group of its own."""
    return np.arange(number, dtype=np.int64)


def held(labels: npt.NDArray[np.int32], split: Places) -> Counter[int]:
    return Counter(labels[split.array].tolist())


@pytest.mark.parametrize(
    ("number", "held_out"), [(0, 0), (10, 0), (19, 0), (20, 10), (50, 10), (100, 10), (240, 24), (1000, 100)]
)
def test_a_tenth_is_held_out_and_at_least_ten_where_there_are_enough(number: int, held_out: int) -> None:
    assert len(suggest(alone(number))) == held_out
    assert len(suggest_for([Example(data) for data in many(number)])) == held_out


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    assert suggest(alone(100)) == suggest(alone(100))
    assert suggest(alone(100), seed=1) != suggest(alone(100), seed=2)


def test_a_split_is_the_same_on_every_machine_and_for_ever() -> None:
    assert list(suggest(alone(100), seed=7)) == [6, 23, 24, 32, 37, 46, 52, 90, 96, 98]


def test_only_which_examples_belong_together_matters_not_the_names_of_groups_and_labels() -> None:
    groups = np.array([n // 2 for n in range(100)], dtype=np.int64)
    labels = np.array([n % 3 for n in range(100)], dtype=np.int32)
    renamed = suggest(groups * -7919 + 3, np.array([40, 9, 1000], dtype=np.int32)[labels], seed=3)
    assert renamed == suggest(groups, labels, seed=3)


@pytest.mark.parametrize(("share", "held_out"), [(0.0, 0), (0.01, 10), (0.3, 30), (0.5, 50), (0.95, 90)])
def test_a_share_can_be_chosen(share: float, held_out: int) -> None:
    assert len(suggest(alone(100), share=share)) == held_out


@pytest.mark.parametrize(("number", "held_out"), [(0, 0), (1, 1), (37, 37), (90, 90), (100, 90)])
def test_a_number_can_be_chosen_and_ten_stay_for_training(number: int, held_out: int) -> None:
    assert len(suggest(alone(100), number=number)) == held_out
    assert not suggest(alone(10), number=number)


@pytest.mark.parametrize(("share", "number"), [(1.0, None), (-0.1, None), (float("nan"), None), (None, -1)])
def test_what_cannot_be_held_out_is_told(share: float | None, number: int | None) -> None:
    with pytest.raises(DataError, match="cannot be held out"):
        suggest(alone(100), share=share, number=number)


def test_where_all_ask_the_same_nothing_is_held_out() -> None:
    assert not suggest(np.zeros(100, dtype=np.int64))
    assert not suggest_for([Example(chat("Name a bird.", str(n))) for n in range(100)])


def test_each_label_is_held_out_in_its_share() -> None:
    labels = np.repeat(np.array([0, 1, 2, -1], dtype=np.int32), [600, 300, 60, 40])
    assert held(labels, suggest(alone(1000), labels)) == {0: 60, 1: 30, 2: 6, -1: 4}
    assert held(labels, suggest(alone(1000), labels, number=50)) == {0: 30, 1: 15, 2: 3, -1: 2}


def test_a_label_that_occurs_once_stays_in_training_and_none_is_lost() -> None:
    labels = np.array([*range(30), *[30, 31] * 35, *[32, 33, 34, 35] * 2], dtype=np.int32)
    for seed in range(20):
        for number in (10, 50, 98):
            split = suggest(alone(len(labels)), labels, number=number, seed=seed)
            trained = set(np.delete(labels, split.array).tolist())
            assert trained == set(range(36)), "validation would ask for a label that was never seen"
            assert len(split) == min(number, 72)


def test_where_every_label_occurs_once_nothing_is_held_out() -> None:
    assert not suggest(alone(100), np.arange(100, dtype=np.int32))


GROUPS = st.lists(st.integers(0, 60), min_size=20, max_size=200)


@given(GROUPS, st.data())
@settings(max_examples=150, deadline=None)
def test_no_group_is_torn_apart_and_the_size_is_met_as_far_as_groups_allow(
    named: list[int], data: st.DataObject
) -> None:
    groups = np.array(named, dtype=np.int64)
    chosen = st.lists(st.integers(-1, 4), min_size=len(named), max_size=len(named))
    labels = data.draw(st.none() | chosen.map(lambda held: np.array(held, dtype=np.int32)))
    number = data.draw(st.none() | st.integers(0, 200))
    split = suggest(groups, labels, number=number, seed=data.draw(st.integers(0, 5)))
    inside = split.mask(len(groups))
    assert not set(groups[inside].tolist()) & set(groups[~inside].tolist())
    assert not split or len(groups) - len(split) >= 10
    if number is None:
        assert not split or len(split) >= 10
    else:
        sizes = Counter(named)
        wanted = min(number, len(named) - 10)
        # One group too many at most, and one fewer only where every other is too large or holds the last of a label.
        assert len(split) < wanted + max(sizes.values())
        if labels is None and len(split) < wanted:
            assert min(sizes[group] for group in named if group not in groups[inside]) > wanted - len(split)
    if labels is not None:
        assert set(labels.tolist()) - {-1} <= set(labels[~inside].tolist())


@given(st.lists(st.integers(20, 200), min_size=1, max_size=6), st.floats(0.05, 0.6), st.integers(0, 9))
@settings(max_examples=80, deadline=None)
def test_every_label_has_its_share_to_within_one_example(counts: list[int], share: float, seed: int) -> None:
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    total = len(labels)
    wanted = min(max(10, round(total * share)), total - 10)
    got = held(labels, suggest(alone(total), labels, share=share, seed=seed))
    assert sum(got.values()) == wanted
    for label, count in enumerate(counts):
        assert abs(got[label] - count * wanted / total) < 1 + 1e-6


@given(GROUPS, st.integers(0, 5))
@settings(max_examples=50, deadline=None)
def test_no_prompt_stands_on_both_sides(prompts: list[int], seed: int) -> None:
    held_ = [Example(chat(f"  Question {n}?" if n % 2 else f"QUESTION  {n}?", str(i))) for i, n in enumerate(prompts)]
    split = suggest_for(held_, seed=seed)
    sides: dict[str, set[bool]] = {}
    for position, example in enumerate(held_):
        sides.setdefault(prompt_of(example.data), set()).add(position in split)
    assert all(len(side) == 1 for side in sides.values())


def naive(total: int, edges: list[tuple[int, int]]) -> list[int]:
    """The smallest position each is connected to, by repeating until nothing changes."""
    names = list(range(total))
    while True:
        before = list(names)
        for left, right in edges:
            names[left] = names[right] = min(names[left], names[right])
        if names == before:
            return names


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_joined_finds_what_hangs_together(data: st.DataObject) -> None:
    total = data.draw(st.integers(1, 30))
    keys = data.draw(st.lists(st.lists(st.integers(-9, 25), min_size=total, max_size=total), min_size=1, max_size=3))
    pairs = data.draw(st.lists(st.tuples(st.integers(0, total - 1), st.integers(0, total - 1)), max_size=20))
    edges = [*pairs, *((i, j) for key in keys for i in range(total) for j in range(i) if key[i] == key[j])]
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    made = joined(*(np.array(key, dtype=np.int64) for key in keys), pairs=(ends[:, 0], ends[:, 1]))
    assert made.tolist() == naive(total, edges)


def test_a_long_chain_is_one_group() -> None:
    ends = np.arange(50_000)
    shuffled = np.argsort(np.random.PCG64(1).random_raw(50_001))
    made = joined(alone(50_001), pairs=(shuffled[ends], shuffled[ends + 1]))
    assert not made.any()
    assert not joined(alone(0)).size
