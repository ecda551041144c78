"""Where in an example a repair may have to change something. Knows no repair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lib.dataset.example import NON_PREFERRED, PREFERRED, raw_messages

Data = dict[str, Any]


def messages_of(data: Data) -> list[Data]:
    """The messages that are objects, those of a pair's answers behind those of its input."""
    lists = [raw_messages(data)]
    if "messages" not in data:
        held = (data.get(name) for name in PREFERRED + NON_PREFERRED)
        lists += [one for one in held if isinstance(one, list)]
    return [entry for one in lists for entry in one if isinstance(entry, dict)]


def functions_called(data: Data) -> Iterator[Data]:
    """The function of every call, in either of the two ways to call one."""
    for entry in messages_of(data):
        calls = entry.get("tool_calls")
        held = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
        yield from (one for one in [*held, entry.get("function_call")] if isinstance(one, dict))


def parts_of(entry: Data) -> list[Data]:
    """The parts of a message that are objects."""
    content = entry.get("content")
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def change_texts(data: Data, change: Callable[[str], str]) -> None:
    """Change every text that a model reads: contents, parts, and the arguments of calls."""
    for entry in messages_of(data):
        content = entry.get("content")
        if isinstance(content, str):
            entry["content"] = change(content)
        elif isinstance(content, list):
            entry["content"] = [change(part) if isinstance(part, str) else part for part in content]
        for part in parts_of(entry):
            for key in ("text", "refusal"):
                if isinstance(part.get(key), str):
                    part[key] = change(part[key])
    for function in functions_called(data):
        if isinstance(function.get("arguments"), str):
            function["arguments"] = change(function["arguments"])
