"""Examples in the formats of other tools, and what each becomes here.

Alpaca, ShareGPT, chosen/rejected pairs, legacy prompt/completion, questions with answers, texts with labels. An example
is recognised by its keys alone and converted by itself; keys that have no place in the result are named, never lost in
silence. Knows no file and no rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One foreign format. `keys` must all be there, `also` may be; `becomes` says in a sentence what becomes what."""

    name: str
    keys: frozenset[str]
    also: frozenset[str]
    becomes: str
    convert: Callable[[Mapping[str, Any]], Data]


def recognise(data: Mapping[str, Any]) -> Dialect | None:
    """The dialect an example is written in; None for the format of the services and for what nobody knows."""
    if "messages" in data or ("input" in data and "preferred_output" in data):
        return None
    return next((dialect for dialect in DIALECTS if dialect.keys <= data.keys()), None)


def converted(data: Mapping[str, Any]) -> Data | None:
    """The example in the format of the services; None when its dialect is not known or it holds something else."""
    dialect = recognise(data)
    if dialect is None:
        return None
    try:
        return dialect.convert(data)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        return None


def left_out(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of an example that its conversion has no place for."""
    dialect = recognise(data)
    return tuple(key for key in data if key not in dialect.keys | dialect.also) if dialect else ()


def _chat(question: Any, answer: Any, system: Any = None) -> Data:
    messages = [{"role": "system", "content": _text(system)}] if system else []
    return {
        "messages": [
            *messages,
            {"role": "user", "content": _text(question)},
            {"role": "assistant", "content": _text(answer).strip()},
        ]
    }


def _two(question: str, answer: str) -> Callable[[Mapping[str, Any]], Data]:
    return lambda data: _chat(data[question], data[answer], data.get("system"))


def _alpaca(data: Mapping[str, Any]) -> Data:
    asked = _text(data["instruction"])
    if data.get("input"):
        asked = f"{asked}\n\n{_text(data['input'])}"
    made = _chat(asked, data["output"], data.get("system"))
    earlier: list[Data] = []
    for question, answer in data.get("history") or ():
        earlier += _chat(question, answer)["messages"]
    made["messages"][-2:-2] = earlier
    return made


def _sharegpt(data: Mapping[str, Any]) -> Data:
    messages: list[Data] = []
    if data.get("system"):
        messages.append({"role": "system", "content": _text(data["system"])})
    messages += _turns(data["conversations"])
    made: Data = {"messages": messages}
    if data.get("tools"):
        made["tools"] = _tools(data["tools"])
    return made


def _turns(turns: Iterable[Mapping[str, Any]]) -> list[Data]:
    """Turns as messages. Calls in a row are one message; what comes back answers them in their order."""
    messages: list[Data] = []
    waiting: list[str] = []
    for turn in turns:
        role = ROLES[str(turn.get("from", turn.get("role"))).strip().lower()]
        said = turn.get("value", turn.get("content"))
        if role == "function_call":
            calls = [_call(call, f"call_{len(messages)}_{n + len(waiting)}") for n, call in enumerate(_calls(said))]
            if waiting and "tool_calls" in messages[-1]:
                messages[-1]["tool_calls"] += calls
            else:
                messages.append({"role": "assistant", "tool_calls": calls})
                waiting = []
            waiting += [call["id"] for call in calls]
        elif role == "tool":
            answered = waiting.pop(0) if waiting else f"call_{len(messages)}"
            messages.append({"role": "tool", "tool_call_id": answered, "content": _text(said)})
        else:
            messages.append({"role": role, "content": _text(said)})
    return messages


def _calls(said: Any) -> list[Any]:
    read = json.loads(said) if isinstance(said, str) else said
    return read if isinstance(read, list) else [read]


def _call(call: Mapping[str, Any], call_id: str) -> Data:
    function = {"name": call["name"], "arguments": _text(call.get("arguments", {}))}
    return {"id": call_id, "type": "function", "function": function}


def _tools(held: Any) -> list[Data]:
    tools = json.loads(held) if isinstance(held, str) else held
    return [tool if "function" in tool else {"type": "function", "function": tool} for tool in tools]


def _pair(chosen: str, rejected: str) -> Callable[[Mapping[str, Any]], Data]:
    def convert(data: Mapping[str, Any]) -> Data:
        good, bad = _conversation(data[chosen]), _conversation(data[rejected])
        prompt = _conversation(data["prompt"], "user") if data.get("prompt") else good[:-1]
        if data.get("system"):
            prompt = [{"role": "system", "content": _text(data["system"])}, *prompt]
        if not prompt:
            raise ValueError("a preference pair without a prompt")
        return {"input": {"messages": prompt}, "preferred_output": [good[-1]], "non_preferred_output": [bad[-1]]}

    return convert


def _conversation(held: Any, role: str = "assistant") -> list[Data]:
    """A text as one message of this role, or a list of messages in any dialect."""
    if isinstance(held, str):
        return [{"role": role, "content": held}]
    turns = held["messages"] if isinstance(held, dict) and "messages" in held else held
    return _turns([turns] if isinstance(turns, dict) else turns)


def _text(value: Any) -> str:
    """A value as text: parts joined, everything else that is no text as JSON."""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(part, dict) and part.get("type") == "text" for part in value)
    ):
        return "".join(str(part.get("text", part.get("value", ""))) for part in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "prompter": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function_call": "function_call",
    "observation": "tool",
    "tool": "tool",
}


def _known(name: str, keys: str, also: str, becomes: str, convert: Callable[[Mapping[str, Any]], Data]) -> Dialect:
    return Dialect(name, frozenset(keys.split()), frozenset(also.split()), becomes, convert)


# The more particular stand first: an example is in the first dialect whose keys it has.
DIALECTS: tuple[Dialect, ...] = (
    _known(
        "ShareGPT",
        "conversations",
        "tools system",
        "Each turn becomes a message: human is the user, gpt the assistant, function_call a call of a tool.",
        _sharegpt,
    ),
    _known(
        "chosen and rejected",
        "chosen rejected",
        "prompt system",
        "chosen becomes the preferred answer, rejected the other; what comes before them is the input.",
        _pair("chosen", "rejected"),
    ),
    _known(
        "chosen and rejected",
        "chosen_messages rejected_messages",
        "prompt system",
        "chosen_messages ends with the preferred answer, rejected_messages with the other.",
        _pair("chosen_messages", "rejected_messages"),
    ),
    _known(
        "Alpaca",
        "instruction output",
        "input system history",
        "instruction and input become the question, output the answer.",
        _alpaca,
    ),
    *(
        _known(
            name,
            f"{question} {answer}",
            "system",
            f"{question} becomes the question, {answer} the answer.",
            _two(question, answer),
        )
        for name, question, answer in (
            ("prompt and completion", "prompt", "completion"),
            ("prompt and response", "prompt", "response"),
            ("instruction and response", "instruction", "response"),
            ("question and answer", "question", "answer"),
            ("query and response", "query", "response"),
            ("text and label", "text", "label"),
            ("input and output", "input", "output"),
        )
    ),
)
