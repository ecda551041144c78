"""What a request for a response may say, its bounds, and what it asks of the model.

Source: OpenAI's Responses API as its Python client 3.52.0 types it. What a small text model cannot heed is checked and
then ignored; what would change the answer and is not there (background, hosted tools) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.chat_format import JsonObjectFormat, JsonSchema, JsonSchemaFormat, Name, Object, TextFormat, json_asked
from lib.engine.chat_parts import MOST_MESSAGES
from lib.engine.chat_request import DEFAULT_TEMPERATURE, MOST_TOKENS, Size
from lib.engine.chat_tools import (
    MOST_TOOLS,
    AllowedChoice,
    AllowedTools,
    Choice,
    FunctionChoice,
    FunctionDefinition,
    FunctionTool,
    Named,
    Offer,
    offered,
)
from lib.engine.protocol import invalid, typed
from lib.engine.response_items import Item
from lib.engine.strict_schema import objection
from lib.errors import Rejected

WITH_LOGPROBS = "message.output_text.logprobs"


class FlatSchema(Struct, tag_field="type", tag="json_schema"):
    name: Name
    schema: Object
    description: str | UnsetType = UNSET
    strict: bool | None = None


class TextAsked(Struct):
    format: TextFormat | JsonObjectFormat | FlatSchema | None = None
    verbosity: Size | None = None


class FlatFunction(Struct):
    type: Literal["function"]
    name: Name
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class ChosenFunction(Struct, tag_field="type", tag="function"):
    name: str


class ChosenAmong(Struct, tag_field="type", tag="allowed_tools"):
    mode: Literal["auto", "required"]
    tools: list[Object]


class Reasoning(Struct):
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


Key = Annotated[str, Meta(max_length=64)]
Value = Annotated[str, Meta(max_length=512)]


class ResponseRequest(Struct):
    """The body of POST /v1/responses."""

    model: str
    input: str | Annotated[list[Item], Meta(min_length=1, max_length=MOST_MESSAGES)]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    text: TextAsked | None = None
    tools: Annotated[list[Object], Meta(max_length=MOST_TOOLS)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenFunction | ChosenAmong | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    store: bool | None = None
    stream: bool | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    metadata: Annotated[dict[Key, Value], Meta(max_length=16)] | None = None
    user: str | None = None
    background: bool | None = None
    conversation: Any = None
    # From here on: checked, and without effect on what a small text model says.
    reasoning: Reasoning | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    safety_identifier: Annotated[str, Meta(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None

    @property
    def with_logprobs(self) -> bool:
        return WITH_LOGPROBS in (self.include or ())

    def functions(self) -> list[FlatFunction]:
        """The tools. Raises Rejected for those that are no functions. Without `strict` it is so where it can be."""
        return [_function(tool, place) for place, tool in enumerate(self.tools or ())]

    def offer(self) -> Offer:
        """The tools and the rules of calling them. Raises Rejected when they do not go together."""
        tools = [FunctionTool(_definition(function)) for function in self.functions()]
        parallel = UNSET if self.parallel_tool_calls is None or not tools else self.parallel_tool_calls
        return offered(tools or UNSET, _choice(self.tool_choice) if tools or self.tool_choice else UNSET, parallel)


def generation(request: ResponseRequest, offer: Offer, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the answering process is asked, without its id and model folder. Raises Rejected."""
    for name, value in (("background", request.background), ("conversation", request.conversation)):
        if value:
            raise invalid(name, f"'{name}' is not offered by this service.", code="unsupported_parameter")
    if request.top_logprobs and not request.with_logprobs:
        raise invalid("top_logprobs", f"'top_logprobs' needs 'include' to name '{WITH_LOGPROBS}'.")
    asked = request.max_output_tokens
    return {
        "messages": messages,
        "tools": offer.tools,
        "calls": offer.rules,
        "format": json_asked(_format(request.text), messages, where="text.format"),
        "temperature": DEFAULT_TEMPERATURE if request.temperature is None else request.temperature,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "max_tokens": None if asked is None else min(asked, MOST_TOKENS),
        "stop": [],
        "seed": None,
        "shorten": request.truncation == "auto",
        "logprobs": request.with_logprobs,
        "top_logprobs": request.top_logprobs or 0,
    }


def in_its_words(error: Rejected) -> Rejected:
    """A refusal that speaks of chat, with the parameters as they are called here."""
    param, code = error.param or "", error.code
    if param == "response_format":
        param, code = "text.format.schema", "invalid_json_schema"
    elif param == "messages":
        param = "input"
    renamed = param.replace("].function.", "].")
    return Rejected(error.what, error.todo, status=error.status, param=renamed or None, code=code, raw=error.raw)


def _function(tool: Object, place: int) -> FlatFunction:
    if tool.get("type") != "function":
        said = f"Tools of type '{str(tool.get('type'))[:60]}' are not offered by this service: only functions are."
        raise invalid(f"tools[{place}].type", said, code="unsupported_value")
    try:
        function = typed(tool, FlatFunction)
    except Rejected as error:
        raise invalid(f"tools[{place}].{error.param}", str(error), code=error.code or "invalid_value") from error
    if function.strict is None:
        function.strict = function.parameters is not None and objection(function.parameters, strict=True) is None
    return function


def _definition(function: FlatFunction) -> FunctionDefinition:
    return FunctionDefinition(
        function.name,
        UNSET if function.description is None else function.description,
        UNSET if function.parameters is None else function.parameters,
        function.strict,
    )


def _choice(choice: Any) -> Choice | UnsetType:
    if isinstance(choice, ChosenFunction):
        return FunctionChoice(Named(choice.name))
    if isinstance(choice, ChosenAmong):
        return AllowedChoice(AllowedTools(choice.mode, choice.tools))
    return UNSET if choice is None else choice


def _format(text: TextAsked | None) -> TextFormat | JsonObjectFormat | JsonSchemaFormat | UnsetType:
    asked = None if text is None else text.format
    if isinstance(asked, FlatSchema):
        return JsonSchemaFormat(JsonSchema(asked.name, asked.description, asked.schema, asked.strict))
    return UNSET if asked is None else asked
