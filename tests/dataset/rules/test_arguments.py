from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.rules.arguments import mended, schema_problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': True, 'b': None}", {"a": True, "b": None}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2, ], }', {"a": [1, 2]}),
        ('{"a": {"b": "}"', {"a": {"b": "}"}}),
        ('{"a": "b",', {"a": "b"}),
    ],
)
def test_what_is_nearly_json_is_mended(text: str, value: Any) -> None:
    better = mended(text)
    assert better is not None
    assert json.loads(better) == value


@pytest.mark.parametrize(
    "text", ["", "x", '{"a": "b', "{a: 1}", '{"a": }', "[1, 2", "{1: 2}}", '{"a"] ', "{'a': 1e999}"]
)
def test_what_would_have_to_be_invented_is_not(text: str) -> None:
    assert mended(text) is None


@given(st.text(alphabet="{}[]\",:'a1 \\n", max_size=30))
@settings(max_examples=300, deadline=None)
def test_mending_ends_in_an_object_or_not_at_all(text: str) -> None:
    better = mended(text)
    if better is not None:
        assert isinstance(json.loads(better), dict)


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=6) | st.integers() | st.lists(st.booleans()), max_size=3))
def test_whole_arguments_cut_of_their_brackets_come_back(value: dict[str, Any]) -> None:
    better = mended(json.dumps(value)[:-1])
    assert better is not None
    assert json.loads(better) == value


def declared(**schema: Any) -> dict[str, Any]:
    return {"name": "f", "parameters": {"type": "object", **schema}}


def test_arguments_are_held_to_what_is_declared() -> None:
    properties = {"a": {"type": "string", "enum": ["x", "y"]}, "b": {}}
    told = [
        schema_problem(held, declared(properties=properties, required=["a"]))
        for held in ({"a": "x"}, {}, {"a": "z"}, {"a": "y", "c": 1}, {"a": "x", "b": 3})
    ]
    assert told == [
        None,
        "without “a”, which it requires",
        "with z as “a”, which is none of its values",
        "with “c”, which it does not declare",
        None,
    ]


def test_what_a_declaration_leaves_open_is_no_problem() -> None:
    assert schema_problem({"c": 1}, declared(properties={}, additionalProperties=True)) is None
    assert schema_problem({"c": 1}, declared()) is None
    assert schema_problem({"c": 1}, {"name": "f"}) is None
    assert schema_problem({"c": [1]}, declared(properties={"c": {"enum": 3}}, required="c")) is None
