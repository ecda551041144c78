"""Which tools an example declares, in either of the two ways there are. Knows no rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def holder_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The object that holds the tools: the input of a preference pair, else the example itself."""
    held = data.get("input") if "messages" not in data else data
    return held if isinstance(held, dict) else {}


def function_of(tool: Any) -> dict[str, Any] | None:
    """The function that a tool declares; None when it is no tool, or has no name."""
    function = tool.get("function") if isinstance(tool, dict) else None
    return function if isinstance(function, dict) and isinstance(function.get("name"), str) else None


def is_bare_function(tool: Any) -> bool:
    """Whether this is a function that only lacks the tool around it, as other programs write it."""
    return isinstance(tool, dict) and isinstance(tool.get("name"), str) and "function" not in tool


def declared(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The declared functions by their names: those of `tools` and of the older `functions`."""
    holder = holder_of(data)
    tools, functions = holder.get("tools"), holder.get("functions")
    found = [function_of(tool) for tool in tools] if isinstance(tools, list) else []
    found += [one for one in functions if isinstance(one, dict)] if isinstance(functions, list) else []
    return {one["name"]: one for one in found if one is not None and isinstance(one.get("name"), str)}
