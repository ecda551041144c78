"""Objects are closed where that leaves the answers that were asked for, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from lib.engine.answer.closing import closed

TEXT = {"type": "string"}
TEAM: dict[str, Any] = {"type": "object", "properties": {"team": TEXT}, "required": ["team"]}
CLOSED = TEAM | {"additionalProperties": False}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (TEAM, CLOSED),
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {}, "additionalProperties": False}),
        ({"type": "array", "items": TEAM}, {"type": "array", "items": CLOSED}),
        (
            # Members may be called what a schema calls its parts.
            {"properties": {"properties": TEAM, "allOf": TEXT, "enum": TEXT}},
            {"properties": {"properties": CLOSED, "allOf": TEXT, "enum": TEXT}, "additionalProperties": False},
        ),
        ({"anyOf": [TEAM, TEXT]}, {"anyOf": [CLOSED, TEXT]}),
        (
            {"type": "object", "properties": {"one": {"$ref": "#/$defs/team"}}, "$defs": {"team": TEAM}},
            {
                "type": "object",
                "properties": {"one": {"$ref": "#/$defs/team"}},
                "$defs": {"team": CLOSED},
                "additionalProperties": False,
            },
        ),
    ],
)
def test_objects_that_name_their_members_have_no_others(given: dict[str, Any], made: dict[str, Any]) -> None:
    before = repr(given)
    assert closed(given) == made
    assert repr(given) == before


@pytest.mark.parametrize(
    "given",
    [
        {"type": "object"},
        CLOSED,
        TEAM | {"additionalProperties": True},
        TEAM | {"additionalProperties": TEXT},
        TEAM | {"patternProperties": {"^x": TEXT}},
        TEAM | {"minProperties": 3},
        TEAM | {"required": ["team", "town"]},
        {"allOf": [TEAM, {"type": "object", "properties": {"town": TEXT}}]},
        TEAM | {"anyOf": [{"required": ["town"]}, {"required": ["team"]}]},
        {"const": {"properties": {}}},
        {"enum": [{"properties": {}}], "default": TEAM},
    ],
)
def test_what_says_otherwise_or_must_hold_together_stays(given: dict[str, Any]) -> None:
    assert closed(given) == given


def test_a_schema_that_is_too_deep_stays() -> None:
    deep: dict[str, Any] = TEAM
    for _ in range(5000):
        deep = {"type": "array", "items": deep}
    assert closed(deep)["items"] is deep["items"]
