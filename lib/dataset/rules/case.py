"""What a rule looks at: one example with its place in the file, and how a rule reports.

Knows the shape of an example and the wording common to all findings; knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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
    ) -> Finding:
        """A finding about this example; `text` continues its name, or that of the message with this index."""
        place = self.name if message is None else f"{self.name}, message {message + 1}"
        return Finding(severity, code, self.number, message, f"{place} {text}", why, fix)


Rule = Callable[[Case], Iterator[Finding]]

# Whether a rule could find anything in these texts, told fast from all texts of an example joined.
Hint = Callable[[str], bool]


def _answers(data: dict[str, Any]) -> list[Any]:
    lists = (data.get(name) for name in PREFERRED + NON_PREFERRED)
    return [entry for held in lists if isinstance(held, list) for entry in held]


def _texts(entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return []
    content, calls = entry.get("content"), entry.get("tool_calls")
    texts = [content if isinstance(content, str) else content_text(content)]
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            texts.append(function["arguments"])
    return texts


def shown(value: Any, most: int = 60) -> str:
    """A value as it may stand in a sentence: one line, of bounded length."""
    text = value if isinstance(value, str) else repr(value)
    flat = " ".join(text[: most * 4].split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
