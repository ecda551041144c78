"""Tools: how they are declared, called and answered.

Knows nothing of what a tool does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.parse import Unparsable, parse
from lib.dataset.rules.case import Case, Rule, shown

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MOST_TOOLS = 128


def tools_are_declared_well(case: Case) -> Iterator[Finding]:
    """`tools` is a list of at most 128 functions with a name each, no name twice."""
    holder = case.data.get("input") if case.method == "dpo" else case.data
    if not isinstance(holder, dict) or holder.get("tools") is None:
        return
    tools = holder["tools"]
    if not isinstance(tools, list):
        yield case.finding(
            "error", "tools_not_a_list", "has “tools” that are not a list.", "It is a list of functions."
        )
        return
    if len(tools) > MOST_TOOLS:
        text = f"declares {len(tools)} tools; at most {MOST_TOOLS} are allowed."
        yield case.finding("error", "many_tools", text, "The service refuses more.")
    names: set[str] = set()
    for tool in tools:
        name = _declared_name(tool)
        if name is None:
            why = 'A tool is {"type": "function", "function": {"name": …, "parameters": {…}}}.'
            yield case.finding("error", "bad_tool", f"declares something that is no tool: {shown(tool)}.", why)
        elif not NAME.fullmatch(name):
            why = "Names of tools have 1 to 64 letters, digits, underscores or hyphens."
            yield case.finding("error", "bad_tool_name", f"declares a tool with the name “{shown(name)}”.", why)
        elif name in names:
            why = "The model cannot tell them apart."
            yield case.finding("warning", "repeated_tool", f"declares the tool “{name}” twice.", why)
        names.add(name or "")


def calls_are_whole(case: Case) -> Iterator[Finding]:
    """Every call has an id, a function with a name that is allowed and declared, and arguments that are JSON."""
    declared = _declared(case)
    for index, entry in enumerate(case.messages):
        if isinstance(entry, dict) and entry.get("tool_calls") is not None:
            yield from _calls(case, index, entry["tool_calls"], declared)


def calls_are_answered(case: Case) -> Iterator[Finding]:
    """Every tool message answers a call made before it, and every call in the middle is answered."""
    open_calls: dict[str, int] = {}
    for index, entry in enumerate(case.messages):
        if not isinstance(entry, dict):
            continue
        if entry.get("role") == "tool":
            yield from _answer(case, index, entry, open_calls)
        elif open_calls:
            yield from _unanswered(case, open_calls)
            open_calls = {}
        if entry.get("role") == "assistant":
            open_calls = dict.fromkeys(_call_ids(entry), index)


def _calls(case: Case, index: int, calls: Any, declared: frozenset[str] | None) -> Iterator[Finding]:
    if not isinstance(calls, list) or not calls:
        why = "It is a list of one or more calls."
        yield case.finding("error", "bad_tool_calls", "has “tool_calls” that are no list of calls.", why, message=index)
        return
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            why = 'A call is {"id": …, "type": "function", "function": {"name": …, "arguments": "…"}}.'
            yield case.finding("error", "bad_tool_call", f"has a call that is none: {shown(call)}.", why, message=index)
            continue
        yield from _call(case, index, call, function, declared)


def _call(
    case: Case, index: int, call: dict[str, Any], function: dict[str, Any], declared: frozenset[str] | None
) -> Iterator[Finding]:
    name = function["name"]
    if not isinstance(call.get("id"), str) or not call["id"]:
        why = "The tool's answer refers to the call by its id."
        yield case.finding("error", "call_without_id", f"calls “{shown(name)}” without an id.", why, message=index)
    if not NAME.fullmatch(name):
        why = "Names of tools have 1 to 64 letters, digits, underscores or hyphens."
        yield case.finding("error", "bad_tool_name", f"calls “{shown(name)}”.", why, message=index)
    elif declared is not None and name not in declared:
        why = "The model would learn to call a tool that it is not given."
        text = f"calls “{name}”, which the example's “tools” do not declare."
        yield case.finding("warning", "undeclared_tool", text, why, message=index)
    yield from _arguments(case, index, name, function.get("arguments"))


def _arguments(case: Case, index: int, name: str, arguments: Any) -> Iterator[Finding]:
    if not isinstance(arguments, str):
        why = "Arguments are JSON written as a text, with its quotes escaped."
        text = f"calls “{shown(name)}” with arguments that are not a text."
        yield case.finding("error", "arguments_not_text", text, why, message=index, fix="arguments_to_text")
        return
    try:
        read = parse(arguments.encode("utf-8", errors="replace"))
    except Unparsable as problem:
        text = f"calls “{shown(name)}” with arguments that are not JSON (column {problem.column}: {problem.sentence})."
        why = "The model would learn to write arguments that no program can read."
        yield case.finding("error", "arguments_not_json", text, why, message=index)
        return
    if not isinstance(read, dict):
        text = f"calls “{shown(name)}” with arguments that are JSON but no object."
        yield case.finding("warning", "arguments_no_object", text, "Tools take named arguments.", message=index)


def _answer(case: Case, index: int, entry: dict[str, Any], open_calls: dict[str, int]) -> Iterator[Finding]:
    call_id = entry.get("tool_call_id")
    if not isinstance(call_id, str):
        why = "The service needs “tool_call_id” to know which call a tool answers."
        yield case.finding("error", "answer_without_call_id", "has no “tool_call_id”.", why, message=index)
    elif open_calls.pop(call_id, None) is None:
        why = "A tool message must follow the assistant message whose call it answers."
        text = f"answers the call “{shown(call_id)}”, which the message before does not make."
        yield case.finding("warning", "answer_without_call", text, why, message=index)


def _unanswered(case: Case, open_calls: dict[str, int]) -> Iterator[Finding]:
    for call_id, index in open_calls.items():
        why = "The model would learn to go on without the tool's result."
        text = f"makes the call “{shown(call_id)}”, which no tool message answers."
        yield case.finding("warning", "unanswered_call", text, why, message=index)


def _call_ids(entry: dict[str, Any]) -> Iterator[str]:
    calls = entry.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(call.get("id"), str):
            yield call["id"]


def _declared(case: Case) -> frozenset[str] | None:
    """The names of the declared tools, None when the example declares none."""
    holder = case.data.get("input") if case.method == "dpo" else case.data
    tools = holder.get("tools") if isinstance(holder, dict) else None
    if not isinstance(tools, list):
        return None
    return frozenset(name for tool in tools if (name := _declared_name(tool)) is not None)


def _declared_name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


RULES: tuple[Rule, ...] = (tools_are_declared_well, calls_are_whole, calls_are_answered)
