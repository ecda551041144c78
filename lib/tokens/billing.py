"""What a service bills for one example and one epoch.

The rule was checked against eight real jobs whose bill is public, seven in cl100k_base and one in o200k_base, and is
exact on all of them: one token for each example, and for each message three, its role and its content. It is the
estimate of OpenAI's cookbook less two for each example. With tools (one public job of 103 examples, exact): a call
counts its name and its arguments, the list of tools counts as TypeScript text. Not published anywhere, so the nearest
reading is followed: `name` counts itself and one more (the cookbook's way), an image the 85 tokens of `detail: "low"`,
a preference pair its prompt once and both answers.

Knows no prices and no models; `limit` is where a model cuts an example.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lib.tokens.counting import Count
from lib.tokens.tool_text import tools_text

PER_EXAMPLE = 1
PER_MESSAGE = 3
PER_NAME = 1
PER_IMAGE = 85
LISTS_OF_MESSAGES = (
    "messages",
    "preferred_output",
    "non_preferred_output",
    "preferred_completion",
    "non_preferred_completion",
)


def example_tokens(data: Mapping[str, Any], count: Count, limit: int | None = None) -> int:
    """Tokens billed for one epoch of this example, at most `limit`. Whatever has a wrong type counts nothing."""
    held = data.get("input")
    total = PER_EXAMPLE + _part_tokens(data, count)
    if isinstance(held, dict):
        total += _part_tokens(held, count)
    if "messages" not in data and "prompt" in data:
        total += _text_tokens(data.get("prompt"), count) + _text_tokens(data.get("completion"), count)
    return total if limit is None else min(total, limit)


def message_tokens(entry: Any, count: Count) -> int:
    """Tokens that are billed for one raw message."""
    if not isinstance(entry, dict):
        return 0
    total = PER_MESSAGE + _text_tokens(entry.get("role"), count) + content_tokens(entry.get("content"), count)
    if isinstance(entry.get("name"), str):
        total += PER_NAME + count(entry["name"])
    calls = entry.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        total += call_tokens(call.get("function") if isinstance(call, dict) else None, count)
    return total + call_tokens(entry.get("function_call"), count)


def _part_tokens(part: Mapping[str, Any], count: Count) -> int:
    total = 0
    for name in LISTS_OF_MESSAGES:
        entries = part.get(name)
        if isinstance(entries, list):
            total += sum(message_tokens(entry, count) for entry in entries)
    return total + tools_tokens(part, count)


def tools_tokens(part: Mapping[str, Any], count: Count) -> int:
    """Tokens of the tools that an example, or the input of a pair, declares: the model reads them before all else."""
    held = [part.get(name) for name in ("tools", "functions")]
    return sum(count(_rendered(json.dumps(tools))) for tools in held if isinstance(tools, list) and tools)


@lru_cache(maxsize=256)
def _rendered(tools: str) -> str:
    """The text of a list of tools. Mostly all examples of a file carry the same list."""
    return tools_text(json.loads(tools))


def call_tokens(function: Any, count: Count) -> int:
    """Tokens of a call of a function: its name and its arguments."""
    if not isinstance(function, dict):
        return 0
    return _text_tokens(function.get("name"), count) + _text_tokens(function.get("arguments"), count)


def content_tokens(content: Any, count: Count) -> int:
    """Tokens of a message's content: of its text, or of its parts."""
    if isinstance(content, list):
        return sum(_piece_tokens(piece, count) for piece in content)
    return _text_tokens(content, count)


def _piece_tokens(piece: Any, count: Count) -> int:
    if isinstance(piece, str):
        return count(piece)
    if not isinstance(piece, dict):
        return 0
    if piece.get("type") == "image_url":
        return PER_IMAGE
    return _text_tokens(piece.get("text", piece.get("refusal")), count)


def _text_tokens(text: Any, count: Count) -> int:
    return count(text) if isinstance(text, str) else 0
