"""Tools: how an example declares them, and the older functions.

Knows nothing of what a tool does, and of calls (calls.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.dataset.finding import Finding
from lib.dataset.rules import calls
from lib.dataset.rules.case import Case, Rule, shown
from lib.dataset.rules.declared import function_of, holder_of, is_bare_function

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
MOST_TOOLS = 128
A_TOOL = 'A tool is {"type": "function", "function": {"name": …, "parameters": {…}}}.'
NAMES = "Names of tools have 1 to 64 letters, digits, underscores or hyphens."


def tools_are_declared_well(case: Case) -> Iterator[Finding]:
    """`tools` is a list of at most 128 functions with a name each, no name twice."""
    tools = holder_of(case.data).get("tools")
    if tools is None:
        return
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
        function = function_of(tool)
        if function is None:
            text = f"declares something that is no tool: {shown(tool)}."
            yield case.finding("error", "bad_tool", text, A_TOOL, fix="wrap_tools" if is_bare_function(tool) else None)
            continue
        if tool.get("type") != "function":
            text = f"declares the tool “{shown(function['name'])}” without the type “function”."
            yield case.finding("error", "tool_without_type", text, A_TOOL, fix="add_tool_types")
        yield from _function(case, function, names)


def functions_are_declared_well(case: Case) -> Iterator[Finding]:
    """The older `functions` is a list of 1 to 128 functions."""
    functions = holder_of(case.data).get("functions")
    if functions is None:
        return
    if not isinstance(functions, list):
        yield case.finding("error", "functions_not_a_list", "has “functions” that are not a list.", "It is a list.")
        return
    if not 1 <= len(functions) <= MOST_TOOLS:
        text = f"declares {len(functions)} functions; 1 to {MOST_TOOLS} are allowed."
        yield case.finding("error", "functions_count", text, "The service refuses another number of them.")
    names: set[str] = set()
    for function in functions:
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            why = 'A function is {"name": …, "parameters": {…}}.'
            text = f"declares something that is no function: {shown(function)}."
            yield case.finding("error", "bad_function", text, why)
        else:
            yield from _function(case, function, names)
    if isinstance(holder_of(case.data).get("tools"), list):
        why = "Functions are the older name for tools; services take one or the other."
        text = "declares both “tools” and “functions”."
        yield case.finding("warning", "tools_and_functions", text, why)


def parallel_calls_fit(case: Case) -> Iterator[Finding]:
    """`parallel_tool_calls` is true or false, and says something about tools that are there."""
    holder = holder_of(case.data)
    parallel = holder.get("parallel_tool_calls")
    if parallel is None:
        return
    if not isinstance(parallel, bool):
        fix = "parallel_to_boolean" if as_boolean(parallel) is not None else None
        text = f"has “parallel_tool_calls” that are {shown(parallel)}, neither true nor false."
        yield case.finding("error", "parallel_not_boolean", text, "It is true or false, without quotes.", fix=fix)
    elif "tools" not in holder:
        why = "It says how tools are called, and there are none. Chat requests are refused for this."
        text = "has “parallel_tool_calls” but no tools."
        yield case.finding("info", "parallel_without_tools", text, why, fix="drop_parallel_tool_calls")


def no_nulls(case: Case) -> Iterator[Finding]:
    """No key beside the messages is null."""
    holder = holder_of(case.data)
    for key in ("tools", "functions", "parallel_tool_calls"):
        if key in holder and holder[key] is None:
            why = "The published format allows no null here. A key without a value is left out."
            yield case.finding("warning", "null_field", f"has “{key}” without a value (null).", why, fix="drop_nulls")


def as_boolean(value: Any) -> bool | None:
    """What was meant by a value that should be true or false; None when that cannot be told."""
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else ""
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(word)


def _function(case: Case, function: Mapping[str, Any], names: set[str]) -> Iterator[Finding]:
    name = function["name"]
    if not NAME.fullmatch(name):
        yield case.finding("error", "bad_tool_name", f"declares a tool with the name “{shown(name)}”.", NAMES)
    elif name in names:
        why = "The model cannot tell them apart."
        yield case.finding("warning", "repeated_tool", f"declares the tool “{name}” twice.", why)
    names.add(name)
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        text = f"declares the tool “{shown(name)}” with parameters that are no object: {shown(parameters)}."
        why = 'Parameters are a JSON Schema, such as {"type": "object", "properties": {…}}.'
        yield case.finding("error", "bad_tool_parameters", text, why)
    elif parameters and (problem := _schema_problem(parameters)):
        text = f"declares the tool “{shown(name)}” with parameters {problem}."
        why = 'Chat requests are refused for this: Invalid schema for function …, it must be of "type": "object".'
        yield case.finding("warning", "tool_schema", text, why)


def _schema_problem(schema: Mapping[str, Any]) -> str | None:
    """What makes this no JSON Schema of an object; None when it is one."""
    if any(key in schema for key in ("$ref", "anyOf", "oneOf", "allOf")):
        return None
    if schema.get("type") != "object":
        return f"of the type {shown(schema.get('type'))}, not “object”"
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict):
        return "whose “properties” are no object"
    for key, held in properties.items():
        if not isinstance(held, (dict, bool)):
            return f"of which “{shown(key)}” is no schema: {shown(held)}"
    if not isinstance(required, list) or not all(isinstance(key, str) for key in required):
        return "whose “required” is no list of names"
    missing = next((key for key in required if key not in properties), None)
    return f"that require “{shown(missing)}” and do not describe it" if missing is not None else None


RULES: tuple[Rule, ...] = (
    tools_are_declared_well,
    functions_are_declared_well,
    parallel_calls_fit,
    no_nulls,
    *calls.RULES,
)
