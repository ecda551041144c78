from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.check import check
from lib.dataset.convert.conversion import Conversion
from lib.dataset.convert.dialects import CONVERSATIONS, DIALECTS, converted, is_native, recognise
from lib.dataset.convert.names import CONTEXTS, SYSTEMS
from lib.dataset.convert.pairs import ASKED
from lib.dataset.convert.turns import KEPT, ROLES, SAID, SPEAKERS, WEIGHTS
from lib.dataset.example import encode
from lib.dataset.reading import read
from tests.dataset.conversations import chat, pair
from tests.dataset.shared import shared_file

Data = dict[str, Any]


def told(*turns: tuple[str, str]) -> list[Data]:
    return [{"from": speaker, "value": said} for speaker, said in turns]


def said(*turns: tuple[str, str]) -> list[Data]:
    return [{"role": role, "content": content} for role, content in turns]


@pytest.mark.parametrize(
    ("foreign", "name", "here"),
    [
        ({"instruction": "Add", "input": "1 2", "output": "3"}, "Alpaca", chat("Add\n\n1 2", "3")),
        ({"instruction": "Hi", "input": "", "output": "Yo", "system": "Be"}, "Alpaca", chat("Hi", "Yo", system="Be")),
        ({"Instruction ": "Hi", "Output": "Yo", "input": None}, "Alpaca", chat("Hi", "Yo")),
        ({"prompt": "a ->", "completion": " b"}, "prompt and completion", chat("a ->", "b")),
        (
            {"prompt": said(("system", "s"), ("user", "a")), "completion": said(("assistant", "b"))},
            "prompt and completion",
            chat("a", "b", system="s"),
        ),
        (
            {"prompt": "a", "completion": "b", "label": True},
            "prompt, completion and a judgement",
            chat("a", "b"),
        ),
        ({"question": "a", "answer": 4}, "question and answer", chat("a", "4")),
        (
            {"question": "Where?", "context": "In Rome it rains.", "answer": "Rome", "system_prompt": "s"},
            "question and answer",
            chat("In Rome it rains.\n\nWhere?", "Rome", system="s"),
        ),
        (
            {"instruction": "Shorten", "context": "Long text", "response": "Text"},
            "instruction and response",
            chat("Shorten\n\nLong text", "Text"),
        ),
        (
            {"question": "Where?", "context": "It rains in Rome.", "answers": {"text": ["Rome"], "answer_start": [12]}},
            "question with several answers",
            chat("It rains in Rome.\n\nWhere?", "Rome"),
        ),
        ({"text": "a", "label": {"team": "x"}}, "text and label", chat("a", '{"team": "x"}')),
        ({"conversations": told(("human", "a"), ("gpt", "b")), "system": "s"}, "ShareGPT", chat("a", "b", system="s")),
        ({"conversation": [{"human": "a", "assistant": "b"}]}, "ShareGPT", chat("a", "b")),
        ({"dialog": ["a", "b"]}, "ShareGPT", chat("a", "b")),
        ({"turns": json.dumps(said(("user", "a"), ("assistant", "b")))}, "ShareGPT", chat("a", "b")),
        ({"messages": told(("human", "a"), ("gpt", "b"))}, "messages in other words", chat("a", "b")),
        ({"messages": json.dumps(chat("a", "b")["messages"])}, "messages in other words", chat("a", "b")),
        ({"messages": str(chat("it's", "b")["messages"])}, "messages in other words", chat("it's", "b")),
        ({"prompt": "Which one?", "chosen": "This.", "rejected": "That."}, "chosen and rejected", pair()),
        (
            {"text": "### Instruction:\nAdd\n\n### Input:\n1 2\n\n### Response:\n3</s>"},
            "one text with marks",
            chat("Add\n\n1 2", "3"),
        ),
    ],
)
def test_a_foreign_example_is_recognised_and_converted(foreign: Data, name: str, here: Data) -> None:
    dialect = recognise(foreign)
    assert dialect is not None
    assert dialect.name == name
    assert converted(foreign) == here
    assert all(key.endswith(")") for key in Conversion().preview(foreign).left_out)


