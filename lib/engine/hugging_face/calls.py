"""Tool calls as models write them in text: between `<tool_call>` marks (Hermes, Qwen), or as bare JSON (Llama).

What cannot be read as a call stays text. It knows texts, no tokens and no template's source beyond which way it uses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from lib.engine.template import CallForm, Reply, ToolCall

Way = Literal["marked", "bare", "none"]

OPENING, CLOSING = "<tool_call>", "</tool_call>"
# Llama 3 may say this before a call; its template writes calls as {"name": …, "parameters": …}.
PYTHON_TAG = "<|python_tag|>"


@dataclass(frozen=True, slots=True)
class Calls:
    """How the answers of one model hold tool calls."""

    way: Way

    @property
    def form(self) -> CallForm | None:
        """How an answer spells a call, so that it can be held to it."""
        if self.way == "marked":
            return CallForm(
                (OPENING, '\n{"name": "'), ('", "arguments": ',), after=(f"}}\n{CLOSING}",), separator=("\n",)
            )
        if self.way == "bare":
            return CallForm(('{"name": "',), ('", "parameters": ',), after=("}",), separator=("; ",), alone=True)
        return None

    def begun(self, text: str) -> bool:
        """Whether a call has begun in the text of an answer so far, or may just be beginning at its end."""
        if self.way == "marked":
            return OPENING in text or any(text.endswith(OPENING[:size]) for size in range(1, len(OPENING)))
        if self.way == "bare":
            said = text.lstrip()
            return said.startswith(("{", PYTHON_TAG)) or PYTHON_TAG.startswith(said)
        return False

    def reply(self, text: str) -> Reply:
        """The words and the calls of a whole answer."""
        if self.way == "marked" and OPENING in text:
            words, *parts = text.split(OPENING)
            calls = [_call(part.split(CLOSING)[0]) for part in parts]
        elif self.way == "bare" and self.begun(text):
            words, calls = "", [_call(part) for part in _values(text.strip().removeprefix(PYTHON_TAG))]
        else:
            return Reply(text, ())
        if not all(calls):
            return Reply(text, ())
        return Reply(words.rstrip(), tuple(call for call in calls if call))


def way_of(source: str) -> Way:
    """How the chat template with this source writes tool calls."""
    if OPENING in source:
        return "marked"
    return "bare" if '"parameters": ' in source and '"name": ' in source else "none"


def _values(text: str) -> list[str]:
    """The parts between semicolons that stand outside of JSON values: an argument may hold one too."""
    parts = []
    while text := text.strip():
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return [text]
        parts.append(text[:end])
        text = text[end:].lstrip().removeprefix(";")
    return parts


def _call(text: str) -> ToolCall | None:
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        return None
    arguments = said.get("arguments", said.get("parameters", {}))
    told = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(said["name"], told)
