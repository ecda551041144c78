"""Calls of tools, and what tools answer: whole, allowed, declared, each call answered and each answer called for.

Knows nothing of what a tool does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.parse import Unparsable
from lib.dataset.rules import arguments
from lib.dataset.rules.case import Case, Rule, shown
from lib.dataset.rules.declared import declared, holder_of
from lib.dataset.rules.entry import Entry, entries

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
A_CALL = 'A call is {"id": …, "type": "function", "function": {"name": …, "arguments": "…"}}.'
NAMES = "Names of tools have 1 to 64 letters, digits, underscores or hyphens."
# What a chat request with such messages is answered; of training files it is not known.
FOLLOWED = (
    "Chat requests are refused for this: an assistant message with 'tool_calls' must be followed by tool messages."
)
PRECEDED = (
    "Chat requests are refused for this: a message with role 'tool' must be a response to 'tool_calls' before it."
)


def calls_are_whole(case: Case) -> Iterator[Finding]:
    """Every call has an id, a function with a name that is allowed and declared, and arguments that are JSON."""
    known = declared(case.data)
    for entry in entries(case):
        if entry.role != "assistant":
            continue
        if (calls := entry.data.get("tool_calls")) is not None:
            yield from _calls(entry, calls, known)
        if (call := entry.data.get("function_call")) is not None:
            if not isinstance(call, dict) or not isinstance(call.get("name"), str):
                why = 'A call is {"name": …, "arguments": "…"}.'
                yield entry.finding("error", "bad_function_call", f"has a call that is none: {shown(call)}.", why)
            else:
                yield from _function(entry, call, known)


def calls_are_answered(case: Case) -> Iterator[Finding]:
    """Every tool message answers a call made before it, and every call in the middle is answered."""
    waiting: dict[str, Entry] = {}
    function: str | None = None
    role = ""
    for entry in entries(case):
        role = entry.role
        if role == "tool":
            yield from _answer(entry, waiting)
            continue
        yield from _unanswered(waiting)
        waiting = {}
        if entry.role == "function":
            yield from _function_answer(entry, function)
        function = None
        if entry.role == "assistant" and not entry.answer:
            waiting = dict.fromkeys(call_ids(entry.data), entry)
            call = entry.data.get("function_call")
            function = call.get("name") if isinstance(call, dict) and isinstance(call.get("name"), str) else None
    if role == "tool":
        # A call at the very end is what the model learns; one left open among answered ones is not.
        yield from _unanswered(waiting)


def functions_are_old(case: Case) -> Iterator[Finding]:
    """The example speaks of functions, the older name for tools."""
    functions = holder_of(case.data).get("functions") is not None
    if functions or any(entry.role == "function" or entry.data.get("function_call") for entry in entries(case)):
        why = "Services still read functions; tools took their place, and models call tools today."
        text = "uses functions, the older form of tools."
        yield case.finding("info", "legacy_functions", text, why, fix="functions_to_tools" if may_renew(case) else None)


def may_renew(case: Case) -> bool:
    """Whether the functions of an example can become tools: whole, and every answer right after its call."""
    functions = holder_of(case.data).get("functions")
    if functions is not None:
        if not isinstance(functions, list) or holder_of(case.data).get("tools") is not None:
            return False
        if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in functions):
            return False
    called: str | None = None
    for entry in entries(case):
        call = entry.data.get("function_call")
        if entry.role == "function" and (called is None or entry.data.get("name") != called):
            return False
        if call is not None and (
            entry.role != "assistant"
            or entry.data.get("tool_calls") is not None
            or not isinstance(call, dict)
            or not isinstance(call.get("name"), str)
            or not isinstance(call.get("arguments"), str)
        ):
            return False
        called = call["name"] if call is not None else None
    return True


def call_ids(data: Mapping[str, Any]) -> list[str]:
    """The ids of the calls of a message."""
    calls = data.get("tool_calls")
    held = [call.get("id") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return [call_id for call_id in held if isinstance(call_id, str)]


def _calls(entry: Entry, calls: Any, known: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    if not isinstance(calls, list) or not calls:
        text = "has “tool_calls” that are no list of calls."
        # An empty list beside an answer says no more than no list at all.
        fix = "drop_empty_calls" if calls == [] and entry.data.get("content") else None
        yield entry.finding("error", "bad_tool_calls", text, "It is a list of one or more calls.", fix=fix)
        return
    seen: set[str] = set()
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            yield entry.finding("error", "bad_tool_call", f"has a call that is none: {shown(call)}.", A_CALL)
            continue
        name, call_id = shown(function["name"]), call.get("id")
        if not isinstance(call_id, str) or not call_id:
            why = "The tool's answer refers to the call by its id."
            fix = "number_calls" if no_tool_answers(entry.case) else None
            yield entry.finding("error", "call_without_id", f"calls “{name}” without an id.", why, fix=fix)
        elif call_id in seen:
            why = "The tool's answer refers to the call by its id; two with the same cannot be told apart."
            text = f"makes two calls with the id “{shown(call_id)}”."
            yield entry.finding("warning", "repeated_call_id", text, why)
        if call.get("type") != "function":
            text = f"calls “{name}” without the type “function”."
            yield entry.finding("error", "call_without_type", text, A_CALL, fix="add_call_types")
        seen.add(call_id if isinstance(call_id, str) else "")
        yield from _function(entry, function, known)


def no_tool_answers(case: Case) -> bool:
    """Whether no message refers to a call, so that calls may be numbered anew."""
    return all(entry.role != "tool" for entry in entries(case))


def _function(entry: Entry, function: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    name, said = function["name"], function.get("arguments")
    if not NAME.fullmatch(name):
        yield entry.finding("error", "bad_tool_name", f"calls “{shown(name)}”.", NAMES)
    elif name not in known:
        why = "The model would learn to call a tool that it is not given."
        text = f"calls “{name}”, which the example does not declare."
        yield entry.finding("warning", "undeclared_tool", text, why)
    if not isinstance(said, str):
        why = "Arguments are JSON written as a text, with its quotes escaped."
        text = f"calls “{shown(name)}” with arguments that are not a text."
        yield entry.finding("error", "arguments_not_text", text, why, fix="arguments_to_text")
        return
    try:
        read = arguments.read(said)
    except Unparsable as problem:
        text = f"calls “{shown(name)}” with arguments that are not JSON (column {problem.column}: {problem.sentence})."
        why = "The model would learn to write arguments that no program can read."
        fix = "mend_arguments" if arguments.mended(said) is not None else None
        yield entry.finding("error", "arguments_not_json", text, why, fix=fix)
        return
    if not isinstance(read, dict):
        text = f"calls “{shown(name)}” with arguments that are JSON but no object."
        yield entry.finding("warning", "arguments_no_object", text, "Tools take named arguments.")
    elif name in known and (problem_found := arguments.schema_problem(read, known[name])):
        why = "The model would learn to call the tool in a way that its declaration does not allow."
        yield entry.finding("warning", "arguments_unlike_schema", f"calls “{shown(name)}” {problem_found}.", why)


def _answer(entry: Entry, waiting: dict[str, Entry]) -> Iterator[Finding]:
    call_id = entry.data.get("tool_call_id")
    if not isinstance(call_id, str):
        why = "The service needs “tool_call_id” to know which call a tool answers."
        yield entry.finding("error", "answer_without_call_id", "has no “tool_call_id”.", why)
    elif waiting.pop(call_id, None) is None:
        text = f"answers the call “{shown(call_id)}”, which the message before does not make."
        yield entry.finding("warning", "answer_without_call", text, PRECEDED, fix="drop_uncalled_answers")


def _function_answer(entry: Entry, function: str | None) -> Iterator[Finding]:
    name = entry.data.get("name")
    if not isinstance(name, str) or not name:
        why = "The service needs the name to know which function has answered."
        yield entry.finding("error", "function_without_name", "has the role function and no name.", why)
    elif name != function:
        text = f"answers the function “{shown(name)}”, which the message before does not call."
        why = "The model would learn that answers come without a call."
        yield entry.finding("warning", "answer_without_call", text, why, fix="drop_uncalled_answers")


def _unanswered(waiting: Mapping[str, Entry]) -> Iterator[Finding]:
    for call_id, entry in waiting.items():
        fix = "drop_unanswered_calls" if _answers_without(entry) else None
        text = f"makes the call “{shown(call_id)}”, which no tool message answers."
        yield entry.finding("warning", "unanswered_call", text, FOLLOWED, fix=fix)


def _answers_without(entry: Entry) -> bool:
    """Whether the example still has an answer when all its unanswered calls are taken out."""
    spoken = any(one.role == "assistant" and one.data.get("content") for one in entries(entry.case))
    last = entry.case.messages[-1]
    return spoken or (isinstance(last, dict) and last.get("role") == "assistant") or entry.case.method != "supervised"


RULES: tuple[Rule, ...] = (calls_are_whole, calls_are_answered, functions_are_old)
