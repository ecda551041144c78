"""The tools of a request, which of them may or must be called, and the older `functions` that mean the same.

Source: OpenAI's OpenAPI document of 2026-08-21. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.chat_format import Name, Object
from lib.engine.protocol import invalid
from lib.engine.strict_schema import objection

MOST_TOOLS = 128


class FunctionDefinition(Struct):
    name: Name
    description: str | UnsetType = UNSET
    parameters: Object | UnsetType = UNSET
    strict: bool | None = None


class FunctionTool(Struct, tag_field="type", tag="function"):
    function: FunctionDefinition


class AnyText(Struct, tag_field="type", tag="text"):
    pass


class Grammar(Struct):
    definition: str
    syntax: Literal["lark", "regex"]


class GrammarFormat(Struct, tag_field="type", tag="grammar"):
    grammar: Grammar


class CustomDefinition(Struct):
    name: str
    description: str | UnsetType = UNSET
    format: AnyText | GrammarFormat | UnsetType = UNSET


class CustomTool(Struct, tag_field="type", tag="custom"):
    custom: CustomDefinition


class Named(Struct):
    name: str


class FunctionChoice(Struct, tag_field="type", tag="function"):
    function: Named


class CustomChoice(Struct, tag_field="type", tag="custom"):
    custom: Named


class AllowedTools(Struct):
    mode: Literal["auto", "required"]
    tools: list[Object]


class AllowedChoice(Struct, tag_field="type", tag="allowed_tools"):
    allowed_tools: AllowedTools


Tools = Annotated[list[FunctionTool | CustomTool], Meta(max_length=MOST_TOOLS)]
Choice = Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedChoice
Functions = Annotated[list[FunctionDefinition], Meta(min_length=1, max_length=MOST_TOOLS)]
FunctionCallChoice = Literal["none", "auto"] | Named


@dataclass(frozen=True, slots=True)
class Offer:
    """Tools as the model is told of them, and the rules of calling them; None lets it call as it likes.

    `named`: the one function that must be called. `older`: asked for, and answered, in the older form.
    """

    tools: list[Object] | None = None
    rules: Object | None = None
    named: bool = False
    older: bool = False


def offered(
    tools: Sequence[FunctionTool | CustomTool] | UnsetType,
    choice: Choice | UnsetType,
    parallel: bool | UnsetType,
) -> Offer:
    """What a request offers. Raises Rejected, in OpenAI's words, for tools and choices that do not go together."""
    if tools is UNSET or not tools:
        for name, value in (("tool_choice", choice), ("parallel_tool_calls", parallel)):
            if value is not UNSET and value != "none":
                raise invalid(name, f"'{name}' is only allowed when 'tools' are specified.")
        return Offer()
    functions = [_function(tool, place) for place, tool in enumerate(tools)]
    return _offer(functions, choice, parallel=parallel is not False)


def offered_functions(functions: Sequence[FunctionDefinition], choice: FunctionCallChoice | UnsetType) -> Offer:
    """What a request in the older form offers. Raises Rejected as `offered` does."""
    for place, function in enumerate(functions):
        _check(function, f"functions[{place}].parameters")
    named = FunctionChoice(choice) if isinstance(choice, Named) else choice
    offer = _offer(functions, named, parallel=False, param="function_call")
    return Offer(offer.tools, offer.rules, offer.named, older=True)


def _offer(
    functions: Sequence[FunctionDefinition],
    choice: Choice | UnsetType,
    *,
    parallel: bool,
    param: str = "tool_choice",
) -> Offer:
    if choice == "none":
        return Offer()
    names = [function.name for function in functions]
    wanted, required = names, choice == "required"
    if isinstance(choice, FunctionChoice | CustomChoice):
        chosen = choice.function if isinstance(choice, FunctionChoice) else choice.custom
        wanted, required = [chosen.name], True
    elif isinstance(choice, AllowedChoice):
        wanted = [str(_allowed(tool)) for tool in choice.allowed_tools.tools]
        required = choice.allowed_tools.mode == "required"
    unknown = next((name for name in wanted if name not in names), None)
    if unknown is not None or not wanted:
        raise invalid(param, f"Tool choice '{str(unknown)[:64]}' not found in 'tools' parameter.")
    free = not required and parallel and wanted == names and not any(function.strict for function in functions)
    return Offer(
        [{"type": "function", "function": msgspec.to_builtins(function)} for function in functions],
        None if free else {"names": wanted, "required": required, "parallel": parallel},
        named=isinstance(choice, FunctionChoice | CustomChoice),
    )


def _function(tool: FunctionTool | CustomTool, place: int) -> FunctionDefinition:
    if isinstance(tool, CustomTool):
        raise invalid(
            f"tools[{place}].type",
            "This model calls functions only: custom tools cannot be given to it.",
            code="unsupported_value",
        )
    return _check(tool.function, f"tools[{place}].function.parameters")


def _check(function: FunctionDefinition, where: str) -> FunctionDefinition:
    if function.parameters is not UNSET:
        wrong = objection(function.parameters, strict=bool(function.strict))
        if wrong is not None:
            said = f"Invalid schema for function '{function.name}': {wrong}"
            raise invalid(where, said, code="invalid_function_parameters")
    return function


def _allowed(tool: Object) -> Any:
    """The name in a tool of `allowed_tools`, which both interfaces write in their own way."""
    inner = tool.get("function")
    return inner.get("name") if isinstance(inner, dict) else tool.get("name")
