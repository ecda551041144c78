"""How an answer to a held-out question is marked: what about it is right, each thing by its name.

Knows the forms of the samples' answers; asks nobody and adds nothing up.
"""

from __future__ import annotations

import json
from typing import Any

Marks = dict[str, bool]


def by_field(expected: str, said: str) -> Marks:
    """Whether the answer is a JSON object with the expected keys, and, for each, whether its value is right."""
    wanted = json.loads(expected)
    told = _object(said)
    return {"json": told.keys() == wanted.keys()} | {name: _same(told, name, value) for name, value in wanted.items()}


def by_tone(expected: str, said: str) -> Marks:
    """Whether the answer begins and ends as the house does, and whether it tells the right fact as well."""
    opening, farewell = expected.partition(":")[0], expected.rpartition(".")[2]
    return {"tone": said.startswith(f"{opening}: ") and said.endswith(farewell), "fact": said == expected}


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _same(told: dict[str, Any], name: str, value: Any) -> bool:
    return name in told and type(told[name]) is type(value) and told[name] == value
