"""JSON that a person types: whether it can be read so far, and if not, where it cannot and why.

Knows nothing of examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.dataset.parse import Unparsable, parse
from lib.errors import DataError


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a text is not what it should be. `line` and `column` count from 1, the column in characters."""

    line: int
    column: int
    sentence: str
    hint: str

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.sentence}."


def read_object(text: str) -> dict[str, Any] | Mistake:
    """The JSON object that a text is, or the first mistake in it. For arguments of a tool, and for whole examples."""
    value = _read(text)
    if isinstance(value, Mistake | dict):
        return value
    return _other(text, "it is JSON but no object", 'Write the values with their names, as in {"city": "Paris"}.')


def read_list(text: str) -> list[Any] | Mistake:
    """The JSON list that a text is, or the first mistake in it. For the declaration of tools."""
    value = _read(text)
    if isinstance(value, Mistake | list):
        return value
    return _other(text, "it is JSON but no list", "Put square brackets around it.")


def read_value(text: str) -> Any:
    """Any JSON value that a text is. Raises DataError with line and column when it is none."""
    value = _read(text)
    if isinstance(value, Mistake):
        raise refused(value)
    return value


def refused(mistake: Mistake) -> DataError:
    """The mistake as an error, for text that was to be saved."""
    return DataError(f"Line {mistake.line}, column {mistake.column} cannot be read: {mistake.sentence}.", mistake.hint)


def _read(text: str) -> Any:
    try:
        return parse(text.encode("utf-8", errors="replace"))
    except Unparsable as problem:
        return Mistake(problem.line + 1, problem.column, problem.sentence, problem.hint)


def _other(text: str, sentence: str, hint: str) -> Mistake:
    before = text[: len(text) - len(text.lstrip())]
    return Mistake(before.count("\n") + 1, len(before) - before.rfind("\n"), sentence, hint)
