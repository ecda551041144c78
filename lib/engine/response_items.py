"""The items of a response's input: what each kind may carry, how they are kept, and the messages that they mean.

Source: OpenAI's Responses API as its Python client 3.52.0 types it. Knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from lib.engine.chat_format import Name
from lib.engine.chat_parts import MOST_MESSAGES
from lib.engine.protocol import invalid, typed
from lib.engine.store import new_id
from lib.errors import Rejected

Item = dict[str, Any]
REFERENCE = "item_reference"


class InputText(Struct, tag_field="type", tag="input_text"):
    text: str


class InputImage(Struct, tag_field="type", tag="input_image"):
    pass


class InputFile(Struct, tag_field="type", tag="input_file"):
    pass


class OutputText(Struct, tag_field="type", tag="output_text"):
    text: str


class Refusal(Struct, tag_field="type", tag="refusal"):
    refusal: str


Part = InputText | InputImage | InputFile | OutputText | Refusal
Content = str | Annotated[list[Part], Meta(min_length=1)]


class InputMessage(Struct):
    content: Content
    role: Literal["user", "assistant", "system", "developer"]


class FunctionCall(Struct):
    call_id: str
    name: Name
    arguments: str


class FunctionCallOutput(Struct):
    call_id: str
    output: Content


class Reference(Struct):
    id: str


def references(given: str | Sequence[Item]) -> list[str]:
    """The ids of the earlier items that an input names instead of repeating them. Raises Rejected."""
    if isinstance(given, str):
        return []
    return [
        _typed(item, Reference, f"input[{place}]").id for place, item in enumerate(given) if _kind(item) == REFERENCE
    ]


def kept_items(given: str | Sequence[Item], named: Mapping[str, Item]) -> list[Item]:
    """The items as they are kept and shown, each with an id; `named` are those that `references` tells of.

    Raises Rejected, with the path, for one that is none.
    """
    if isinstance(given, str):
        return [_message(InputMessage(given, "user"), "input")]
    return [kept for place, item in enumerate(given) for kept in _kept(item, f"input[{place}]", named)]


def messages_of(items: Sequence[Item], instructions: str | None) -> list[dict[str, Any]]:
    """The conversation that kept items and a response's own output make, for the model's template.

    Calls belong to the assistant's message before them, if there is one. Raises Rejected, in OpenAI's words, for a call
    without its output and an output without its call.
    """
    if len(items) > MOST_MESSAGES:
        raise invalid("input", f"The conversation has {len(items)} items; at most {MOST_MESSAGES} are read.")
    _check_calls(items)
    messages: list[dict[str, Any]] = [{"role": "system", "content": instructions}] if instructions else []
    for item in items:
        if item["type"] == "message":
            text = "".join(part["text"] if "text" in part else part["refusal"] for part in item["content"])
            messages.append({"role": item["role"], "content": text})
        elif item["type"] == "function_call":
            if not messages or messages[-1]["role"] != "assistant":
                messages.append({"role": "assistant", "content": None})
            function = {"name": item["name"], "arguments": item["arguments"]}
            call = {"id": item["call_id"], "type": "function", "function": function}
            messages[-1].setdefault("tool_calls", []).append(call)
        else:
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": _plain(item["output"])})
    return messages


def _kind(item: Item) -> Any:
    """What an item is. The type may be left out of messages, and of the name of an item, which is nothing but an id."""
    return item.get("type", REFERENCE if item.keys() == {"id"} else "message")


def _kept(item: Item, where: str, named: Mapping[str, Item]) -> list[Item]:
    kind = _kind(item)
    if kind == "message":
        return [_message(_typed(item, InputMessage, where), where)]
    if kind == "function_call":
        call = _typed(item, FunctionCall, where)
        return [{"id": new_id("fc_", 48), "type": kind, "status": "completed", **msgspec.to_builtins(call)}]
    if kind == "function_call_output":
        output = _typed(item, FunctionCallOutput, where)
        if not isinstance(output.output, str):
            _check_parts(output.output, f"{where}.output")
        return [{"id": new_id("fco_", 48), "type": kind, "status": "completed", **msgspec.to_builtins(output)}]
    if kind == REFERENCE:
        return [named[item["id"]]]
    if kind == "reasoning":
        # Programs send back all that they were given by other models. Nothing here reads it.
        return []
    raise invalid(f"{where}.type", f"Items of type '{str(kind)[:60]}' cannot be given to this model.")


def _message(message: InputMessage, where: str) -> Item:
    is_answer = message.role == "assistant"
    if isinstance(message.content, str):
        kind = "output_text" if is_answer else "input_text"
        content: list[Item] = [{"type": kind, "text": message.content}]
    else:
        _check_parts(message.content, f"{where}.content")
        content = msgspec.to_builtins(message.content)
    for part in content if is_answer else ():
        part |= {"annotations": []} if part["type"] == "output_text" else {}
    return {
        "id": new_id("msg_", 48),
        "type": "message",
        "status": "completed",
        "role": message.role,
        "content": content,
    }


def _check_parts(parts: Sequence[Part], where: str) -> None:
    for place, part in enumerate(parts):
        if isinstance(part, InputImage | InputFile):
            raise invalid(
                f"{where}[{place}].type",
                "This model reads text only: images and files cannot be given to it.",
                code="unsupported_content_type",
            )


def _check_calls(items: Sequence[Item]) -> None:
    open_calls: list[str] = []
    for item in items:
        if item["type"] == "function_call":
            open_calls.append(item["call_id"])
        elif item["type"] == "function_call_output":
            if item["call_id"] not in open_calls:
                said = f"No tool call found for function call output with call_id {item['call_id'][:64]}."
                raise invalid("input", said)
            open_calls.remove(item["call_id"])
    if open_calls:
        raise invalid("input", f"No tool output found for function call {open_calls[0][:64]}.")


def _plain(output: str | Sequence[Mapping[str, Any]]) -> str:
    return output if isinstance(output, str) else "".join(part.get("text", part.get("refusal", "")) for part in output)


def _typed(item: Item, kind: type[Any], where: str) -> Any:
    try:
        return typed(item, kind)
    except Rejected as error:
        param = f"{where}.{error.param}" if error.param else where
        raise Rejected(
            str(error).replace(f"'{error.param}'", f"'{param}'"), status=400, param=param, code=error.code
        ) from error
