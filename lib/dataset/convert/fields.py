"""An example on its way to another form: what is taken from it, and by that, what has no place.

Knows no dialect. Names are compared as lib.dataset.convert.names does.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lib.dataset.convert.names import plain

Data = dict[str, Any]

# Python's own reader of Python's notation takes much memory for what is long or deep.
LONGEST_NOTATION = 4 << 20
MOST_BRACKETS = 1000
NESTED = re.compile(r"""\s*(?:\[\s*[\[{"']|\{\s*["'}])""")


class Unfit(Exception):
    """Why an example cannot be converted, as the end of a sentence about it: "has no answer"."""


class Fields:
    """The fields of an example. Whoever takes one has a place for it; what nobody takes is left out, and named."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._keys: dict[str, str] = {}
        for key in data:
            self._keys.setdefault(plain(key), key)
        self._taken: set[str] = set()
        self._inner: dict[str, None] = {}

    def has(self, name: str) -> bool:
        """Whether there is a field of this name."""
        return name in self._keys

    def look(self, name: str) -> Any:
        """The value of a field without taking it; None without one."""
        return self._data[self._keys[name]] if name in self._keys else None

    def has_only(self, names: Iterable[str]) -> bool:
        """Whether there is no field but those of these names."""
        return self._keys.keys() <= set(names)

    def take_all(self, names: Iterable[str]) -> Data:
        """The values of all these fields as they are, None for those that are not there."""
        names = tuple(names)
        self._taken.update(self._keys[name] for name in names if self.has(name))
        return {name: self.look(name) for name in names}

    def take(self, *names: str) -> Any:
        """The value of the first of these fields that holds something; None when none does."""
        for name in names:
            if not is_empty(value := self.look(name)):
                self._taken.add(self._keys[name])
                return value
        return None

    def cell(self, column: str) -> Any:
        """Take the value of the field with exactly this key; None when it holds nothing."""
        self._taken.add(column)
        value = self._data.get(column)
        return None if is_empty(value) else value

    def must(self, *names: str) -> Any:
        """The value of the first of these fields that holds something. Raises Unfit when none does."""
        value = self.take(*names)
        if value is None:
            there = next((self._keys[name] for name in names if self.has(name)), None)
            raise Unfit(f"has nothing in “{there}”" if there is not None else f"has no “{names[0]}”")
        return value

    def leave_out(self, keys: Iterable[str], where: str) -> None:
        """Keys inside a value that was taken, which have no place."""
        self._inner.update(dict.fromkeys(f"{key} ({where})" for key in keys))

    def left_out(self) -> tuple[str, ...]:
        """What has no place: fields that hold something and nobody took, and keys inside those taken."""
        lost = (key for key, value in self._data.items() if key not in self._taken and not is_empty(value))
        return (*lost, *self._inner)


def is_empty(value: Any) -> bool:
    """Whether a field holds nothing: null, a blank text, an empty list or object."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def text_of(value: Any) -> str:
    """A value as text: parts joined, everything else that is no text as JSON."""
    if isinstance(value, list) and value and all(_is_text_part(part) for part in value):
        return "".join(str(part.get("text", part.get("value", ""))) for part in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def content_of(value: Any) -> Any:
    """A value as the content of a message: text, or parts when one of them is no text, such as an image."""
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(part, dict) and "type" in part for part in value):
        return text_of(value) if all(_is_text_part(part) for part in value) else value
    return text_of(value)


def nested(value: Any, name: str) -> Any:
    """A list or an object that a cell may hold as text: as JSON, or in Python's notation, as pandas writes it.

    Raises Unfit when the text is neither.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        pass
    if len(value) <= LONGEST_NOTATION and value.count("[") + value.count("{") + value.count("(") <= MOST_BRACKETS:
        try:
            read = ast.literal_eval(value.strip())
            json.dumps(read)
            return read
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
    raise Unfit(f"has a text in “{name}” that is neither a list nor JSON: “{' '.join(value[:40].split())}”")


def looks_nested(value: Any) -> bool:
    """Whether a cell's text begins as a list or an object does in JSON or Python."""
    return isinstance(value, str) and NESTED.match(value) is not None


def _is_text_part(part: Any) -> bool:
    return (
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text", part.get("value")), str)
    )
