"""Repairs of keys: extra ones go, misplaced ones too, other names become the right ones, nulls are left out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from lib.dataset.convert.dialects import converted
from lib.dataset.example import NON_PREFERRED, PREFERRED, SUPERVISED_KEYS
from lib.dataset.fixes.places import Data, messages_of, parts_of
from lib.dataset.rules import preference
from lib.dataset.rules.declared import holder_of
from lib.dataset.rules.messages import ALL_KEYS, COMMON_KEYS, NULLABLE, OWN_KEYS, PART_KEYS, ROLES
from lib.dataset.rules.tools import as_boolean


def remove_extra_keys(data: Data) -> None:
    """Keys beside those of the format, of the example and of a pair's input."""
    if "messages" in data:
        _keep(data, SUPERVISED_KEYS)
    elif isinstance(data.get("input"), dict):
        _keep(data, preference.KEYS)
        _keep(data["input"], preference.INPUT_KEYS)


def remove_extra_message_keys(data: Data) -> None:
    """Keys that messages of the role do not have; a weight is kept, see drop_misplaced_weights."""
    for entry in messages_of(data):
        known = entry.get("role") in ROLES
        _keep(entry, COMMON_KEYS | OWN_KEYS.get(entry["role"], frozenset()) | {"weight"} if known else ALL_KEYS)


def remove_extra_part_keys(data: Data) -> None:
    """Keys that parts of the type do not have."""
    for entry in messages_of(data):
        for part in parts_of(entry):
            if isinstance(part.get("type"), str) and part["type"] in PART_KEYS:
                _keep(part, PART_KEYS[part["type"]])


def drop_misplaced_weights(data: Data) -> None:
    """Weights of messages that are not the assistant's."""
    for entry in messages_of(data):
        if entry.get("role") in ROLES and entry["role"] != "assistant":
            entry.pop("weight", None)


def drop_nulls(data: Data) -> None:
    """Keys that are null where the format allows none."""
    holder = holder_of(data)
    for key in ("tools", "functions", "parallel_tool_calls"):
        _drop_null(holder, key)
    for entry in messages_of(data):
        role = entry.get("role")
        nullable = NULLABLE.get(role, frozenset()) if isinstance(role, str) else frozenset()
        for key in ALL_KEYS - nullable - {"role", "content"}:
            _drop_null(entry, key)


def drop_image_details(data: Data) -> None:
    """Details of images that are none of those there are; a service then decides by itself."""
    for entry in messages_of(data):
        for part in parts_of(entry):
            image = part.get("image_url")
            if isinstance(image, dict) and image.get("detail") not in ("low", "high", "auto"):
                image.pop("detail", None)


def drop_response_format(data: Data) -> None:
    """The format of answers, which belongs in the job."""
    data.pop("response_format", None)


def drop_parallel_tool_calls(data: Data) -> None:
    """What says how tools are called where there are none."""
    if "tools" not in holder_of(data):
        holder_of(data).pop("parallel_tool_calls", None)


def parallel_to_boolean(data: Data) -> None:
    """true or false where a text or a number means it."""
    holder = holder_of(data)
    meant = as_boolean(holder.get("parallel_tool_calls"))
    if meant is not None:
        holder["parallel_tool_calls"] = meant


def rename_answers(data: Data) -> None:
    """The answers of a pair get the names of the guides."""
    for name, other in (PREFERRED, NON_PREFERRED):
        if other in data and name not in data:
            data[name] = data.pop(other)


def convert(data: Data) -> None:
    """Another tool's format becomes that of the services."""
    made = converted(data)
    if made is not None:
        data.clear()
        data.update(made)


def _keep(held: Data, allowed: Collection[str]) -> None:
    for key in held.keys() - set(allowed):
        del held[key]


def _drop_null(held: dict[str, Any], key: str) -> None:
    if key in held and held[key] is None:
        del held[key]


FIXES: dict[str, Callable[[Data], None]] = {
    "convert": convert,
    "drop_image_details": drop_image_details,
    "drop_misplaced_weights": drop_misplaced_weights,
    "drop_nulls": drop_nulls,
    "drop_parallel_tool_calls": drop_parallel_tool_calls,
    "drop_response_format": drop_response_format,
    "parallel_to_boolean": parallel_to_boolean,
    "remove_extra_keys": remove_extra_keys,
    "remove_extra_message_keys": remove_extra_message_keys,
    "remove_extra_part_keys": remove_extra_part_keys,
    "rename_answers": rename_answers,
}
