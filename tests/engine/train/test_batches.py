"""Steps: how many, which examples, of like length, the same for the same seed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.train.batches import MOST_TOKENS, Batches, filled, runs


def lengths_of(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(5, 300, count)


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 50), st.integers(0, 2**31 - 1))
def test_every_example_comes_once_an_epoch(examples: int, epochs: int, batch_size: int, seed: int) -> None:
    batches = Batches(lengths_of(examples), epochs, batch_size, seed)
    steps = [batches.step(step) for step in range(1, batches.total_steps + 1)]
    assert batches.total_steps == math.ceil(examples * epochs / batch_size)
    assert all(len(step) == batch_size for step in steps[:-1])
    stream = np.concatenate(steps)
    for epoch in range(epochs):
        assert sorted(stream[epoch * examples : (epoch + 1) * examples]) == list(range(examples))


@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 50))
def test_epochs_end_at_most_once_each_and_at_the_last_step(examples: int, epochs: int, batch_size: int) -> None:
    batches = Batches(lengths_of(examples), epochs, batch_size, 0)
    ends = [step for step in range(1, batches.total_steps + 1) if batches.ends_epoch(step)]
    assert ends == sorted({math.ceil(epoch * examples / batch_size) for epoch in range(1, epochs + 1)})
    assert batches.epochs(batches.total_steps) == epochs


def test_the_seed_decides_and_epochs_differ() -> None:
    def order(seed: int) -> list[int]:
        batches = Batches(lengths_of(50), 2, 4, seed)
        return [int(one) for step in range(1, batches.total_steps + 1) for one in batches.step(step)]

    assert order(5) == order(5)
    assert order(5) != order(6)
    assert order(5)[:50] != order(5)[50:]


def test_steps_can_be_asked_for_in_any_order() -> None:
    forward, backward = (Batches(lengths_of(30), 3, 7, 1) for _ in range(2))
    steps = range(1, forward.total_steps + 1)
    expected = {step: forward.step(step).tolist() for step in steps}
    assert {step: backward.step(step).tolist() for step in reversed(steps)} == expected


def test_the_examples_of_a_step_are_of_like_length() -> None:
    lengths = lengths_of(400)
    batches = Batches(lengths, 1, 8, 1)
    steps = [lengths[batches.step(step)] for step in range(1, batches.total_steps + 1)]
    wasted = sum(int(step.max()) * len(step) - int(step.sum()) for step in steps)
    mixed = lengths.reshape(-1, 8)
    assert wasted < 0.4 * int((mixed.max(axis=1) * 8 - mixed.sum(axis=1)).sum())
    assert [step.mean() for step in steps] != sorted(step.mean() for step in steps)


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=60))
def test_runs_hold_each_example_once_and_bound_the_tokens(sizes: list[int]) -> None:
    lengths = np.array(sizes)
    groups = list(runs(np.arange(len(sizes)), lengths))
    assert sorted(int(one) for group in groups for one in group) == list(range(len(sizes)))
    assert all(len(group) == 1 or int(lengths[group].max()) * len(group) <= MOST_TOKENS for group in groups)


@pytest.mark.parametrize(("sizes", "groups"), [([100, 100, 99], 1), ([200, 20], 2), ([1500, 1500], 2)])
def test_runs_are_cut_where_padding_would_cost_more(sizes: list[int], groups: int) -> None:
    assert len(list(runs(np.arange(len(sizes)), np.array(sizes)))) == groups


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.integers(1, 4000))
def test_filled_groups_hold_each_example_once_and_as_many_as_there_is_room_for(sizes: list[int], room: int) -> None:
    lengths = np.array(sizes)
    groups = list(filled(np.arange(len(sizes)), lengths, room))
    assert sorted(int(one) for group in groups for one in group) == list(range(len(sizes)))
    assert all(len(group) == 1 or int(lengths[group].sum()) <= room for group in groups)
    for group, following in itertools.pairwise(groups):
        assert int(lengths[group].sum() + lengths[following[0]]) > room


def test_little_is_computed_for_padding_whatever_the_lengths() -> None:
    lengths = np.clip(np.random.default_rng(0).lognormal(4.6, 0.9, 1000), 8, 2000).astype(np.int64)
    for batch_size in (1, 4, 8, 32):
        batches = Batches(lengths, 1, batch_size, 0)
        groups = [group for step in range(1, batches.total_steps + 1) for group in runs(batches.step(step), lengths)]
        computed = sum(int(lengths[group].max()) * len(group) for group in groups)
        assert computed < 1.05 * lengths.sum()
