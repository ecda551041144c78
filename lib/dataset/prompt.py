"""What an example asks, in a form that can be compared: two examples with the same prompt belong together.

Upper and lower case and blanks do not count. Knows nothing of splits and findings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lib.dataset.example import content_text, raw_messages


def prompt_of(data: Mapping[str, Any]) -> str:
    """Everything before the last answer, roles and texts, in lower case and with single blanks."""
    messages = raw_messages(data)
    if "messages" not in data and isinstance(data.get("prompt"), str):
        return _plain(data["prompt"])
    last = len(messages)
    if "messages" in data:
        last = max((i for i, entry in enumerate(messages) if _role(entry) == "assistant"), default=len(messages))
    return "\n".join(f"{_role(entry)}: {_plain(_said(entry))}" for entry in messages[:last])


def whole(data: Mapping[str, Any]) -> str:
    """The example in a form in which two examples are equal exactly when all their values are."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def _role(entry: Any) -> str:
    return str(entry.get("role")) if isinstance(entry, dict) else ""


def _said(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    calls = entry.get("tool_calls")
    return content_text(entry.get("content")) + (json.dumps(calls, sort_keys=True) if calls else "")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
