"""Repairs of tools and calls: what is missing around them, arguments, calls without answers, the older functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lib.dataset.example import method_of, raw_messages
from lib.dataset.fixes.places import Data, functions_called, messages_of
from lib.dataset.parse import Unparsable
from lib.dataset.rules import arguments
from lib.dataset.rules.calls import call_ids, may_renew
from lib.dataset.rules.case import Case
from lib.dataset.rules.declared import function_of, holder_of, is_bare_function


def arguments_to_text(data: Data) -> None:
    """Arguments that are no text become the text of their JSON; none at all become an empty object."""
    for function in functions_called(data):
        if not isinstance(function.get("arguments"), str):
            held = function.get("arguments")
            function["arguments"] = "{}" if held is None else json.dumps(held, ensure_ascii=False)


def mend_arguments(data: Data) -> None:
    """Arguments that are nearly JSON become JSON."""
    for function in functions_called(data):
        said = function.get("arguments")
        if isinstance(said, str) and not _reads(said) and (better := arguments.mended(said)) is not None:
            function["arguments"] = better


def wrap_tools(data: Data) -> None:
    """Functions in the list of tools get the tool around them."""
    tools = holder_of(data).get("tools")
    if isinstance(tools, list):
        holder_of(data)["tools"] = [_wrapped(tool) if is_bare_function(tool) else tool for tool in tools]


def add_tool_types(data: Data) -> None:
    """Tools without a type get the only one there is."""
    tools = holder_of(data).get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if function_of(tool) is not None:
            tool["type"] = "function"


def add_call_types(data: Data) -> None:
    """Calls without a type get the only one there is."""
    for call in _calls(data):
        if isinstance(call.get("function"), dict):
            call["type"] = "function"


def number_calls(data: Data) -> None:
    """Calls without an id get one that no other call of the example has."""
    taken = {call["id"] for call in _calls(data) if isinstance(call.get("id"), str)}
    number = 0
    for call in _calls(data):
        if not isinstance(call.get("id"), str) or not call["id"]:
            while (name := f"call_{number}") in taken:
                number += 1
            taken.add(name)
            call["id"] = name


def drop_empty_calls(data: Data) -> None:
    """An empty list of calls beside an answer."""
    for entry in messages_of(data):
        if entry.get("tool_calls") == [] and entry.get("content"):
            del entry["tool_calls"]


def drop_uncalled_answers(data: Data) -> None:
    """Answers of tools that no message before them called for."""
    kept: list[Any] = []
    waiting: set[str] = set()
    function: Any = None
    for entry in raw_messages(data):
        role = entry.get("role") if isinstance(entry, dict) else None
        if role == "tool":
            call_id = entry.get("tool_call_id")
            if isinstance(call_id, str) and call_id not in waiting:
                continue
            waiting -= {call_id} if isinstance(call_id, str) else set()
        elif role == "function" and isinstance(entry.get("name"), str) and entry["name"] != function:
            continue
        elif isinstance(entry, dict):
            waiting, function = set(call_ids(entry)) if role == "assistant" else set(), None
            call = entry.get("function_call")
            if role == "assistant" and isinstance(call, dict):
                function = call.get("name")
        kept.append(entry)
    raw_messages(data)[:] = kept


def drop_unanswered_calls(data: Data) -> None:
    """Calls that no tool answers, unless the example ends with them; a message that did nothing else goes too."""
    messages = raw_messages(data)
    kept: list[Any] = []
    for index, entry in enumerate(messages):
        if not isinstance(entry, dict) or entry.get("role") != "assistant" or not call_ids(entry):
            kept.append(entry)
            continue
        answered, after = _answered(messages, index)
        if not answered and after == len(messages):
            kept.append(entry)
            continue
        calls = [call for call in entry["tool_calls"] if not _has_id(call) or call["id"] in answered]
        if calls:
            kept.append({**entry, "tool_calls": calls})
        elif entry.get("content"):
            kept.append({key: value for key, value in entry.items() if key != "tool_calls"})
    messages[:] = kept


def functions_to_tools(data: Data) -> None:
    """The older functions become tools, their calls tool calls, their answers tool messages."""
    if not may_renew(Case.of(data, method_of(data), 0, 1)):
        return
    holder = holder_of(data)
    if isinstance(functions := holder.pop("functions", None), list) and functions:
        holder["tools"] = [_wrapped(function) for function in functions]
    called = ""
    for number, entry in enumerate(messages_of(data)):
        if entry.get("role") == "function":
            content = entry.get("content")
            entry.clear()
            entry.update({"role": "tool", "tool_call_id": called, "content": content if content is not None else ""})
        elif call := entry.pop("function_call", None):
            called = f"call_{number}"
            entry["tool_calls"] = [{"id": called, "type": "function", "function": call}]


def _answered(messages: list[Any], index: int) -> tuple[set[str], int]:
    """Which calls the tool messages right after this message answer, and where these messages end."""
    answered: set[str] = set()
    after = index + 1
    while after < len(messages) and isinstance(messages[after], dict) and messages[after].get("role") == "tool":
        if isinstance(messages[after].get("tool_call_id"), str):
            answered.add(messages[after]["tool_call_id"])
        after += 1
    return answered, after


def _has_id(call: Any) -> bool:
    return isinstance(call, dict) and isinstance(call.get("id"), str)


def _calls(data: Data) -> list[Data]:
    lists = [entry.get("tool_calls") for entry in messages_of(data)]
    return [call for calls in lists if isinstance(calls, list) for call in calls if isinstance(call, dict)]


def _wrapped(function: Any) -> Data:
    bare = {key: value for key, value in function.items() if key != "type"}
    return {"type": "function", "function": bare}


def _reads(said: str) -> bool:
    try:
        arguments.read(said)
    except Unparsable:
        return False
    return True


FIXES: dict[str, Callable[[Data], None]] = {
    "add_call_types": add_call_types,
    "add_tool_types": add_tool_types,
    "arguments_to_text": arguments_to_text,
    "drop_empty_calls": drop_empty_calls,
    "drop_unanswered_calls": drop_unanswered_calls,
    "drop_uncalled_answers": drop_uncalled_answers,
    "functions_to_tools": functions_to_tools,
    "mend_arguments": mend_arguments,
    "number_calls": number_calls,
    "wrap_tools": wrap_tools,
}
