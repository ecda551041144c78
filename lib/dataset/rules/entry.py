"""One message under examination: of the conversation, or one of the two answers of a preference pair.

Knows where it stands and how a finding names that place; knows no rule.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.dataset.example import NON_PREFERRED, PREFERRED
from lib.dataset.finding import Finding, Severity
from lib.dataset.rules.case import Case


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that is an object. `index` is its place in the list; in an answer it is None, and `answer` its key."""

    case: Case
    index: int | None
    answer: str
    data: dict[str, Any]

    @property
    def role(self) -> str:
        """The role, "" when it is no text."""
        role = self.data.get("role")
        return role if isinstance(role, str) else ""

    def finding(
        self,
        severity: Severity,
        code: str,
        text: str,
        why: str,
        *,
        fix: str | None = None,
        detail: tuple[str, ...] = (),
    ) -> Finding:
        """A finding about this message; `text` continues the name of its place."""
        found = self.case.finding(severity, code, text, why, message=self.index, fix=fix, detail=detail)
        if not self.answer:
            return found
        return dataclasses.replace(found, text=f"{self.case.name}, {self.answer} {text}")


EntryRule = Callable[[Entry], Iterator[Finding]]


def entries(case: Case) -> Iterator[Entry]:
    """Every message of the example that is an object, then those of a pair's answers."""
    for index, data in enumerate(case.messages):
        if isinstance(data, dict):
            yield Entry(case, index, "", data)
    yield from answers(case)


def answers(case: Case) -> Iterator[Entry]:
    """The messages of the two answers of a preference pair."""
    if case.method != "dpo":
        return
    for name in PREFERRED + NON_PREFERRED:
        held = case.data.get(name)
        for data in held if isinstance(held, list) else ():
            if isinstance(data, dict):
                yield Entry(case, None, name, data)


def parts_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message whose content is a list; parts that are no objects are left out."""
    content = data.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
