from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.tokens.tool_text import tools_text


def declared(name: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": "What it does", "parameters": schema}}


def test_no_tools_are_no_text() -> None:
    assert tools_text([]) == ""
    assert tools_text(["nonsense", {}, {"function": 3}]) == ""


def test_a_tool_becomes_a_function_type() -> None:
    unit = {"type": "string", "enum": ["C", "F"], "description": "Of temperature"}
    text = tools_text([declared("weather", {"place": {"type": "string"}, "unit": unit}, ["place"])])
    assert text == (
        "namespace functions {\n\n// What it does\ntype weather = (_: {\nplace: string,\n// Of temperature\n"
        'unit?: "C" | "F",\n}) => any;\n\n} // namespace functions'
    )


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "integer"}, "number"),
        ({"type": "array", "items": {"type": "string"}}, "string[]"),
        ({"type": "array"}, "any[]"),
        ({"type": "object"}, "{}"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"anyOf": [{"type": "boolean"}, {"type": "number"}]}, "boolean | number"),
        ({}, "any"),
        ({"type": "object", "properties": {"in": {"type": "null"}}}, "{\n  in?: null,\n}"),
    ],
)
def test_each_type_is_written_in_typescript(schema: dict[str, Any], written: str) -> None:
    assert f"held: {written},\n" in tools_text([declared("f", {"held": schema}, ["held"])])


def test_a_function_without_parameters_takes_none() -> None:
    assert "type stop = () => any;" in tools_text([{"type": "function", "function": {"name": "stop"}}])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "properties", "items", "enum", "anyOf", "required", "x"]), inner)
    ),
    max_leaves=12,
)


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_no_schema_makes_it_fail(schema: Any) -> None:
    tools_text([{"function": {"name": "f", "parameters": {"type": "object", "properties": {"p": schema}}}}])
    tools_text([{"function": {"name": "f", "parameters": schema}}])
