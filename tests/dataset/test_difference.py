from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.dataset.difference import Difference, MessageChange, difference
from lib.dataset.example import Example
from tests.dataset.conversations import chat, pair


def between(before: dict[str, Any], after: dict[str, Any]) -> Difference:
    return difference(Example(before), Example(after))


def test_the_message_that_changed_is_shown_before_and_after() -> None:
    found = between(chat("Two and two?", "Five."), chat("Two and two?", "Four."))
    old, new = {"role": "assistant", "content": "Five."}, {"role": "assistant", "content": "Four."}
    assert found == Difference((MessageChange("messages", 1, old, new),), ())


def test_a_message_put_in_front_does_not_make_the_others_different() -> None:
    found = between(chat(), chat(system="Be brief."))
    assert found.messages == (MessageChange("messages", 0, None, {"role": "system", "content": "Be brief."}),)


def test_a_message_taken_out_names_where_it_was() -> None:
    before = chat(system="Be brief.")
    found = between(before, chat())
    assert found.messages == (MessageChange("messages", 0, before["messages"][0], None),)


def test_the_two_answers_of_a_pair_are_told_apart() -> None:
    (change,) = between(pair(bad="That."), pair(bad="Neither.")).messages
    assert (change.where, change.index) == ("non_preferred_output", 0)


def test_other_keys_are_named_and_true_is_not_one() -> None:
    before, after = {**chat(), "n": 1, "old": 0}, {**chat(), "n": True, "new": 0}
    assert between(before, after) == Difference((), ("n", "old", "new"))
    found = between({"input": {"messages": [], "tools": []}}, {"input": {"messages": [], "tools": [1]}})
    assert found == Difference((), ("input.tools",))


def test_written_differently_is_no_difference() -> None:
    before = chat()
    after = {"messages": [dict(reversed(entry.items())) for entry in before["messages"]]}
    assert between(before, copy.deepcopy(before)) == Difference((), ())
    assert between({"a": 1, "b": 2}, {"b": 2, "a": 1}) == Difference((), ())
    assert len(between(before, after).messages) == 2, "the order of keys within a message is the message's own"


@pytest.mark.parametrize("messages", [None, "text", [1, None, ["x"]], {"role": "user"}])
def test_what_is_no_list_of_messages_is_compared_all_the_same(messages: Any) -> None:
    assert between({"messages": messages}, {"messages": messages}) == Difference((), ())
    assert between({"messages": messages}, chat()) != Difference((), ())


def test_thousands_of_messages_are_compared_in_their_order() -> None:
    def long(word: str) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": f"{word} {n}"} for n in range(2000)]}

    found = between(long("a"), long("b"))
    assert [change.index for change in found.messages] == list(range(2000))


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcd"), max_size=12))
def test_what_is_told_leads_from_the_one_to_the_other(left: list[str], right: list[str]) -> None:
    before = [{"role": "user", "content": text} for text in left]
    after = [{"role": "user", "content": text} for text in right]
    changes = between({"messages": before}, {"messages": after}).messages
    told_new = {change.index: change.after for change in changes if change.after is not None}
    assert all(after[index] == entry for index, entry in told_new.items())
    gone = [change.before for change in changes if change.before is not None]
    assert len(before) - len(gone) == len(after) - len(told_new)
    kept = iter([entry for index, entry in enumerate(after) if index not in told_new])
    assert (changes == ()) == (before == after)
    assert all(entry in before for entry in kept)
