"""What a repair changes, shown before it is made: message by message, what goes and what comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import streamlit as st

from lib.dataset.difference import difference
from lib.dataset.example import NON_PREFERRED, PREFERRED, Example
from lib.dataset.excerpt import excerpt
from lib.dataset.mending import Repair
from lib.ui.plain import plain, shortened

SHOWN_CHANGES = 4
SHOWN_TEXT = 120
LONGEST = 300
ABSENT = object()

# Where it is, what goes, what comes; None where nothing goes or nothing comes.
Change = tuple[str, str | None, str | None]


def show(repair: Repair) -> None:
    """The differences between an example and what the repair makes of it."""
    if repair.after is None:
        for said in _in_short(repair.before):
            st.markdown(f":red[− {plain(said)}]")
        return
    told: list[Change] = []
    for key, gone, kept in repair.unread:
        told.append((f"Key “{shortened(key, 40)}”, which stands there twice", gone, kept))
    told.extend(_changes(repair.before, repair.after))
    for where, goes, comes in told[:SHOWN_CHANGES]:
        with st.container(gap="xxsmall"):
            st.caption(plain(where))
            if goes is not None:
                st.markdown(f":red[− {plain(shortened(goes, LONGEST))}]")
            if comes is not None:
                st.markdown(f":green[+ {plain(shortened(comes, LONGEST))}]")
    if len(told) > SHOWN_CHANGES:
        st.caption(f"{len(told) - SHOWN_CHANGES} more changes in this example.")


def _changes(before: Example, after: Example) -> Iterator[Change]:
    found = difference(before, after)
    for change in found.messages:
        yield _place(change.where, change.index), *_sides(change.before, change.after)
    for key in found.keys:
        yield f"Key “{shortened(key, 40)}”", *_sides(_value(before, key), _value(after, key))


def _sides(before: Any, after: Any) -> tuple[str | None, str | None]:
    """The excerpts that differ. Of two messages only the keys that differ are shown, of one key only its value."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if before.get(key, ABSENT) != after.get(key, ABSENT)]
        if len(keys) == 1 and keys[0] in before and keys[0] in after:
            before, after = before[keys[0]], after[keys[0]]
        else:
            before, after = ({key: one[key] for key in keys if key in one} or ABSENT for one in (before, after))
    old, new = (None if one is ABSENT or one is None else _written(one) for one in (before, after))
    return excerpt(old, new) if old is not None and new is not None else (old, new)


def _place(where: str, index: int) -> str:
    if where in PREFERRED:
        return "Preferred answer"
    return "Other answer" if where in NON_PREFERRED else f"Message {index + 1}"


def _value(example: Example, key: str) -> Any:
    held = example.data.get(key, ABSENT)
    if held is ABSENT and key.startswith("input.") and isinstance(example.data.get("input"), dict):
        return example.data["input"].get(key.removeprefix("input."), ABSENT)
    return held


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _in_short(example: Example) -> list[str]:
    """The first question and the last answer, or whatever there is."""
    said = [
        f"{entry.role}: {shortened(entry.text, SHOWN_TEXT)}"
        for entry in (*example.messages, *example.preferred)
        if entry.role not in ("system", "developer") and entry.text
    ]
    return [said[0], said[-1]] if len(said) > 1 else said or [shortened(_written(example.data), SHOWN_TEXT)]
