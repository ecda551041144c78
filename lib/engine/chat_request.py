"""What a request for a chat completion may say, and its bounds. Source: OpenAI's OpenAPI document of 2026-08-21.

All fields of the document are checked; those that a small text model cannot heed are then ignored, as are fields that
the document does not know. Messages are handed on with their content as one string.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.chat_format import ResponseFormat, json_asked
from lib.engine.chat_parts import MOST_MESSAGES, Message, plain_message
from lib.engine.chat_tools import Choice, FunctionCallChoice, Functions, Offer, Tools, offered, offered_functions
from lib.engine.protocol import invalid

DEFAULT_TEMPERATURE = 1.0
# More than any model's context, which bounds an answer anyway.
MOST_TOKENS = 1 << 24
MOST_BIASES = 1024

Size = Literal["low", "medium", "high"]
Penalty = Annotated[float, Meta(ge=-2, le=2)] | None
Bias = Annotated[int, Meta(ge=-100, le=100)]
Tokens = Annotated[int, Meta(ge=1)] | None


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
    messages: Annotated[list[Message], Meta(min_length=1, max_length=MOST_MESSAGES)]
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
    tools: Tools | UnsetType = UNSET
    tool_choice: Choice | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    functions: Functions | UnsetType = UNSET
    function_call: FunctionCallChoice | UnsetType = UNSET
    response_format: ResponseFormat | UnsetType = UNSET
    frequency_penalty: Penalty = None
    presence_penalty: Penalty = None
    logit_bias: Annotated[dict[str, Bias], Meta(max_length=MOST_BIASES)] | None = None
    # From here on: checked, and without effect on what a small text model says.
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

    def offer(self) -> Offer:
        """The tools of this request in either form. Raises Rejected."""
        if self.functions is UNSET:
            if self.function_call is not UNSET and self.function_call != "none":
                raise invalid("function_call", "'function_call' is only allowed when 'functions' are specified.")
            return offered(self.tools, self.tool_choice, self.parallel_tool_calls)
        if self.tools is not UNSET:
            raise invalid("functions", "'functions' and 'tools' cannot be given together.")
        return offered_functions(self.functions, self.function_call)


def generation(request: ChatRequest, offer: Offer) -> dict[str, Any]:
    """What the answering process is asked, without its id and model folder; one answer of it.

    Raises Rejected for content that is not text, and for parameters that do not go together.
    """
    if request.top_logprobs is not UNSET and request.top_logprobs and not request.logprobs:
        raise invalid("top_logprobs", "'top_logprobs' needs 'logprobs' to be true.")
    if request.stream_options is not None and not request.stream:
        raise invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    asked = request.max_completion_tokens or request.max_tokens
    stop = [request.stop] if isinstance(request.stop, str) else request.stop or []
    messages = [plain_message(message, place) for place, message in enumerate(request.messages)]
    return {
        "messages": messages,
        "tools": offer.tools,
        "calls": offer.rules,
        "format": json_asked(request.response_format, messages),
        "temperature": DEFAULT_TEMPERATURE if request.temperature is None else request.temperature,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "max_tokens": None if asked is None else min(asked, MOST_TOKENS),
        "stop": [text for text in stop if text],
        "seed": request.seed,
        "n": 1,
        "logprobs": bool(request.logprobs),
        "top_logprobs": 0 if request.top_logprobs is UNSET else request.top_logprobs,
        "frequency_penalty": request.frequency_penalty or 0.0,
        "presence_penalty": request.presence_penalty or 0.0,
        "logit_bias": [_biased(token, by) for token, by in (request.logit_bias or {}).items()],
    }


def _biased(token: str, by: int) -> tuple[int, int]:
    if not re.fullmatch("[0-9]{1,9}", token):
        raise invalid("logit_bias", f"Invalid key in 'logit_bias': '{token[:40]}'. Keys are ids of tokens.")
    return int(token), by
