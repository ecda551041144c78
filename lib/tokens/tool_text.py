"""The text that a list of tools becomes before a model reads it: a namespace of TypeScript functions.

Services do not publish it; this is the form that agrees with what is known of their counts (see billing.py). Knows no
encoding and no price.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

INDENT = 2
DEEPEST = 20


def tools_text(tools: Sequence[Any]) -> str:
    """The text of these declarations, each `{"type": "function", "function": {…}}` or a bare function; "" for none."""
    functions = [function for tool in tools if (function := _function(tool)) is not None]
    if not functions:
        return ""
    lines = ["namespace functions {", ""]
    for function in functions:
        lines.extend(_declaration(function))
    lines.append("} // namespace functions")
    return "\n".join(lines)


def _function(tool: Any) -> Mapping[str, Any] | None:
    held = tool.get("function", tool) if isinstance(tool, dict) else None
    return held if isinstance(held, dict) and isinstance(held.get("name"), str) else None


def _declaration(function: Mapping[str, Any]) -> Iterator[str]:
    yield from _described(function, 0)
    parameters = function.get("parameters")
    if isinstance(parameters, dict) and _properties(parameters):
        yield f"type {function['name']} = (_: {{"
        yield from _fields(parameters, 0)
        yield "}) => any;"
    else:
        yield f"type {function['name']} = () => any;"
    yield ""


def _fields(schema: Mapping[str, Any], depth: int) -> Iterator[str]:
    required = schema.get("required")
    margin = " " * (INDENT * depth)
    for name, held in _properties(schema).items():
        field = held if isinstance(held, dict) else {}
        yield from _described(field, depth)
        mark = "" if isinstance(required, list) and name in required else "?"
        yield f"{margin}{name}{mark}: {_type(field, depth)},"


def _described(held: Mapping[str, Any], depth: int) -> Iterator[str]:
    description = held.get("description")
    if isinstance(description, str) and description:
        margin = " " * (INDENT * depth)
        yield from (f"{margin}// {line}" for line in description.split("\n"))


def _type(schema: Mapping[str, Any], depth: int) -> str:
    if depth > DEEPEST:
        return "any"
    if isinstance(schema.get("enum"), list):
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if isinstance(schema.get("anyOf"), list):
        return " | ".join(_type(choice, depth) for choice in schema["anyOf"] if isinstance(choice, dict))
    named = schema.get("type")
    if isinstance(named, list):
        return " | ".join(_type({**schema, "type": choice}, depth) for choice in named)
    if named == "array":
        items = schema.get("items")
        return f"{_type(items, depth)}[]" if isinstance(items, dict) and items else "any[]"
    if named == "object":
        return _object_type(schema, depth)
    return {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}.get(
        str(named), "any"
    )


def _object_type(schema: Mapping[str, Any], depth: int) -> str:
    if not _properties(schema):
        return "{}"
    return "\n".join(["{", *_fields(schema, depth + 1), " " * (INDENT * depth) + "}"])


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    held = schema.get("properties")
    return held if isinstance(held, dict) else {}
