"""What the answers of a file have in common, and which of them step out of line.

Where nearly all answers are JSON, one that is not is a slip; where they carry labels, a label that occurs once is often
a misspelling of another. Keeps one counter for each field, and gives a field up when its values are no labels.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lib.dataset.finding import KEPT_PER_CODE, Finding
from lib.dataset.parse import Unparsable, parse
from lib.dataset.rules.case import Case, shown

# Below so many answers nothing is common enough to be stepped out of.
ENOUGH_ANSWERS = 20
NEARLY_ALL = 0.8

# Values are labels when there are few of them and most come back: at most so many, each on average so often.
MOST_LABELS = 60
LABEL_OCCURS = 5
LONGEST_LABEL = 60
MOST_FIELDS = 50
PLAIN_ANSWER = ""


@dataclass(slots=True)
class Values:
    """How often each value of a field occurs, and in which case first."""

    counted: Counter[str] = field(default_factory=Counter)
    first: dict[str, Case] = field(default_factory=dict)


class Answers:
    """Sees the examples of a file in their order and tells at the end which answers are unlike the others."""

    def __init__(self) -> None:
        self._total = 0
        self._json = 0
        self._not_json: list[Case] = []
        self._fields: dict[str, Values | None] = {}

    def see(self, case: Case) -> None:
        """Take one example into account."""
        answer = _last_answer(case)
        if answer is None:
            return
        self._total += 1
        held = _object(answer)
        if held is not None:
            self._json += 1
            for name, value in held.items():
                if isinstance(value, str):
                    self._count(name, value, case)
            return
        if len(self._not_json) < KEPT_PER_CODE:
            self._not_json.append(case)
        self._count(PLAIN_ANSWER, answer, case)

    def end(self) -> Iterator[Finding]:
        """Findings about the answers that are unlike the others."""
        if self._total < ENOUGH_ANSWERS:
            return
        if NEARLY_ALL * self._total <= self._json < self._total:
            for case in self._not_json:
                why = (
                    f"{self._json:,} of {self._total:,} answers are JSON objects. A program that reads them fails here."
                )
                text = "answers with something else than a JSON object."
                yield case.finding("warning", "answer_not_json", text, why, message=len(case.messages) - 1)
        for name, values in self._fields.items():
            if values is not None:
                yield from _rare(name, values)

    def _count(self, name: str, value: str, case: Case) -> None:
        if name not in self._fields and len(self._fields) == MOST_FIELDS:
            return
        values = self._fields.setdefault(name, Values())
        if values is None:
            return
        values.counted[value] += 1
        values.first.setdefault(value, case)
        if len(value) > LONGEST_LABEL or len(values.counted) > MOST_LABELS:
            self._fields[name] = None


def _rare(name: str, values: Values) -> Iterator[Finding]:
    """Labels that occur once, where labels occur many times."""
    total, counted = values.counted.total(), values.counted
    if total < ENOUGH_ANSWERS or total < LABEL_OCCURS * len(counted):
        return
    common = [label for label, times in counted.items() if times >= LABEL_OCCURS]
    for label, times in counted.items():
        if times > 1 or not common:
            continue
        case = values.first[label]
        near = difflib.get_close_matches(label.strip().lower(), [one.lower() for one in common], n=1, cutoff=0.75)
        where = f"“{shown(name)}”" if name else "the answer"
        meant = next((f" Is “{one}” meant?" for one in common if near and one.lower() == near[0]), "")
        yield case.finding(
            "warning" if near else "info",
            "rare_label",
            f"has a label in {where} that no other example has: “{shown(label)}”.{meant}",
            "From one example a model learns no label; a spelling of its own makes it a label of its own.",
            message=len(case.messages) - 1,
        )


def _last_answer(case: Case) -> str | None:
    messages = case.messages
    last = messages[-1] if messages else None
    content = last.get("content") if isinstance(last, dict) and last.get("role") == "assistant" else None
    return content if isinstance(content, str) and content else None


def _object(answer: str) -> dict[str, object] | None:
    if not answer.lstrip().startswith("{"):
        return None
    try:
        held = parse(answer.encode("utf-8", errors="replace"))
    except Unparsable:
        return None
    return held if isinstance(held, dict) else None
