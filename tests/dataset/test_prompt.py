from __future__ import annotations

from lib.dataset.prompt import prompt_of, whole
from tests.dataset.conversations import call, chat, pair


def test_case_and_blanks_do_not_count_and_the_answer_is_no_part_of_it() -> None:
    assert prompt_of(chat("What  is\nit?", "a")) == prompt_of(chat("WHAT is it? ", "b"))
    assert prompt_of(chat("What is it?", "a")) != prompt_of(chat("What is that?", "a"))


def test_the_system_message_and_earlier_turns_are_part_of_it() -> None:
    assert prompt_of(chat(system="Be kind")) != prompt_of(chat())
    longer = {"messages": [*chat("a", "b")["messages"], *chat("c", "d")["messages"]]}
    assert prompt_of(longer) != prompt_of(chat("c", "d"))


def test_what_stands_after_the_last_answer_is_no_part_of_it() -> None:
    data = chat("a", "b")
    data["messages"].append({"role": "user", "content": "bye"})
    assert prompt_of(data) == prompt_of(chat("a", "b"))


def test_a_pair_asks_its_whole_input_and_calls_count() -> None:
    assert prompt_of(pair("Q", "a", "b")) == prompt_of(pair("q", "c", "d"))
    calling = {"role": "assistant", "tool_calls": [call()]}
    with_call = {"messages": [calling, {"role": "assistant", "content": "x"}]}
    assert "look_up" in prompt_of(with_call)


def test_legacy_examples_have_a_prompt_and_strange_ones_do_not_fail() -> None:
    assert prompt_of({"prompt": "A b", "completion": "c"}) == "a b"
    for data in ({}, {"messages": 3}, {"messages": [1, None, {"role": 7}]}, {"input": "x"}):
        assert isinstance(prompt_of(data), str)


def test_whole_examples_are_equal_whatever_the_order_of_keys() -> None:
    assert whole({"a": 1, "b": [2]}) == whole({"b": [2], "a": 1})
    assert whole({"a": True}) != whole({"a": 1})
