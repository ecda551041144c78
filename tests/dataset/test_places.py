from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.places import Places
from lib.errors import DataError

POSITIONS = st.lists(st.integers(0, 2**31 - 1) | st.integers(0, 300), max_size=60)


@given(POSITIONS, st.lists(st.integers(-5, 2**33) | st.integers(0, 300), max_size=30))
def test_it_says_what_a_set_says(positions: list[int], asked: list[int]) -> None:
    places, plain = Places.of(positions), frozenset(positions)
    assert (places, len(places), list(places)) == (plain, len(plain), sorted(plain))
    assert plain == places, "also asked the other way round"
    assert [place in places for place in [*asked, *positions]] == [place in plain for place in [*asked, *positions]]
    assert all(type(place) is int for place in places), "JSON cannot write numpy's integers"
    assert places | {7} == plain | {7}
    assert places & frozenset(asked) == plain & frozenset(asked)
    assert places - frozenset(asked) == plain - frozenset(asked)


@given(POSITIONS, st.integers(0, 400))
def test_a_mask_is_true_exactly_at_the_places(positions: list[int], length: int) -> None:
    mask = Places.of(positions).mask(length)
    assert mask.tolist() == [place in set(positions) for place in range(length)]
    assert Places.where(mask) == {place for place in positions if place < length}


@given(POSITIONS)
@settings(max_examples=50)
def test_packed_pickled_and_copied_it_is_the_same(positions: list[int]) -> None:
    places = Places.of(positions)
    packed = places.packed()
    assert packed.isascii()
    assert Places.unpacked(packed) == places
    assert pickle.loads(pickle.dumps(places)) == places
    assert copy.deepcopy(places) == places


def test_a_tenth_of_a_million_packs_to_less_than_a_byte_each() -> None:
    tenth = np.flatnonzero(np.random.default_rng(7).random(1_000_000) < 0.1)
    assert len(Places.of(tenth).packed()) < len(tenth)


@pytest.mark.parametrize("text", ["", "[1, 2]", "Zm9v", "é", Places.of([1, 2, 3]).packed()[:-6]])
def test_a_text_that_is_no_packed_set_is_an_error_and_no_other_set(text: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        Places.unpacked(text)


def test_what_is_read_later_is_read_once_and_not_for_its_length() -> None:
    loads = []

    def load() -> Places:
        loads.append(1)
        return Places.of([4, 9])

    places = Places.later(2, load)
    assert len(places) == 2
    assert bool(places)
    assert not loads, "the length alone was asked for"
    assert 9 in places
    assert list(places) == [4, 9]
    assert len(loads) == 1


def test_nobody_can_change_it() -> None:
    own = np.array([1, 2, 3], dtype=np.int32)
    places = Places.of(own)
    with pytest.raises(ValueError, match="read-only"):
        places.array[0] = 7
    own[0] = 7
    assert list(places) == [1, 2, 3], "the array it was made of is somebody else's"
    assert Places.of(places) is places


@pytest.mark.parametrize("positions", [[-1], [3, -2], [2**31]])
def test_positions_that_cannot_be_are_refused(positions: list[int]) -> None:
    with pytest.raises(DataError, match="no position"):
        Places.of(positions)


@pytest.mark.parametrize("other", ["1", None, 1.5, (1,)])
def test_what_is_no_number_is_not_in_it(other: object) -> None:
    assert other not in Places.of([1, 2])
    assert Places.of([1]) != [1]


def test_a_range_and_nothing() -> None:
    assert Places.of(range(3, 6)) == {3, 4, 5}
    assert Places() == frozenset()
    assert not Places()
    assert repr(Places.of(range(9))) == "Places([0, 1, 2, 3, 4, …], 9 in all)"