def test_the_history_of_alpaca_stands_before_the_question() -> None:
    made = converted({"instruction": "c", "output": "d", "history": [["a", "b"]], "system": "s"})
    assert made is not None
    assert [message["content"] for message in made["messages"]] == ["s", "a", "b", "c", "d"]


def test_tools_come_along_in_every_writing() -> None:
    turns, tools = told(("human", "a"), ("gpt", "b")), [{"name": "f"}]
    for held in (tools, json.dumps(tools), str(tools)):
        made = converted({"conversations": turns, "tools": held, "parallel_tool_calls": "false"})
        assert made == chat("a", "b") | {
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "parallel_tool_calls": False,
        }


@pytest.mark.parametrize(
    ("data", "lost"),
    [
        ({"question": "a", "answer": "b", "id": 7, "source": "x"}, ("id", "source")),
        ({"question": "a", "answer": "b", "id": None, "tags": [], "note": " "}, ()),
        ({"question": "a", "prompt": "c", "answer": "b"}, ("prompt",)),
        ({"conversations": [{"from": "human", "value": "a", "at": 3}, *told(("gpt", "b"))]}, ("at (in a turn)",)),
        ({"question": "q", "answers": ["a", "b"]}, ("answers but the first (of answers)",)),
    ],
)
def test_what_has_no_place_is_named(data: Data, lost: tuple[str, ...]) -> None:
    assert converted(data) is not None
    assert Conversion().preview(data).left_out == lost


@pytest.mark.parametrize(
    "data",
    [
        chat(),
        pair(),
        {},
        {"x": 1},
        {"input": {"messages": []}, "preferred_output": []},
        {"messages": 3},
        {"messages": [{"content": "nobody says this"}]},
        {"text": "a text without marks"},
    ],
)
def test_what_is_not_foreign_is_left_alone(data: Data) -> None:
    assert recognise(data) is None
    assert converted(data) is None


@pytest.mark.parametrize(
    "data",
    [
        {"conversations": 3},
        {"conversations": told(("nobody", "x"))},
        {"conversations": told(("function_call", "no json"))},
        {"conversations": [{"from": "human"}]},
        {"messages": "[{'role': 'user', 'content': open('x')}]"},
        {"instruction": "a", "output": ""},
        {"prompt": "a", "completion": "b", "label": False},
        {"question": "a", "answers": {"text": []}},
        {"text": "### Response:\nand then a question\n### Instruction:\nx"},
    ],
)
def test_what_cannot_be_converted_is_not(data: Data) -> None:
    assert recognise(data) is not None
    assert converted(data) is None


names = [
    *ASKED,
    *CONVERSATIONS,
    *SYSTEMS,
    *CONTEXTS,
    "tools",
    "history",
    *(key for one in DIALECTS for key in one.keys),
]
texts = st.text(max_size=5) | st.sampled_from(
    [*ROLES, "[{", "### Input:\n### Answer:\nx", "\n\nHuman: a\n\nAssistant:"]
)
inner_names = st.sampled_from(
    [*SPEAKERS, *SAID, *KEPT, *WEIGHTS, "messages", "name", "text", "type", "score", "response"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(inner_names, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(set(names))), values, max_size=5))
@settings(max_examples=200, deadline=None)
def test_nothing_makes_a_conversion_fail(data: Data) -> None:
    before = json.dumps(data)
    made = converted(data)
    assert made is None or "messages" in made or made["input"]["messages"]
    assert made is None or encode(made)
    assert (Conversion().preview(data).after or None) == (converted(data) or (data if is_native(data) else None))
    assert json.dumps(data) == before


@pytest.mark.parametrize(("name", "method"), [("foreign_dpo10", "dpo"), ("foreign_sharegpt_tools72", "supervised")])
def test_real_foreign_files_become_data_without_errors(name: str, method: str) -> None:
    path = shared_file(f"{name}.jsonl")
    made = [converted(example.data) for example in read(path, path.name).lines]
    assert None not in made
    report = check(read(b"\n".join(encode(data) for data in made), name).lines)
    assert (report.ok, report.method) == (True, method)
