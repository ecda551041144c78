"""The arguments of a call: a JSON object written as a text. Read, mended where that is possible, held to a schema.

Mends only where nothing has to be invented: Python's way of writing, a comma too many, brackets left open at the end.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from lib.dataset.parse import Unparsable, parse
from lib.dataset.rules.case import shown

# Longer texts are not mended: Python's own reader takes memory many times their size.
LONGEST_MENDED = 100_000
CLOSING = {"{": "}", "[": "]"}


def read(arguments: str) -> Any:
    """The value of these arguments. Raises Unparsable."""
    return parse(arguments.encode("utf-8", errors="replace"))


def mended(arguments: str) -> str | None:
    """The arguments as JSON; None when it cannot be told what was meant."""
    if len(arguments) > LONGEST_MENDED:
        return None
    for attempt in (_from_python(arguments), _closed(arguments)):
        if attempt is None:
            continue
        try:
            if isinstance(read(attempt), dict):
                return attempt
        except Unparsable:
            continue
    return None


def schema_problem(arguments: Mapping[str, Any], function: Mapping[str, Any]) -> str | None:
    """How arguments differ from what their function declares: one missing, one too many, a value not in a list."""
    schema = function.get("parameters")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(schema, dict) or not isinstance(properties, dict):
        return None
    required = schema.get("required")
    for key in required if isinstance(required, list) else ():
        if isinstance(key, str) and key not in arguments:
            return f"without “{shown(key)}”, which it requires"
    for key, value in arguments.items():
        held = properties.get(key)
        if key not in properties and not schema.get("additionalProperties") and "patternProperties" not in schema:
            return f"with “{shown(key)}”, which it does not declare"
        allowed = held.get("enum") if isinstance(held, dict) else None
        if isinstance(allowed, list) and value not in allowed:
            return f"with {shown(value)} as “{shown(key)}”, which is none of its values"
    return None


def _from_python(text: str) -> str | None:
    """A dictionary as Python prints it, as JSON."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text.strip())
        return json.dumps(value, ensure_ascii=False, allow_nan=False) if isinstance(value, dict) else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _closed(text: str) -> str | None:
    """The text without commas before a closing bracket, and with the brackets closed that stand open at its end."""
    kept: list[str] = []
    open_brackets: list[str] = []
    for sign, inside in _signs(text):
        if not inside and sign in CLOSING:
            open_brackets.append(sign)
        elif not inside and sign in "]}":
            if not open_brackets or CLOSING[open_brackets.pop()] != sign:
                return None
            _drop_comma(kept)
        kept.append(sign)
    if inside_text(text):
        return None
    if open_brackets:
        _drop_comma(kept)
    return "".join(kept) + "".join(CLOSING[sign] for sign in reversed(open_brackets))


def inside_text(text: str) -> bool:
    """Whether JSON breaks off inside a quoted text."""
    inside = False
    for sign, within in _signs(text):
        inside = not within if sign == '"' else within
    return inside


def _signs(text: str) -> Iterator[tuple[str, bool]]:
    """Every character, and whether it stands inside a quoted text; the quotes themselves: whether they close one."""
    inside = escaped = False
    for sign in text:
        if sign == '"' and not escaped:
            yield sign, inside
            inside = not inside
        else:
            yield sign, inside
        escaped = inside and sign == "\\" and not escaped


def _drop_comma(kept: list[str]) -> None:
    """Take a comma at the end out, and the blanks after it."""
    end = len(kept)
    while end and kept[end - 1].isspace():
        end -= 1
    if end and kept[end - 1] == ",":
        del kept[end - 1 :]
