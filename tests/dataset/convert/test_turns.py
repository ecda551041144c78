from __future__ import annotations

import json
from typing import Any

import pytest

from lib.dataset.convert.fields import Fields, Unfit
from lib.dataset.convert.turns import messages_of, tools_of, with_system

Data = dict[str, Any]


def messages(held: Any) -> list[Data]:
    return messages_of(held, Fields({}), "turns")


def test_calls_in_a_row_are_one_message_and_answers_go_to_them_in_order() -> None:
    calls = [json.dumps({"name": name, "arguments": {"n": 1}}) for name in ("f", "g")]
    turns = [("human", "go"), ("function_call", calls[0]), ("function_call", calls[1])]
    turns += [("observation", "one"), ("observation", "two"), ("gpt", "done")]
    made = messages([{"from": speaker, "value": value} for speaker, value in turns])
    assert [message["role"] for message in made] == ["user", "assistant", "tool", "tool", "assistant"]
    ids = [call["id"] for call in made[1]["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in made[2:4]]
    assert len(set(ids)) == 2
    assert made[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"n": 1}'}


def test_messages_of_the_services_stay_as_they_are() -> None:
    call = {"id": "call_9", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}]
    given = [
        {"role": "developer", "content": "d"},
        {"role": "user", "content": image, "name": "Kim"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "r", "tool_call_id": "call_9"},
        {"role": "assistant", "content": "b", "weight": 0},
    ]
    assert messages(given) == given
    assert messages({"messages": given}) == given


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "value": "a"}, {"type": "text", "text": "b"}]
    assert messages([{"role": "user", "content": parts}]) == [{"role": "user", "content": "ab"}]


@pytest.mark.parametrize("name", ["weight", "loss_weight", "train"])
def test_a_weight_of_nothing_is_kept_where_it_means_something(name: str) -> None:
    fields = Fields({})
    turns = [{"role": "user", "content": "a", name: 0}, {"role": "assistant", "content": "b", name: 0}]
    made = messages_of(turns, fields, "turns")
    assert made == [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]
    assert fields.left_out() == ()
    messages_of([{"role": "assistant", "content": "b", name: 0.5}], fields, "turns")
    assert fields.left_out() == (f"{name} (in a turn)",)


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ([], "no turns"),
        (3, "no turns"),
        ([3], "is no turn: “3”"),
        ([{"role": "narrator", "content": "x"}], "“narrator”, who is neither"),
        ([{"content": "x"}], "does not say who speaks"),
        ([{"role": "user"}], "says nothing"),
        ([{"from": "function_call", "value": "{}"}], "without the tool's name"),
        ('[{"role": ]', "neither a list nor JSON"),
    ],
)
def test_what_is_no_conversation_is_said(held: Any, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        messages(held)


def test_a_sentence_in_brackets_is_a_sentence() -> None:
    assert messages("[sic] hello") == [{"role": "assistant", "content": "[sic] hello"}]


def test_a_system_message_that_stands_there_is_not_said_twice() -> None:
    held = [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]
    assert with_system("s", held) == held
    assert len(with_system("t", held)) == 3
    assert with_system(None, held) == held


@pytest.mark.parametrize("held", [3, [3], {"name": "f"}, "no json"])
def test_tools_that_are_none_are_said(held: Any) -> None:
    with pytest.raises(Unfit):
        tools_of(held)
