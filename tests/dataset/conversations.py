"""Examples for tests, as JSON objects and as lines."""

from __future__ import annotations

import json
from typing import Any

Data = dict[str, Any]


def chat(question: str = "What is two and two?", answer: str = "Four.", *, system: str | None = None) -> Data:
    """A conversation of one question and one answer."""
    messages = [{"role": "system", "content": system}] if system is not None else []
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": messages}


def many(number: int) -> list[Data]:
    """So many different conversations."""
    return [chat(f"What is {n} and one?", f"{n + 1}.") for n in range(number)]


def pair(question: str = "Which one?", good: str = "This.", bad: str = "That.") -> Data:
    """A preference pair."""
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": good}],
        "non_preferred_output": [{"role": "assistant", "content": bad}],
    }


def call(name: str = "look_up", arguments: Any = '{"what": "weather"}', call_id: Any = "call_1") -> Data:
    """A tool call."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(name: str = "look_up") -> Data:
    """The declaration of a tool with one required text."""
    properties = {"what": {"type": "string"}}
    return {
        "type": "function",
        "function": {"name": name, "parameters": {"type": "object", "properties": properties, "required": ["what"]}},
    }


def lines_of(examples: list[Any]) -> bytes:
    """The examples as JSONL."""
    return b"".join(json.dumps(data, ensure_ascii=False).encode() + b"\n" for data in examples)
