"""Changes of tools: the calls that a message makes, and the tools that an example declares.

Arguments and declarations come as the text a person typed; lib.dataset.editing.typed says where it is no JSON.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from lib.dataset.editing.typed import Mistake, read_list, read_object, refused
from lib.dataset.editing.where import Data, Where, is_pair, message_at, with_message
from lib.errors import DataError


def set_tool_call(
    data: Mapping[str, Any], where: Where, call: int, *, name: str | None = None, arguments: str | None = None
) -> Data:
    """The example with another name or other arguments of one call (from 0) of a message; None leaves them.

    Arguments are kept exactly as typed. Raises DataError when there is no such call, and with line and column when the
    arguments are not one JSON object.
    """
    message = message_at(data, where)
    calls = _calls(message)
    _check_call(calls, call, where)
    held = calls[call] if isinstance(calls[call], dict) else {}
    function = dict(held["function"]) if isinstance(held.get("function"), dict) else {}
    if name is not None:
        function["name"] = name
    if arguments is not None:
        function["arguments"] = _checked(arguments)
    calls[call] = {**held, "function": function}
    return with_message(data, where, {**message, "tool_calls": calls})


def add_tool_call(data: Mapping[str, Any], where: Where, name: str, arguments: str = "{}") -> Data:
    """The example with one more call at the end of a message's calls, with an id of its own.

    Raises DataError as `set_tool_call` does.
    """
    message = message_at(data, where)
    made = {
        "id": f"call_{secrets.token_hex(12)}",
        "type": "function",
        "function": {"name": name, "arguments": _checked(arguments)},
    }
    return with_message(data, where, {**message, "tool_calls": [*_calls(message), made]})


def delete_tool_call(data: Mapping[str, Any], where: Where, call: int) -> Data:
    """The example without one call of a message. After the last one the message has no list of calls any more.

    A message without calls must have a text: where the content was null it becomes an empty one. Raises DataError when
    there is no such call.
    """
    message = message_at(data, where)
    calls = _calls(message)
    _check_call(calls, call, where)
    del calls[call]
    if calls:
        message["tool_calls"] = calls
    else:
        del message["tool_calls"]
        message["content"] = "" if message.get("content") is None else message["content"]
    return with_message(data, where, message)


def set_tools(data: Mapping[str, Any], text: str) -> Data:
    """The example with other tools, from a JSON list as it was typed; a blank text takes the declaration away.

    Raises DataError with line and column when the text is not one JSON list.
    """
    tools = read_list(text) if text.strip() else None
    if isinstance(tools, Mistake):
        raise refused(tools)
    made = dict(data)
    holder = made
    if is_pair(data):
        held = data.get("input")
        holder = made["input"] = dict(held) if isinstance(held, dict) else {}
    if tools is None:
        holder.pop("tools", None)
    else:
        holder["tools"] = tools
    return made


def _calls(message: Data) -> list[Any]:
    held = message.get("tool_calls")
    return list(held) if isinstance(held, list) else []


def _check_call(calls: list[Any], call: int, where: Where) -> None:
    if not 0 <= call < len(calls):
        count = {0: "no calls", 1: "1 call"}.get(len(calls), f"{len(calls)} calls")
        raise DataError(
            f"Message {where.index + 1} has no call {call + 1}: it has {count}.",
            "Load the page again; the example may have been changed in another window.",
        )


def _checked(arguments: str) -> str:
    if isinstance(mistake := read_object(arguments), Mistake):
        raise refused(mistake)
    return arguments
