from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.example import Example, encode, method_of
from lib.errors import DataError
from tests.dataset.conversations import call, chat, pair, tool


def test_a_conversation_has_its_messages_in_order() -> None:
    example = Example(chat("Hi", "Hello", system="Be kind"))
    assert [(message.role, message.text) for message in example.messages] == [
        ("system", "Be kind"),
        ("user", "Hi"),
        ("assistant", "Hello"),
    ]
    assert example.method == "supervised"


def test_parts_are_joined_and_images_left_out() -> None:
    parts = [
        {"type": "text", "text": "What "},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "is it?"},
    ]
    example = Example({"messages": [{"role": "user", "content": parts}]})
    assert example.messages[0].text == "What is it?"
    assert example.messages[0].content == parts


def test_a_call_without_content_is_kept() -> None:
    message = Example({"messages": [{"role": "assistant", "tool_calls": [call()]}], "tools": [tool()]}).messages[0]
    assert message.content is None
    assert message.text == ""
    assert message.tool_calls == (call(),)


def test_a_pair_has_an_input_and_two_answers() -> None:
    example = Example(pair("Q", "good", "bad"))
    assert example.method == "dpo"
    assert [message.text for message in example.messages] == ["Q"]
    assert example.preferred[0].text == "good"
    assert example.non_preferred[0].text == "bad"


def test_the_specifications_names_of_answers_are_read_too() -> None:
    data = pair()
    data["preferred_completion"] = data.pop("preferred_output")
    assert Example(data).preferred[0].text == "This."


@pytest.mark.parametrize(
    ("data", "method"),
    [
        ({"messages": [{"role": "user", "content": "?"}], "answer": 4}, "reinforcement"),
        ({"messages": [{"role": "user", "content": "?"}]}, "supervised"),
        ({**chat(), "id": 7}, "supervised"),
        ({"prompt": "a", "completion": "b"}, "supervised"),
        ({"input": {"messages": []}}, "dpo"),
        ({}, "supervised"),
    ],
)
def test_the_method_of_an_example(data: dict[str, object], method: str) -> None:
    assert method_of(data) == method


@pytest.mark.parametrize("data", [{}, {"messages": 3}, {"messages": [1, None, "x"]}, {"input": [], "tools": 1}])
def test_what_is_no_example_reads_as_an_empty_one(data: dict[str, object]) -> None:
    example = Example(data)
    assert (example.messages, example.tools, example.preferred) == ((), (), ())


def test_encoding_keeps_text_and_writes_one_line() -> None:
    line = encode({"messages": [{"role": "user", "content": "Grüße\n東京\u2028 😀 \ud83d"}]})
    assert b"\n" not in line
    assert "Grüße\\n東京\u2028 😀 \\ud83d".encode() in line


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(DataError):
        encode({"messages": value})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
@settings(max_examples=100, deadline=None)
def test_encoding_loses_nothing(data: dict[str, object]) -> None:
    assert json.loads(encode(data)) == data
