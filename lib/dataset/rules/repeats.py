"""What stands in a file more than once: equal examples, equal prompts, prompts on both sides of the split.

Keeps two numbers for each example seen. Near duplicates are not looked for here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.prompt import prompt_of, whole
from lib.dataset.rules.case import Case

# Where an example is: its position and its line. An array may hold all of its examples on one line.
Place = tuple[int, int]


class Repeats:
    """Sees the examples of a file in their order and tells which came before. `validation` holds positions."""

    def __init__(self, validation: Collection[int] = ()) -> None:
        self._validation = validation
        self._examples: dict[int, Place] = {}
        self._prompts: dict[int, Place] = {}
        self._told: set[int] = set()

    def see(self, case: Case) -> Iterator[Finding]:
        """Findings about this example against all seen before."""
        example = hash(_identity(case.data))
        here = (case.position, case.number)
        first = self._examples.setdefault(example, here)
        prompt = prompt_of(case.data)
        if first != here:
            yield case.finding(
                "warning",
                "duplicate",
                f"is the same as {_told(first, case)}.",
                "It is paid for twice, and the model learns it twice as hard.",
                fix="remove_example",
            )
        if prompt:
            yield from self._compare(case, hash(prompt), first != here)

    def _compare(self, case: Case, prompt: int, duplicate: bool) -> Iterator[Finding]:
        here = (case.position, case.number)
        first = self._prompts.setdefault(prompt, here)
        if first == here:
            return
        if (case.position in self._validation) != (first[0] in self._validation):
            yield case.finding(
                "warning",
                "leak",
                f"asks the same as {_told(first, case)}, which is on the other side of the split.",
                "The model is tested on what it was trained on, so validation looks better than it is.",
            )
        elif not duplicate and prompt not in self._told:
            # Once for each prompt: where one prompt has many answers, that is the plan of the data.
            self._told.add(prompt)
            yield case.finding(
                "info",
                "same_prompt",
                f"asks the same as {_told(first, case)} and answers differently.",
                "Good where several answers are right; confusing where one of them is wrong.",
            )


def _told(first: Place, case: Case) -> str:
    """An earlier example as a sentence names it: by its line, unless both are on the same."""
    position, number = first
    return f"the one on line {number}" if number != case.number else f"example {position + 1} on the same line"


def _identity(data: dict[str, Any]) -> Any:
    """A value that is equal for equal examples; cheap for conversations of plain texts."""
    messages = data.get("messages")
    if len(data) == 1 and isinstance(messages, list):
        pairs = tuple((m["role"], m["content"]) for m in messages if isinstance(m, dict) and m.keys() == PLAIN_KEYS)
        if len(pairs) == len(messages) and all(isinstance(text, str) for pair in pairs for text in pair):
            return pairs
    return whole(data)


PLAIN_KEYS = {"role", "content"}
