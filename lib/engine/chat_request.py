"""What a request for a chat completion may say, and its bounds. Source: OpenAI's OpenAPI document of 2026-08-21.

All fields of the document are checked; those that a small text model cannot heed are then ignored, as are fields that
the document does not know. Messages are handed on with their content as one string.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.chat_parts import Message, plain_message
from lib.engine.protocol import invalid
from lib.engine.settings import CONTEXT

DEFAULT_TEMPERATURE = 1.0

Size = Literal["low", "medium", "high"]
Penalty = Annotated[float, Meta(ge=-2, le=2)] | None
Tokens = Annotated[int, Meta(ge=1)] | None
Object = dict[str, Any]


class FunctionDefinition(Struct):
    name: str
    description: str | UnsetType = UNSET
    parameters: Object | UnsetType = UNSET
    strict: bool | None = None


class FunctionTool(Struct, tag_field="type", tag="function"):
    function: FunctionDefinition


class TextFormat(Struct, tag_field="type", tag="text"):
    pass


class Grammar(Struct):
    definition: str
    syntax: Literal["lark", "regex"]


class GrammarFormat(Struct, tag_field="type", tag="grammar"):
    grammar: Grammar


class CustomDefinition(Struct):
    name: str
    description: str | UnsetType = UNSET
    format: TextFormat | GrammarFormat | UnsetType = UNSET


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


class JsonObjectFormat(Struct, tag_field="type", tag="json_object"):
    pass


class JsonSchema(Struct):
    name: str
    description: str | UnsetType = UNSET
    schema: Object | UnsetType = UNSET
    strict: bool | None = None


class JsonSchemaFormat(Struct, tag_field="type", tag="json_schema"):
    json_schema: JsonSchema


class StreamOptions(Struct):
    include_usage: bool = False
    include_obfuscation: bool | UnsetType = UNSET


class TextPrediction(Struct, tag_field="type", tag="text"):
    text: str


class Prediction(Struct):
    type: Literal["content"]
    content: str | Annotated[list[TextPrediction], Meta(min_length=1)]


class Voice(Struct, forbid_unknown_fields=True):
    id: str


class Audio(Struct):
    voice: str | Voice
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]


class Place(Struct):
    country: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    city: str | UnsetType = UNSET
    timezone: str | UnsetType = UNSET


class UserLocation(Struct):
    type: Literal["approximate"]
    approximate: Place


class WebSearch(Struct):
    user_location: UserLocation | None = None
    search_context_size: Size | UnsetType = UNSET


class ModerationMode(Struct):
    mode: Literal["score", "block"]


class ModerationPolicy(Struct):
    input: ModerationMode | None = None
    output: ModerationMode | None = None


class Moderation(Struct):
    model: str
    policy: ModerationPolicy | None = None


class PromptCache(Struct):
    ttl: Literal["30m"] | UnsetType = UNSET
    mode: Literal["implicit", "explicit"] | UnsetType = UNSET


class ChatRequest(Struct):
    """The body of POST /v1/chat/completions."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    max_tokens: Tokens = None
    max_completion_tokens: Tokens = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: str | Annotated[list[str], Meta(min_length=1, max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | UnsetType = UNSET
    tools: list[FunctionTool | CustomTool] | UnsetType = UNSET
    tool_choice: Literal["none", "auto", "required"] | FunctionChoice | CustomChoice | AllowedChoice | UnsetType = UNSET
    # From here on: checked, and without effect on what a small text model says.
    response_format: TextFormat | JsonObjectFormat | JsonSchemaFormat | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    functions: Annotated[list[FunctionDefinition], Meta(min_length=1, max_length=128)] | UnsetType = UNSET
    function_call: Literal["none", "auto"] | Named | UnsetType = UNSET
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None
    logit_bias: dict[str, int] | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    audio: Audio | None = None
    prediction: Prediction | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Size | None = None
    web_search_options: WebSearch | UnsetType = UNSET
    moderation: Moderation | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None
    user: str | UnsetType = UNSET
    safety_identifier: Annotated[str, Meta(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    prompt_cache_options: PromptCache | UnsetType = UNSET

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


def generation(request: ChatRequest) -> dict[str, Any]:
    """What the answering process is asked, without its id and model folder; one answer of it.

    Raises Rejected for content that is not text.
    """
    if request.top_logprobs is not UNSET and request.top_logprobs and not request.logprobs:
        raise invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.")
    asked = request.max_completion_tokens or request.max_tokens or CONTEXT
    stop = [request.stop] if isinstance(request.stop, str) else request.stop or []
    return {
        "messages": [plain_message(message, place) for place, message in enumerate(request.messages)],
        "tools": _tools(request),
        "temperature": DEFAULT_TEMPERATURE if request.temperature is None else request.temperature,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "max_tokens": min(asked, CONTEXT),
        "stop": [text for text in stop if text],
        "seed": request.seed,
        "n": 1,
        "logprobs": bool(request.logprobs),
        "top_logprobs": 0 if request.top_logprobs is UNSET else request.top_logprobs,
    }


def _tools(request: ChatRequest) -> list[Any] | None:
    if request.tools is UNSET or request.tool_choice == "none":
        return None
    return [msgspec.to_builtins(tool) for tool in request.tools] or None
