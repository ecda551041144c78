"""The rules of OpenAI's strict mode for JSON schemas, in its own words, and the bounds of any schema.

A schema that is taken here is then taken there. Knows no model: whether an answer can be held to it is seen later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

# OpenAI's own bound on names and values together is 120,000 characters.
MOST_BYTES = 120_000
ADDITIONAL = "'additionalProperties' is required to be supplied and to be false."
REQUIRED = "'required' is required to be supplied and to be an array including every key in properties."


def objection(schema: Mapping[str, Any], *, strict: bool) -> str | None:
    """What speaks against a schema, None when nothing does."""
    size = len(msgspec.json.encode(schema))
    if size > MOST_BYTES:
        return f"the schema has {size} bytes, more than {MOST_BYTES}."
    if not strict:
        return None
    kind = schema.get("type")
    if kind != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{str(kind)[:40]}\"'."
    return next(_objections(schema, ()), None)


def _objections(schema: Any, context: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") is not False:
            yield f"In context={context}, {ADDITIONAL}"
        required = schema.get("required")
        named = required if isinstance(required, list) else []
        for name in properties if isinstance(properties, dict) else ():
            if name not in named:
                yield f"In context={context}, {REQUIRED} Missing '{name[:80]}'."
    for keyword in ("properties", "$defs", "definitions"):
        inner = schema.get(keyword)
        for name, value in inner.items() if isinstance(inner, dict) else ():
            yield from _objections(value, (*context, keyword, name))
    yield from _objections(schema.get("items"), (*context, "items"))
    options = schema.get("anyOf")
    for place, value in enumerate(options if isinstance(options, list) else ()):
        yield from _objections(value, (*context, "anyOf", str(place)))
