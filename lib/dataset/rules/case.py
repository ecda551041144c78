"""What a rule looks at: one example with its place in the file, and how a rule reports.

Knows the shape of an example and the wording common to all findings; knows no rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from lib.dataset.example import NON_PREFERRED, PREFERRED, Method, content_text, raw_messages
from lib.dataset.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Case:
    """One example under examination. `method` is the method of the file, `number` the line, `position` from 0.

    `texts` are all texts that a model would read, each with the index of its message, None in the answers of a pair.
    """

    data: dict[str, Any]
    method: Method
    position: int
    number: int
    texts: tuple[tuple[int | None, str], ...]

    @classmethod
    def of(cls, data: dict[str, Any], method: Method, position: int, number: int) -> Case:
        """The case of one example."""
        held: list[tuple[int | None, str]]
        held = [(index, text) for index, entry in enumerate(raw_messages(data)) for text in _texts(entry)]
        if method == "dpo":
            held += [(None, text) for entry in _answers(data) for text in _texts(entry)]
        return cls(data, method, position, number, tuple(held))

    @property
    def messages(self) -> list[Any]:
        """The raw messages; those of the input for a preference pair."""
        return raw_messages(self.data)

    @property
    def name(self) -> str:
        """What the services call it: "Example 7", counted from 1."""
        return f"Example {self.position + 1}"

    def finding(
        self,
        severity: Severity,
        code: str,
        text: str,
        why: str,
        *,
        message: int | None = None,
        fix: str | None = None,
        detail: tuple[str, ...] = (),
    ) -> Finding:
        """A finding about this example; `text` continues its name, or that of the message with this index."""
        place = self.name if message is None else f"{self.name}, message {message + 1}"
        return Finding(severity, code, self.number, message, f"{place} {text}", why, fix, detail)


Rule = Callable[[Case], Iterator[Finding]]

# What a text that may hold a number worth finding looks like. The patterns say what is meant; the survey finds them in
# a whole block of texts at once (lib/dataset/survey/scan.py).
Shape = Literal["eight_digits", "iban", "plus_digit", "local_phone", "social_security"]
SHAPES: dict[Shape, re.Pattern[str]] = {
    "eight_digits": re.compile(r"[0-9]{4}[ -]?[0-9]{4}"),
    "iban": re.compile(r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}"),
    "plus_digit": re.compile(r"\+\(?[0-9]"),
    "local_phone": re.compile(r"[0-9]{3}[-. ][0-9]{4}"),
    "social_security": re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
}


@dataclass(frozen=True, slots=True)
class TextRule:
    """A rule about texts that finds nothing where none of its `words` stands and none of its `shapes` occurs.

    That promise is what lets a survey pass over most texts without looking; a test holds every rule to it.
    """

    rule: Rule
    words: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()

    def may_find(self, text: str) -> bool:
        """Whether the rule could find anything in this text."""
        return any(word in text for word in self.words) or any(SHAPES[shape].search(text) for shape in self.shapes)


def _answers(data: dict[str, Any]) -> list[Any]:
    lists = (data.get(name) for name in PREFERRED + NON_PREFERRED)
    return [entry for held in lists if isinstance(held, list) for entry in held]


def _texts(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return []
    content, calls = entry.get("content"), entry.get("tool_calls")
    texts = [content if isinstance(content, str) else content_text(content)]
    functions = [call.get("function") for call in (calls if isinstance(calls, list) else ()) if isinstance(call, dict)]
    for function in (*functions, entry.get("function_call")):
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            texts.append(function["arguments"])
    return texts


def shown(value: Any, most: int = 60) -> str:
    """A value as it may stand in a sentence: one line, of bounded length."""
    text = value if isinstance(value, str) else repr(value)
    flat = " ".join(text[: most * 4].split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
