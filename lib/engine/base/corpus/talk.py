"""The shape of a made conversation, and the wordings that all tasks share: instructions, mail-like texts, JSON.

Knows no particular task.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib.engine.base.corpus.phrases import Chance, mistyped

Conversation = dict[str, Any]


def conversation(system: str, *turns: str) -> Conversation:
    """An example with a system text (left out when empty) and turns that alternate between user and assistant."""
    said = [{"role": ("user", "assistant")[number % 2], "content": turn} for number, turn in enumerate(turns)]
    return {"messages": [{"role": "system", "content": system}, *said] if system else said}


def asked(chance: Chance, task: str, text: str, answer: str) -> Conversation:
    """One task and one text: the task stands in the system message, or before or after the text."""
    place = chance.random.random()
    if place < 0.6:
        return conversation(task, text, answer)
    if place < 0.8:
        return conversation("", f"{task}\n{text}", answer)
    if place < 0.9:
        return conversation("", f"{text}\n\n{task}", answer)
    return conversation(chance.pick(ASSISTANTS), f"{task}\n\n{text}", answer)


ASSISTANTS = (
    "You are a helpful assistant.",
    "You help people with short answers.",
    "Be brief and exact.",
    "Answer in the form that is asked for.",
    "You work for a small firm and answer its mail.",
    "You are careful and friendly.",
)


def letter(chance: Chance, *sentences: str) -> str:
    """The sentences as people write them: now and then with a greeting, other remarks, a name below, and slips."""
    parts = list(sentences)
    for _ in range(chance.pick((0, 0, 0, 1, 1, 2))):
        parts.insert(chance.number(0, len(parts)), chance.fill("{filler}"))
    text = " ".join(parts)
    if chance.often(0.35):
        text = chance.fill("{greeting}") + chance.pick((", ", "! ", ",\n", ". ", " ")) + text
    if chance.often(0.3):
        text += chance.pick((" ", "\n")) + chance.fill("{closing}")
        text += chance.fill(chance.pick(("", ", {first}", "\n{first} {last}", " {first}")))
    if chance.often(0.15):
        text = (
            chance.pick(("Subject: ", ""))
            + chance.fill("[Question|Hello|My order|Problem|Help|Request] {code}\n")
            + text
        )
    return mistyped(text, chance) if chance.often(0.25) else text


def as_json(data: Mapping[str, Any]) -> str:
    """The one way in which JSON is written in all made text."""
    return json.dumps(data, ensure_ascii=False)
