"""Repairs of messages: roles, weights, names, what their content is made of, and messages that say nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import NoneType
from typing import Any

from lib.dataset.example import raw_messages
from lib.dataset.fixes.places import Data, messages_of
from lib.dataset.rules.messages import KNOWN_AS, NAME, clean_name, is_empty


def drop_messages_after_the_last_answer(data: Data) -> None:
    """What follows the last message of the assistant."""
    messages = raw_messages(data)
    while messages and not (isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant"):
        messages.pop()


def drop_empty_messages(data: Data) -> None:
    """Messages that say nothing at all."""
    messages = raw_messages(data)
    messages[:] = [entry for entry in messages if not is_empty(entry)]


def developer_to_system(data: Data) -> None:
    """The role developer becomes system."""
    _rename_roles(data, {"developer": "system"})


def system_to_developer(data: Data) -> None:
    """The role system becomes developer, as examples for reinforcement want it."""
    _rename_roles(data, {"system": "developer"})


def rename_role(data: Data) -> None:
    """Roles as other tools call them get their names here."""
    for entry in messages_of(data):
        if isinstance(entry.get("role"), str):
            entry["role"] = KNOWN_AS.get(entry["role"].strip().lower(), entry["role"])


def round_weight(data: Data) -> None:
    """A weight becomes 1, or 0 when it means nothing."""
    for entry in messages_of(data):
        weight = entry.get("weight")
        if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
            entry["weight"] = _nearest_weight(weight)


def clean_names(data: Data) -> None:
    """Names lose what services refuse in them."""
    for entry in messages_of(data):
        name = entry.get("name")
        if isinstance(name, str) and not NAME.fullmatch(name) and clean_name(name):
            entry["name"] = clean_name(name)


def content_to_text(data: Data) -> None:
    """Content that is neither text nor parts becomes the text of its JSON."""
    for entry in messages_of(data):
        if not isinstance(entry.get("content"), (str, list, NoneType)):
            entry["content"] = json.dumps(entry["content"], ensure_ascii=False)


def text_to_parts(data: Data) -> None:
    """Texts that stand in a list of parts become parts."""
    for entry in messages_of(data):
        if isinstance(entry.get("content"), list):
            entry["content"] = [
                {"type": "text", "text": part} if isinstance(part, str) else part for part in entry["content"]
            ]


def _rename_roles(data: Data, names: dict[str, str]) -> None:
    for entry in messages_of(data):
        if isinstance(entry.get("role"), str) and entry["role"] in names:
            entry["role"] = names[entry["role"]]


def _nearest_weight(weight: Any) -> int:
    if isinstance(weight, str):
        weight = weight.strip().lower() not in ("0", "0.0", "false", "no", "")
    return int(bool(weight))


FIXES: dict[str, Callable[[Data], None]] = {
    "clean_names": clean_names,
    "content_to_text": content_to_text,
    "developer_to_system": developer_to_system,
    "drop_empty_messages": drop_empty_messages,
    "drop_messages_after_the_last_answer": drop_messages_after_the_last_answer,
    "rename_role": rename_role,
    "round_weight": round_weight,
    "system_to_developer": system_to_developer,
    "text_to_parts": text_to_parts,
}
