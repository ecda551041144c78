"""Equal examples and prompts are found in all at once, and after an edit as if everything were compared anew."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.likeness import CODES, DUPLICATE, LEAK, SAME_PROMPT, Alike, compare, compared_anew


def compared(same: list[int], prompt: list[int], held_out: list[int] = (), removed: list[int] = ()) -> Alike:  # type: ignore[assignment]
    among = np.asarray([at for at in range(len(same)) if at not in removed], np.int64)
    mask = np.zeros(len(same), np.bool_)
    mask[list(held_out)] = True
    return compare(np.asarray(same, np.int64), np.asarray(prompt, np.int64), mask, among)


def told(alike: Alike) -> dict[str, list[tuple[int, int]]]:
    return {
        code: list(zip(positions.tolist(), firsts.tolist(), strict=True))
        for code, (positions, firsts) in alike.found.items()
        if len(positions)
    }


def test_a_duplicate_is_like_the_first_and_no_same_prompt() -> None:
    assert told(compared([7, 8, 7, 7], [1, 2, 1, 1])) == {DUPLICATE: [(2, 0), (3, 0)]}


def test_one_example_is_told_for_each_prompt_with_several_answers() -> None:
    assert told(compared([1, 2, 3, 4, 5], [9, 9, 9, 6, 6])) == {SAME_PROMPT: [(1, 0), (4, 3)]}


def test_a_prompt_on_the_other_side_of_the_split_leaks() -> None:
    assert told(compared([1, 2, 3], [9, 9, 9], held_out=[2])) == {LEAK: [(2, 0)], SAME_PROMPT: [(1, 0)]}
    assert told(compared([1, 1], [9, 9], held_out=[0])) == {LEAK: [(1, 0)]}, "it is not paid for twice"
    assert told(compared([1, 1], [0, 0], held_out=[0])) == {DUPLICATE: [(1, 0)]}, "nothing is asked"


def test_removed_examples_and_empty_prompts_are_like_nothing() -> None:
    assert told(compared([7, 7, 7], [1, 1, 1], removed=[0])) == {DUPLICATE: [(2, 1)]}
    assert told(compared([1, 2, 3], [0, 0, 0], held_out=[1])) == {}
    assert told(compared([], [])) == {}


def test_the_first_is_told_for_the_ones_that_are_found_alone() -> None:
    alike = compared([7, 8, 7], [1, 2, 1])
    assert alike.first(DUPLICATE, 2) == 0
    assert alike.first(DUPLICATE, 1) is None
    assert alike.first(LEAK, 2) is None


few = st.integers(0, 3)


def same_as(prompt: int, answer: int) -> int:
    """Equal examples have equal prompts."""
    return 10 + 4 * prompt + answer


@given(
    st.lists(st.tuples(few, few, st.booleans(), st.booleans()), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), few, few, st.booleans()), max_size=4),
)
@settings(max_examples=300, deadline=None)
def test_what_is_compared_anew_is_as_if_all_were(
    rows: list[tuple[int, int, bool, bool]], edits: list[tuple[int, int, int, bool]]
) -> None:
    same = np.asarray([same_as(row[1], row[0]) for row in rows], np.int64)
    prompt = np.asarray([row[1] for row in rows], np.int64)
    held_out = np.asarray([row[2] for row in rows])
    present = np.asarray([row[3] for row in rows])
    alike = compare(same, prompt, held_out, np.flatnonzero(present))
    for place, answer, asked, stays in edits:
        at = place % len(rows)
        touched = {int(same[at]), int(prompt[at]), same_as(asked, answer), asked}
        same[at], prompt[at], present[at] = same_as(asked, answer), asked, stays
        alike = compared_anew(alike, same, prompt, held_out, present, np.asarray(sorted(touched), np.int64))
        assert told(alike) == told(compare(same, prompt, held_out, np.flatnonzero(present)))
    assert set(alike.found) == set(CODES)
