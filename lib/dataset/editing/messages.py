"""Changes of one message: its text, role, name and weight, and its place among the others.

Knows no rule about what training accepts: a message may be changed into one that the check then reports.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

from lib.dataset.editing.where import (
    CALLED,
    Data,
    Where,
    check_index,
    message_at,
    messages_at,
    with_message,
    with_messages,
)
from lib.dataset.rules.messages import ROLES
from lib.errors import DataError


def set_text(data: Mapping[str, Any], where: Where, text: str, part: int | None = None) -> Data:
    """The example with another text in a message, or in the part (from 0) of a content that has parts.

    Without a text, a message that calls tools has no content (null), as services write it. Raises DataError when there
    is no such message or part, and when the content has parts and none is named.
    """
    message = message_at(data, where)
    content = message.get("content")
    if part is not None:
        message["content"] = _with_part(content, part, text, where)
    elif isinstance(content, list):
        raise DataError(
            f"The content of message {where.index + 1} has {len(content)} parts.", "Say which of them gets the text."
        )
    else:
        message["content"] = None if not text and message.get("tool_calls") else text
    return with_message(data, where, message)


def set_role(data: Mapping[str, Any], where: Where, role: str) -> Data:
    """The example with another role for a message. Raises DataError for a role that nobody knows."""
    return with_message(data, where, {**message_at(data, where), "role": _known(role)})


def set_name(data: Mapping[str, Any], where: Where, name: str | None) -> Data:
    """The example with another name of a message's author; None or an empty text takes the name away."""
    return with_message(data, where, _with_key(message_at(data, where), "name", name or None))


def set_weight(data: Mapping[str, Any], where: Where, weight: int | None) -> Data:
    """The example with another weight of a message: 1 is trained on, 0 is not, None says nothing.

    Raises DataError for any other weight.
    """
    if weight not in (0, 1, None):
        raise DataError(f"A weight is 0 or 1, not {weight}.", "0 leaves the message out of what is trained on.")
    return with_message(
        data, where, _with_key(message_at(data, where), "weight", None if weight is None else int(weight))
    )


def move_message(data: Mapping[str, Any], where: Where, direction: Literal["up", "down"]) -> Data:
    """The example with a message and its neighbour in each other's places.

    Raises DataError when there is no such message or neighbour.
    """
    messages = messages_at(data, where.list)
    check_index(messages, where)
    other = where.index + (-1 if direction == "up" else 1)
    if not 0 <= other < len(messages):
        end = "first" if direction == "up" else "last"
        raise DataError(
            f"Message {where.index + 1} is the {end} of {CALLED[where.list]} already.",
            f"It cannot be moved {direction}.",
        )
    messages[where.index], messages[other] = messages[other], messages[where.index]
    return with_messages(data, where.list, messages)


def add_message(data: Mapping[str, Any], where: Where, role: str, text: str = "") -> Data:
    """The example with one more message at this place, before what stands there; at the end when nothing does.

    Raises DataError for a role that nobody knows and a place past the end.
    """
    messages = messages_at(data, where.list)
    if where.index != len(messages):
        check_index(messages, where)
    messages.insert(where.index, {"role": _known(role), "content": text})
    return with_messages(data, where.list, messages)


def duplicate_message(data: Mapping[str, Any], where: Where) -> Data:
    """The example with a message twice, the second right after the first. Raises DataError when there is none."""
    messages = messages_at(data, where.list)
    check_index(messages, where)
    messages.insert(where.index + 1, copy.deepcopy(messages[where.index]))
    return with_messages(data, where.list, messages)


def delete_message(data: Mapping[str, Any], where: Where) -> Data:
    """The example without a message. Raises DataError when there is none."""
    messages = messages_at(data, where.list)
    check_index(messages, where)
    del messages[where.index]
    return with_messages(data, where.list, messages)


def _known(role: str) -> str:
    if role not in ROLES:
        raise DataError(f"“{role}” is no role.", f"Roles are {', '.join(ROLES[:-1])} and {ROLES[-1]}.")
    return role


def _with_key(message: Data, key: str, value: Any) -> Data:
    if value is None:
        message.pop(key, None)
    else:
        message[key] = value
    return message


def _with_part(content: Any, part: int, text: str, where: Where) -> list[Any]:
    parts = list(content) if isinstance(content, list) else []
    if not 0 <= part < len(parts):
        raise DataError(
            f"The content of message {where.index + 1} has no part {part + 1}.", "Load the page again and choose one."
        )
    held = parts[part]
    if isinstance(held, dict) and (key := next((key for key in ("text", "refusal") if key in held), None)):
        parts[part] = {**held, key: text}
    elif isinstance(held, str):
        parts[part] = text
    else:
        raise DataError(
            f"Part {part + 1} of message {where.index + 1} holds no text.", "Edit the example as JSON to change it."
        )
    return parts
