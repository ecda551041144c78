"""Repairs that a comparison with other examples proposes: another label, the system prompt that all others have.

The label is changed where it stands; the rest of the answer keeps every character it has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from lib.dataset.example import method_of, raw_messages
from lib.dataset.fixes.places import Data

# What JSON is made of, as far as finding a key needs it.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s"{}\[\],:]++', re.DOTALL)


def rename_label(data: Data, detail: tuple[str, ...]) -> None:
    """`detail` is (field, old, new): the label in this field of the last answer's JSON, or the whole answer for ""."""
    messages = raw_messages(data)
    last = messages[-1] if messages else None
    if len(detail) != 3 or not isinstance(last, dict) or last.get("role") != "assistant":
        return
    if isinstance(last.get("content"), str):
        last["content"] = renamed(last["content"], *detail)


def use_system_prompt(data: Data, detail: tuple[str, ...]) -> None:
    """`detail` is (text,): what the first system message says; one is put before all others where there is none."""
    messages = raw_messages(data)
    if len(detail) != 1 or not messages:
        return
    roles = ("system", "developer")
    first = next((one for one in messages if isinstance(one, dict) and one.get("role") in roles), None)
    if first is not None:
        first["content"] = detail[0]
    else:
        role = "developer" if method_of(data) == "reinforcement" else "system"
        messages.insert(0, {"role": role, "content": detail[0]})


def renamed(answer: str, field: str, old: str, new: str) -> str:
    """The answer with another label."""
    if not field:
        return answer.replace(old, new, 1) if answer.strip() == old.strip() else answer
    span = _value_of(answer, field, old)
    if span is None:
        return answer
    written = json.dumps(new, ensure_ascii="\\u" in answer)
    return answer[: span[0]] + written + answer[span[1] :]


def _value_of(answer: str, field: str, value: str) -> tuple[int, int] | None:
    """Where the text that is the value of a field of the outermost object is written; None when it is not there."""
    depth = 0
    before: list[Any] = [None, None]
    for token in TOKEN.finditer(answer):
        sign = token.group()
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        elif sign[0] == '"' and depth == 1 and before[1] == ":" and _read(before[0]) == field and _read(sign) == value:
            return token.span()
        before = [before[1], sign]
    return None


def _read(written: Any) -> Any:
    try:
        return json.loads(written)
    except (TypeError, ValueError):
        return None


FIXES: dict[str, Callable[[Data, tuple[str, ...]], None]] = {
    "rename_label": rename_label,
    "use_system_prompt": use_system_prompt,
}
