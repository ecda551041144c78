from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.alignment import common_ends, unequal

TEXTS = st.lists(st.sampled_from("abc"), max_size=8)


def test_the_ends_that_are_the_same_do_not_overlap() -> None:
    assert common_ends("aXb", "aYYb") == (1, 1)
    assert common_ends("aa", "aaa") == (2, 0)
    assert common_ends("", "a") == (0, 0)


def test_what_is_too_much_to_align_is_one_stretch() -> None:
    assert list(unequal("a1b2c", "aXbYc", lambda old, new: False)) == [(1, 2, 1, 2), (3, 4, 3, 4)]
    assert list(unequal("a1b2c", "aXbYc", lambda old, new: old * new >= 9)) == [(1, 4, 1, 4)]


@given(TEXTS, TEXTS, st.booleans())
def test_with_the_stretches_exchanged_one_becomes_the_other(left: list[str], right: list[str], coarse: bool) -> None:
    made, reached = list[str](), 0
    for begun, ended, begins, stops in unequal(left, right, lambda old, new: coarse):
        made += left[reached:begun] + right[begins:stops]
        reached = ended
    assert made + left[reached:] == right


@given(TEXTS)
def test_equal_sequences_have_no_stretch(held: list[str]) -> None:
    assert not [one for one in unequal(held, list(held), lambda old, new: False) if one[1] > one[0] or one[3] > one[2]]
