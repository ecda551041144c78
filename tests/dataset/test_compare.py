from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.compare import Comparison, TokenChange, compare, line_hashes
from lib.dataset.jsonl import Lines
from lib.dataset.places import Places
from lib.dataset.reading import read
from tests.dataset.conversations import chat, lines_of, many, pair


def opened(examples: list[dict[str, Any]]) -> Lines:
    return read(lines_of(examples), "a.jsonl").lines if examples else read(lines_of(many(1)), "a").lines.only(NONE)


NONE = np.empty(0, dtype=np.int64)


def between(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Comparison:
    return compare(opened(old), opened(new))


def said(found: Comparison) -> tuple[list[int], list[int], list[list[int]]]:
    return list(found.added), list(found.removed), found.changed.tolist()


def test_the_same_examples_do_not_differ() -> None:
    found = between(many(20), many(20))
    assert found.equal
    assert said(found) == ([], [], [])
    assert found.kept.tolist() == [[n, n] for n in range(20)]


def test_an_edit_a_removal_and_an_addition_are_told_apart() -> None:
    old = many(10)
    new = [*old[:3], chat("Reworded", "entirely."), *old[4:6], *old[7:], chat("New?", "Yes.")]
    found = between(old, new)
    assert said(found) == ([9], [6], [[3, 3]])
    assert not found.equal
    assert not found.reordered


def test_an_example_taken_out_at_the_end_and_another_added_are_two_things() -> None:
    assert said(between(many(5), [*many(4), chat("New?", "Yes.")])) == ([4], [4], [])


def test_the_last_answer_corrected_is_one_change() -> None:
    assert said(between(many(5), [*many(4), chat("What is 4 and one?", "Five!")])) == ([], [], [[4, 4]])


def test_a_new_system_prompt_for_all_changes_all_and_adds_none() -> None:
    old = [chat(f"Ticket {n}", "billing" if n % 2 else "sales") for n in range(30)]
    new = [chat(f"Ticket {n}", "billing" if n % 2 else "sales", system="Sort.") for n in range(30) if n != 11]
    added, removed, changed = said(between(old, new))
    assert (added, removed) == ([], [11])
    assert changed == [[n, n - (n > 11)] for n in range(30) if n != 11]


def test_everything_reworded_in_its_place_is_everything_changed() -> None:
    new = [chat(f"Was ist {n} und eins?", f"{n + 1}!") for n in range(8)]
    assert said(between(many(8), new)) == ([], [], [[n, n] for n in range(8)])


def test_one_of_two_equal_lines_taken_out_is_one_removal() -> None:
    twice = [*many(3), *many(3)]
    assert said(between(twice, many(3))) == ([], [3, 4, 5], [])
    assert said(between(many(3), twice)) == ([3, 4, 5], [], [])


def test_whichever_of_two_equal_lines_is_taken_out_no_other_has_moved() -> None:
    twice = [chat("Same?", "Yes."), *many(4), chat("Same?", "Yes.")]
    for new in (twice[1:], twice[:-1]):
        found = between(twice, new)
        assert (len(found.removed), len(found.changed), found.reordered) == (1, 0, False)
    assert between([*many(2), *many(2)], [*many(2)[::-1], *many(2)[::-1]]).reordered


def test_a_copy_taken_out_of_training_moves_nothing_to_validation() -> None:
    leak = [chat("Same?", "Yes."), *many(9), chat("Same?", "Yes.")]
    found = compare(opened(leak), opened(leak[1:]), validation=(Places([10]), Places([9])))
    assert said(found) == ([], [0], [])
    assert (len(found.to_validation), len(found.to_training), found.reordered) == (0, 0, False)
    # What did move is told, whichever copy it is.
    found = compare(opened(leak[1:]), opened(leak[1:]), validation=(Places([9]), Places([0])))
    assert (list(found.to_validation), list(found.to_training)) == ([0], [9])


def test_another_order_is_no_change_but_not_equal() -> None:
    found = between(many(6), many(6)[::-1])
    assert said(found) == ([], [], [])
    assert found.reordered
    assert not found.equal


def test_a_changed_example_that_moved_is_found_by_what_it_asks() -> None:
    old = many(6)
    assert said(between(old, [chat("What is 5 and one?", "Six!"), *old[:5]])) == ([], [], [[5, 0]])


def test_pairs_change_too() -> None:
    old = [pair("Which one?"), pair("And here?")]
    assert said(between(old, [old[0], pair("And here?", bad="None.")])) == ([], [], [[1, 1]])


def test_who_changed_sides_is_told_also_among_the_changed() -> None:
    old, new = many(6), [*many(5), chat("What is 5 and one?", "Six!")]
    found = compare(opened(old), opened(new), validation=(Places.of([0, 1]), Places.of([1, 5])))
    assert (found.to_validation, found.to_training) == ({5}, {0})
    assert not compare(opened(old), opened(old), validation=(Places.of([0]), Places())).equal


def test_the_difference_in_tokens_adds_up() -> None:
    old = many(5)
    new = [*old[:2], chat("What is 2 and one?", "Three!"), old[4], chat("New?", "Yes.")]
    before, after = np.array([1, 2, 4, 8, 16]), np.array([1, 2, 100, 16, 1000])
    found = between(old, new)
    assert found.tokens(before, after) == TokenChange(added=1000, removed=-8, changed=96)
    assert found.tokens(before, after).total == after.sum() - before.sum()


def test_it_is_told_how_far_it_is_and_can_be_stopped() -> None:
    told: list[tuple[int, int]] = []
    compare(opened(many(5)), opened(many(7)), told=lambda done, total: told.append((done, total)))
    assert told == [(5, 12), (12, 12)]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(opened(many(5)), opened(many(7)), told=stop)


def test_equal_lines_have_equal_hashes(tmp_path: Path) -> None:
    hashes = line_hashes(opened([*many(5), *many(5)]))
    assert hashes[:5].tolist() == hashes[5:].tolist()
    assert len(set(hashes.tolist())) == 5


EXAMPLES = st.lists(
    st.builds(chat, st.sampled_from(["a?", "b?", "c?", "d?"]), st.sampled_from(["x", "y"])), min_size=0, max_size=12
)


@given(EXAMPLES, EXAMPLES)
@settings(max_examples=150, deadline=None)
def test_every_example_is_accounted_for_exactly_once(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    found = between(old, new)
    before = [*found.removed, *found.changed[:, 0].tolist(), *found.kept[:, 0].tolist()]
    after = [*found.added, *found.changed[:, 1].tolist(), *found.kept[:, 1].tolist()]
    assert (sorted(before), sorted(after)) == (list(range(len(old))), list(range(len(new))))
    assert all(old[a] == new[b] for a, b in found.kept.tolist())
    assert all(old[a] != new[b] for a, b in found.changed.tolist())
    assert found.equal == (old == new)
