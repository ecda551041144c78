"""The system prompt of an example, and of all examples at once.

The prompt is the first message from the system or, as reinforcement wants it, from the developer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from lib.dataset.drafts.entry import Saved
from lib.dataset.editing.where import Data, Where, readable_messages, with_message, with_messages
from lib.dataset.example import method_of
from lib.dataset.parse import parse
from lib.errors import DataError

Mode = Literal["add", "replace", "both"]
PROMPT_ROLES = ("system", "developer")


def set_system(data: Mapping[str, Any], text: str, mode: Mode) -> Data:
    """The example with this system prompt.

    "add" gives it to an example without one, "replace" to one that has one, "both" to any. An example that the mode
    does not mean, or that has no messages, comes back equal. Raises DataError for a blank text.
    """
    if not text.strip():
        raise DataError("The system prompt is empty.", "Write one, or delete the message in which it stands.")
    messages = readable_messages(data, "messages")
    at = next((index for index, entry in enumerate(messages) if _is_prompt(entry)), None)
    if at is None:
        if mode == "replace" or not messages:
            return dict(data)
        # The service refuses the role system in examples for reinforcement.
        role = "developer" if method_of(dict(data)) == "reinforcement" else "system"
        return with_messages(data, "messages", [{"role": role, "content": text}, *messages])
    if mode == "add":
        return dict(data)
    return with_message(data, Where("messages", at), {**messages[at], "content": text})


def set_system_in_all(examples: Iterable[Saved], text: str, mode: Mode) -> Iterator[tuple[int, Data, int]]:
    """(position, new data, revision) for every example that `set_system` changes, for drafts.change_all.

    Raises DataError for a blank text.
    """
    for one in examples:
        if one.line is not None:
            data = parse(one.line)
            if (made := set_system(data, text, mode)) != data:
                yield one.position, made, one.revision


def _is_prompt(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("role") in PROMPT_ROLES
