"""The messages of a chat request: what each role may carry, and the plain text that a text model gets of them.

Source: OpenAI's OpenAPI document of 2026-08-21. Knows no model.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lib.engine.protocol import invalid

# OpenAI's own bound. Each message costs time even when the conversation is far too long to be read.
MOST_MESSAGES = 2048


class CacheBreakpoint(Struct):
    mode: Literal["explicit"]


class TextPart(Struct, tag_field="type", tag="text"):
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | UnsetType = UNSET


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    refusal: str


class ImageUrl(Struct):
    url: str
    detail: Literal["auto", "low", "high"] | UnsetType = UNSET


class ImagePart(Struct, tag_field="type", tag="image_url"):
    image_url: ImageUrl
    prompt_cache_breakpoint: CacheBreakpoint | UnsetType = UNSET


class Sound(Struct):
    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Struct, tag_field="type", tag="input_audio"):
    input_audio: Sound
    prompt_cache_breakpoint: CacheBreakpoint | UnsetType = UNSET


class File(Struct):
    filename: str | UnsetType = UNSET
    file_data: str | UnsetType = UNSET
    file_id: str | UnsetType = UNSET


class FilePart(Struct, tag_field="type", tag="file"):
    file: File
    prompt_cache_breakpoint: CacheBreakpoint | UnsetType = UNSET


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart
Text = str | Annotated[list[TextPart], Meta(min_length=1)]


class FunctionCall(Struct):
    name: str
    arguments: str


class CustomCall(Struct):
    name: str
    input: str


class FunctionToolCall(Struct, tag_field="type", tag="function"):
    id: str
    function: FunctionCall


class CustomToolCall(Struct, tag_field="type", tag="custom"):
    id: str
    custom: CustomCall


class HeardAudio(Struct):
    id: str


class DeveloperMessage(Struct, tag_field="role", tag="developer"):
    content: Text
    name: str | UnsetType = UNSET


class SystemMessage(Struct, tag_field="role", tag="system"):
    content: Text
    name: str | UnsetType = UNSET


class UserMessage(Struct, tag_field="role", tag="user"):
    content: str | Annotated[list[TextPart | ImagePart | AudioPart | FilePart], Meta(min_length=1)]
    name: str | UnsetType = UNSET


class AssistantMessage(Struct, tag_field="role", tag="assistant"):
    content: str | Annotated[list[TextPart | RefusalPart], Meta(min_length=1)] | None = None
    refusal: str | None = None
    name: str | UnsetType = UNSET
    audio: HeardAudio | None = None
    tool_calls: list[FunctionToolCall | CustomToolCall] | UnsetType = UNSET
    function_call: FunctionCall | None = None


class ToolMessage(Struct, tag_field="role", tag="tool"):
    content: Text
    tool_call_id: str


class FunctionMessage(Struct, tag_field="role", tag="function"):
    content: str | None
    name: str


Message = DeveloperMessage | SystemMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage


def plain_message(message: Message, place: int) -> dict[str, Any]:
    """A message as JSON with its content as one string.

    Raises Rejected for images, sound and files: the models here read text.
    """
    plain: dict[str, Any] = msgspec.to_builtins(message)
    if isinstance(message, AssistantMessage) and message.function_call is not None:
        # The older form of one call; whoever reads on knows calls of tools alone.
        plain["tool_calls"] = [{"id": f"call_{place}", "type": "function", "function": plain.pop("function_call")}]
    if isinstance(message.content, list):
        plain["content"] = "".join(_text(part, place, number) for number, part in enumerate(message.content))
    return {name: value for name, value in plain.items() if value is not None or name == "content"}


def _text(part: Part, place: int, number: int) -> str:
    if isinstance(part, TextPart):
        return part.text
    if isinstance(part, RefusalPart):
        return part.refusal
    raise invalid(
        f"messages[{place}].content[{number}].type",
        "This model reads text only: images, audio and files cannot be given to it.",
        code="unsupported_content_type",
    )
