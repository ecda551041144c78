"""What an example is: a frozen view over one JSON object of a fine-tuning file, from which nothing is dropped.

Knows the shapes of the three methods and of legacy prompt/completion lines. Knows no rule about what is allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib.errors import DataError

Method = Literal["supervised", "dpo", "reinforcement"]
METHODS: tuple[Method, ...] = ("supervised", "dpo", "reinforcement")

# The guides call the two sides of a preference pair *_output; OpenAI's specification of 2025-04 *_completion.
PREFERRED = ("preferred_output", "preferred_completion")
NON_PREFERRED = ("non_preferred_output", "non_preferred_completion")

# All top-level keys that a supervised example may have. Whatever else stands there is a field of a grader, or a slip.
SUPERVISED_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "functions"})

HALF_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `content` is the raw JSON value: a text, a list of parts, or None."""

    role: str
    content: Any
    name: str | None = None
    tool_calls: tuple[Any, ...] = ()
    tool_call_id: str | None = None
    weight: Any = None

    @property
    def text(self) -> str:
        """The content as text: the text parts joined, images and other parts left out."""
        return content_text(self.content)


@dataclass(frozen=True, slots=True)
class Example:
    """One example: `data` is the whole JSON object as it stands in the file."""

    data: dict[str, Any]

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages in order; those of the input for a preference pair. What is not an object is left out."""
        return tuple(message(entry) for entry in raw_messages(self.data) if isinstance(entry, dict))

    @property
    def preferred(self) -> tuple[Message, ...]:
        """The preferred answer of a preference pair; empty otherwise."""
        return self._answer(PREFERRED)

    @property
    def non_preferred(self) -> tuple[Message, ...]:
        """The other answer of a preference pair; empty otherwise."""
        return self._answer(NON_PREFERRED)

    @property
    def tools(self) -> tuple[Any, ...]:
        """The declared tools as raw JSON values."""
        holder = self.data.get("input") if self.method == "dpo" else self.data
        tools = holder.get("tools") if isinstance(holder, dict) else None
        return tuple(tools) if isinstance(tools, list) else ()

    @property
    def method(self) -> Method:
        """The method this example has the shape of. One without any known shape counts as supervised."""
        return method_of(self.data)

    def _answer(self, names: tuple[str, ...]) -> tuple[Message, ...]:
        entries = next((self.data[name] for name in names if name in self.data), None)
        return (
            tuple(message(entry) for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
        )


def message(entry: Mapping[str, Any]) -> Message:
    """One raw message as a Message. Values of a wrong type become the nearest harmless one."""
    role, name, call_id = entry.get("role"), entry.get("name"), entry.get("tool_call_id")
    calls = entry.get("tool_calls")
    return Message(
        role=role if isinstance(role, str) else "",
        content=entry.get("content"),
        name=name if isinstance(name, str) else None,
        tool_calls=tuple(calls) if isinstance(calls, list) else (),
        tool_call_id=call_id if isinstance(call_id, str) else None,
        weight=entry.get("weight"),
    )


def raw_messages(data: Mapping[str, Any]) -> list[Any]:
    """The messages as they stand: `messages`, or `input.messages` of a preference pair; empty when there are none."""
    held = data.get("messages")
    if held is None and isinstance(data.get("input"), dict):
        held = data["input"].get("messages")
    return held if isinstance(held, list) else []


def content_text(content: Any) -> str:
    """The text of a content value: itself, or the texts of its parts joined."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(_part_texts(content))


def _part_texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            text = part.get("text", part.get("refusal"))
            if isinstance(text, str):
                yield text


def method_of(data: Mapping[str, Any]) -> Method:
    """The method an example has the shape of.

    Two answers to one input are a preference pair. Messages that end with a question, beside fields that no supervised
    example has, are for reinforcement, where a grader reads those fields. Everything else counts as supervised.
    """
    if "messages" not in data and ("input" in data or any(name in data for name in PREFERRED + NON_PREFERRED)):
        return "dpo"
    entries = raw_messages(data)
    last = entries[-1] if entries else None
    asked = isinstance(last, dict) and last.get("role") in ("user", "developer")
    if asked and not data.keys() <= SUPERVISED_KEYS:
        return "reinforcement"
    return "supervised"


def encode(data: Any) -> bytes:
    """One JSON value as one line: UTF-8, nothing escaped that need not be, no newline at the end.

    Half of a character pair, which UTF-8 cannot hold, stays an escape. Raises DataError for what JSON cannot say.
    """
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(
            f"The example cannot be written as JSON: {error}.", "Take that value out of it.", raw=repr(error)
        ) from error
    try:
        return text.encode()
    except UnicodeEncodeError:
        return HALF_PAIR.sub(lambda half: f"\\u{ord(half.group()):04x}", text).encode()
