"""Schemas that name the members of an object and leave open whether it has others: here it has none.

What is answered then fits the schema all the same. A small model that may go on after the members that were asked for
does so, often until it has no room left. Knows schemas, no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Beside one of these, or under it, other members may be what makes an object fit.
TOGETHER = frozenset(
    {"allOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "unevaluatedProperties"}
    | {"$dynamicRef", "$recursiveRef"}
)
OPEN = TOGETHER | {"additionalProperties", "patternProperties", "propertyNames", "minProperties"}
# Where schemas stand in a schema: by name, and by themselves or in a list.
MAPS = ("properties", "patternProperties", "$defs", "definitions")
PARTS = ("items", "prefixItems", "additionalProperties", "anyOf", "oneOf")
CHOICES = frozenset({"anyOf", "oneOf", "$ref"})


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its open objects closed; as it is when parts of it must hold together, or it is too deep."""
    try:
        return dict(schema) if _holds_together(schema) else _closed(schema)
    except RecursionError:
        return dict(schema)


def _holds_together(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_holds_together, schema))
    if not isinstance(schema, Mapping):
        return False
    if not TOGETHER.isdisjoint(schema) or ("properties" in schema and not CHOICES.isdisjoint(schema)):
        return True
    named = (each for key in MAPS if isinstance(schema.get(key), Mapping) for each in schema[key].values())
    return any(map(_holds_together, (*named, *(schema.get(key) for key in PARTS))))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    inner = dict(schema)
    for key in MAPS:
        if isinstance(schema.get(key), Mapping):
            inner[key] = {name: _closed(each) for name, each in schema[key].items()}
    inner |= {key: _closed(schema[key]) for key in PARTS if key in schema}
    if _is_open(schema):
        inner["additionalProperties"] = False
    return inner


def _is_open(schema: Mapping[str, Any]) -> bool:
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, Mapping) or not isinstance(required, list) or not OPEN.isdisjoint(schema):
        return False
    return all(isinstance(name, str) and name in properties for name in required)
