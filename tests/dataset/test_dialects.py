from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.check import check
from lib.dataset.dialects import DIALECTS, converted, left_out, recognise
from lib.dataset.example import encode
from lib.dataset.jsonl import read
from tests.dataset.conversations import chat, many, pair
from tests.dataset.shared import shared_file

Data = dict[str, Any]


def told(*turns: tuple[str, str]) -> list[Data]:
    return [{"from": speaker, "value": said} for speaker, said in turns]


@pytest.mark.parametrize(
    ("foreign", "name", "here"),
    [
        ({"instruction": "Add", "input": "1 2", "output": "3"}, "Alpaca", chat("Add\n\n1 2", "3")),
        ({"instruction": "Hi", "input": "", "output": "Yo", "system": "Be"}, "Alpaca", chat("Hi", "Yo", system="Be")),
        ({"prompt": "a ->", "completion": " b"}, "prompt and completion", chat("a ->", "b")),
        ({"question": "a", "answer": 4}, "question and answer", chat("a", "4")),
        ({"text": "a", "label": {"team": "x"}}, "text and label", chat("a", '{"team": "x"}')),
        (
            {"conversations": told(("human", "a"), ("gpt", "b")), "system": "s"},
            "ShareGPT",
            chat("a", "b", system="s"),
        ),
        ({"prompt": "Which one?", "chosen": "This.", "rejected": "That."}, "chosen and rejected", pair()),
        (
            {
                "chosen": [{"role": "user", "content": "Which one?"}, {"role": "assistant", "content": "This."}],
                "rejected": [{"role": "user", "content": "Which one?"}, {"role": "assistant", "content": "That."}],
            },
            "chosen and rejected",
            pair(),
        ),
    ],
)
def test_a_foreign_example_is_recognised_and_converted(foreign: Data, name: str, here: Data) -> None:
    dialect = recognise(foreign)
    assert dialect is not None
    assert dialect.name == name
    assert converted(foreign) == here
    assert left_out(foreign) == ()


def test_the_history_of_alpaca_stands_before_the_question() -> None:
    made = converted({"instruction": "c", "output": "d", "history": [["a", "b"]]})
    assert made is not None
    assert [message["content"] for message in made["messages"]] == ["a", "b", "c", "d"]


def test_calls_in_a_row_are_one_message_and_answers_go_to_them_in_order() -> None:
    calls = [json.dumps({"name": name, "arguments": {"n": 1}}) for name in ("f", "g")]
    turns = told(("human", "go"), ("function_call", calls[0]), ("function_call", calls[1]))
    turns += told(("observation", "one"), ("observation", "two"), ("gpt", "done"))
    made = converted({"conversations": turns, "tools": json.dumps([{"name": "f"}, {"name": "g"}])})
    assert made is not None
    assert [message["role"] for message in made["messages"]] == ["user", "assistant", "tool", "tool", "assistant"]
    ids = [call["id"] for call in made["messages"][1]["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in made["messages"][2:4]]
    assert len(set(ids)) == 2
    assert check(read(b"\n".join(encode(one) for one in [made, *many(10)]), "a").lines).findings == ()


def test_keys_without_a_place_are_named() -> None:
    assert left_out({"question": "a", "answer": "b", "id": 7, "source": "x"}) == ("id", "source")


@pytest.mark.parametrize("data", [chat(), pair(), {}, {"x": 1}, {"input": {"messages": []}, "preferred_output": []}])
def test_what_is_not_foreign_is_left_alone(data: Data) -> None:
    assert recognise(data) is None
    assert converted(data) is None


@pytest.mark.parametrize(
    "data",
    [
        {"conversations": 3},
        {"conversations": told(("nobody", "x"))},
        {"conversations": told(("function_call", "no json"))},
        {"chosen": "a", "rejected": "b"},
        {"chosen": [], "rejected": []},
    ],
)
def test_what_cannot_be_converted_is_not(data: Data) -> None:
    assert recognise(data) is not None
    assert converted(data) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "value", "role"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted({key for one in DIALECTS for key in one.keys | one.also})), values))
@settings(max_examples=300, deadline=None)
def test_nothing_makes_a_conversion_fail(data: Data) -> None:
    made = converted(data)
    assert made is None or "messages" in made or "input" in made


@pytest.mark.parametrize(("name", "method"), [("foreign_dpo10", "dpo"), ("foreign_sharegpt_tools72", "supervised")])
def test_real_foreign_files_become_data_without_errors(name: str, method: str) -> None:
    path = shared_file(f"{name}.jsonl")
    made = [converted(example.data) for example in read(path, path.name).lines]
    assert None not in made
    report = check(read(b"\n".join(encode(data) for data in made), name).lines)
    assert (report.ok, report.method) == (True, method)
