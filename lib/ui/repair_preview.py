"""What a repair changes, shown before it is made: message by message, the lines that go and the lines that come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import streamlit as st

from lib.dataset.difference import difference
from lib.dataset.example import NON_PREFERRED, PREFERRED, Example
from lib.dataset.excerpt import excerpt
from lib.dataset.mending import Repair
from lib.ui.plain import shortened

SHOWN_CHANGES = 6
SHOWN_TEXT = 120
ABSENT = object()


def show(repair: Repair) -> None:
    """The differences between an example and what the repair makes of it."""
    if repair.after is None:
        st.code(f"- {_in_short(repair.before)}", language="diff", wrap_lines=True)
        return
    told = list(_changes(repair.before, repair.after))
    st.code("\n".join(told[:SHOWN_CHANGES]), language="diff", wrap_lines=True)
    if len(told) > SHOWN_CHANGES:
        st.caption(f"And {len(told) - SHOWN_CHANGES} more changes in this example.")


def _changes(before: Example, after: Example) -> Iterator[str]:
    """Each change as a few lines: those that go begin with a minus, those that come with a plus."""
    found = difference(before, after)
    for change in found.messages:
        yield "\n".join([f"@@ {_place(change.where, change.index)} @@", *_lines(change.before, change.after)])
    for key in found.keys:
        old, new = _value(before, key), _value(after, key)
        yield "\n".join([f"@@ {shortened(key, 40)} @@", *_lines(old, new)])


def _lines(before: Any, after: Any) -> Iterator[str]:
    """The excerpts that differ. Of two messages that differ in their text alone, only the text is shown."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if before.get(key, ABSENT) != after.get(key, ABSENT)]
        if len(keys) == 1 and keys[0] in before and keys[0] in after:
            before, after = before[keys[0]], after[keys[0]]
        else:
            before, after = ({key: one[key] for key in keys if key in one} for one in (before, after))
    old, new = (None if one is ABSENT or one is None or one == {} else _written(one) for one in (before, after))
    if old is not None and new is not None:
        old, new = excerpt(old, new)
    for mark, text in (("-", old), ("+", new)):
        if text is not None:
            yield from (f"{mark} {line}" for line in _cut(text).splitlines() or [""])


def _place(where: str, index: int) -> str:
    if where in PREFERRED:
        return "preferred answer"
    return "other answer" if where in NON_PREFERRED else f"message {index + 1}"


def _value(example: Example, key: str) -> Any:
    held = example.data.get(key, ABSENT)
    if held is ABSENT and key.startswith("input.") and isinstance(example.data.get("input"), dict):
        return example.data["input"].get(key.removeprefix("input."), ABSENT)
    return held


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= 600 else text[:599].rstrip() + "…"


def _in_short(example: Example) -> str:
    said = [f"{entry.role}: {shortened(entry.text, SHOWN_TEXT)}" for entry in example.messages if entry.text]
    return "\n- ".join(said[:1] + said[-1:] if len(said) > 1 else said) or shortened(_written(example.data), SHOWN_TEXT)
