"""Repairs: for a finding with an obvious repair, the example as it would be afterwards. Nothing is changed in place.

Knows the fixes that findings name, and no file: keeping a repaired example is for drafts.py.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Any

from lib.dataset.dialects import converted
from lib.dataset.example import NON_PREFERRED, PREFERRED, SUPERVISED_KEYS, Example, encode, raw_messages
from lib.dataset.finding import Finding
from lib.dataset.rules import preference
from lib.dataset.rules.messages import COMMON_KEYS, KNOWN_AS, OWN_KEYS
from lib.dataset.rules.quality import LIKE_SPECIAL, SPECIAL
from lib.dataset.rules.secrets import masked

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unrepairable:
    """Only a person can tell what was meant."""

    why: str


def repair(example: Example, finding: Finding) -> Example | Unrepairable | None:
    """The example after the repair that the finding names; None when the repair takes it out."""
    if finding.fix is None:
        return Unrepairable("Only a person can tell what was meant here.")
    if finding.fix == "remove_example":
        return None
    change = FIXES.get(finding.fix)
    if change is None:
        return Unrepairable(f"There is no repair called “{finding.fix}”.")
    data = copy.deepcopy(example.data)
    change(data)
    if encode(data) == encode(example.data):
        return Unrepairable("The repair changes nothing: the example is no longer as it was when it was checked.")
    return Example(data)


def _remove_extra_keys(data: Data) -> None:
    if "messages" in data:
        _keep(data, SUPERVISED_KEYS)
    elif isinstance(data.get("input"), dict):
        _keep(data, preference.KEYS)
        _keep(data["input"], preference.INPUT_KEYS)
    for entry in _messages(data):
        _keep(entry, COMMON_KEYS | OWN_KEYS.get(str(entry.get("role")), frozenset()))


def _convert(data: Data) -> None:
    made = converted(data)
    if made is not None:
        data.clear()
        data.update(made)


def _drop_after_the_last_answer(data: Data) -> None:
    messages = raw_messages(data)
    while messages and not (isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant"):
        messages.pop()


def _drop_empty_messages(data: Data) -> None:
    messages = raw_messages(data)
    messages[:] = [entry for entry in messages if not _is_empty(entry)]


def _developer_to_system(data: Data) -> None:
    _rename_roles(data, {"developer": "system"})


def _system_to_developer(data: Data) -> None:
    _rename_roles(data, {"system": "developer"})


def _rename_role(data: Data) -> None:
    for entry in _messages(data):
        if isinstance(entry.get("role"), str):
            entry["role"] = KNOWN_AS.get(entry["role"].strip().lower(), entry["role"])


def _rename_answers(data: Data) -> None:
    for name, other in (PREFERRED, NON_PREFERRED):
        if other in data and name not in data:
            data[name] = data.pop(other)


def _round_weight(data: Data) -> None:
    for entry in _messages(data):
        if "weight" in entry:
            entry["weight"] = _nearest_weight(entry["weight"])


def _content_to_text(data: Data) -> None:
    for entry in _messages(data):
        if not isinstance(entry.get("content"), (str, list, NoneType)):
            entry["content"] = _as_text(entry["content"])


def _arguments_to_text(data: Data) -> None:
    for entry in _messages(data):
        calls = entry.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and not isinstance(function.get("arguments"), str):
                function["arguments"] = _as_text(function.get("arguments", {}))


def _mask_secrets(data: Data) -> None:
    _change_texts(data, masked)


def _break_special_tokens(data: Data) -> None:
    def broken(text: str) -> str:
        for mark in (SPECIAL, LIKE_SPECIAL):
            text = mark.sub(lambda found: found.group().replace("<|", "<").replace("|>", ">"), text)
        return text

    _change_texts(data, broken)


def _replace_half_characters(data: Data) -> None:
    _change_texts(data, lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _change_texts(held: Any, change: Callable[[str], str]) -> None:
    """Change every text inside a value, keys excepted."""
    waiting: list[Any] = [held]
    while waiting:
        place = waiting.pop()
        for key, value in list(place.items() if isinstance(place, dict) else enumerate(place)):
            if isinstance(value, str):
                place[key] = change(value)
            elif isinstance(value, (dict, list)):
                waiting.append(value)


def _rename_roles(data: Data, names: dict[str, str]) -> None:
    for entry in _messages(data):
        if isinstance(entry.get("role"), str) and entry["role"] in names:
            entry["role"] = names[entry["role"]]


def _keep(held: Data, allowed: frozenset[str]) -> None:
    for key in held.keys() - allowed:
        del held[key]


def _messages(data: Data) -> list[Data]:
    return [entry for entry in raw_messages(data) if isinstance(entry, dict)]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_empty(entry: Any) -> bool:
    content = entry.get("content") if isinstance(entry, dict) else entry
    return isinstance(content, str) and not content.strip() and not entry.get("tool_calls")


def _nearest_weight(weight: Any) -> int:
    if isinstance(weight, str):
        weight = weight.strip().lower() not in ("0", "0.0", "false", "")
    return int(bool(weight))


FIXES: dict[str, Callable[[Data], None]] = {
    "arguments_to_text": _arguments_to_text,
    "break_special_tokens": _break_special_tokens,
    "content_to_text": _content_to_text,
    "convert": _convert,
    "developer_to_system": _developer_to_system,
    "drop_empty_messages": _drop_empty_messages,
    "drop_messages_after_the_last_answer": _drop_after_the_last_answer,
    "mask_secrets": _mask_secrets,
    "remove_extra_keys": _remove_extra_keys,
    "rename_answers": _rename_answers,
    "rename_role": _rename_role,
    "replace_half_characters": _replace_half_characters,
    "round_weight": _round_weight,
    "system_to_developer": _system_to_developer,
}
