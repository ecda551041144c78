"""Where in an example something stands: which list of messages, and which message in it.

Every function of this package goes through here, so that one that names a place that is not there says so in a
sentence. Shares what it does not change with the data it was given, and changes nothing in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib.dataset.example import NON_PREFERRED, PREFERRED
from lib.errors import DataError

Data = dict[str, Any]
ListName = Literal["messages", "preferred", "non_preferred"]

CALLED: dict[ListName, str] = {
    "messages": "the messages",
    "preferred": "the preferred answer",
    "non_preferred": "the other answer",
}


@dataclass(frozen=True, slots=True)
class Where:
    """A message: its list, and its index from 0.

    "messages" are those of a conversation, or those of the input of a preference pair.
    """

    list: ListName
    index: int


def messages_at(data: Mapping[str, Any], name: ListName) -> list[Any]:
    """A copy of a list of messages; empty where the example has none yet. Raises DataError when it is no list."""
    held = _held(data, name)
    if held is not None and not isinstance(held, list):
        raise DataError(f"What stands where {CALLED[name]} should be is no list.", "Edit the example as JSON.")
    return list(held or [])


def readable_messages(data: Mapping[str, Any], name: ListName) -> list[Any]:
    """A copy of a list of messages; empty where there is none, or something else. For changes of many examples."""
    held = _held(data, name)
    return list(held) if isinstance(held, list) else []


def with_messages(data: Mapping[str, Any], name: ListName, messages: list[Any]) -> Data:
    """The example with another list of messages."""
    *above, key = _path(data, name)
    made = dict(data)
    inner = made
    for step in above:
        held = inner.get(step)
        inner[step] = dict(held) if isinstance(held, dict) else {}
        inner = inner[step]
    inner[key] = messages
    return made


def message_at(data: Mapping[str, Any], where: Where) -> Data:
    """A copy of one message. Raises DataError when there is none, or when it is no object."""
    messages = messages_at(data, where.list)
    check_index(messages, where)
    held = messages[where.index]
    if not isinstance(held, dict):
        text = f"Message {where.index + 1} of {CALLED[where.list]} is no object, so it has no parts to change."
        raise DataError(text, "Delete it, or edit the example as JSON.")
    return dict(held)


def with_message(data: Mapping[str, Any], where: Where, message: Data) -> Data:
    """The example with another message at this place. Raises DataError when there is no such place."""
    messages = messages_at(data, where.list)
    check_index(messages, where)
    messages[where.index] = message
    return with_messages(data, where.list, messages)


def check_index(messages: list[Any], where: Where) -> None:
    """Raise DataError when there is no message at this place."""
    if not 0 <= where.index < len(messages):
        count = "1 message" if len(messages) == 1 else f"{len(messages)} messages"
        raise DataError(
            f"There is no message {where.index + 1} in {CALLED[where.list]}: there are {count}.",
            "Load the page again; the example may have been changed in another window.",
        )


def is_pair(data: Mapping[str, Any]) -> bool:
    """Whether the messages stand inside an input, as in a preference pair."""
    return "messages" not in data and any(key in data for key in ("input", *PREFERRED, *NON_PREFERRED))


def _held(data: Mapping[str, Any], name: ListName) -> Any:
    held: Any = data
    for key in _path(data, name):
        held = held.get(key) if isinstance(held, Mapping) else None
    return held


def _path(data: Mapping[str, Any], name: ListName) -> tuple[str, ...]:
    if name == "messages":
        return ("input", "messages") if is_pair(data) else ("messages",)
    names = PREFERRED if name == "preferred" else NON_PREFERRED
    return (next((key for key in names if key in data), names[0]),)
