"""Two forms of one example beside each other: only what differs, with the words marked that the other form has not.

Used where a person chooses between two texts, and where a change is shown before it is made. Knows no workspace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.dataset.difference import MessageChange, difference
from lib.dataset.example import Example, content_text
from lib.dataset.word_difference import Piece, around, marked
from lib.ui.figures import number_of
from lib.ui.plain import plain

# What is compared word by word, and how many messages of one example are shown.
LONGEST = 20_000
MOST_SHOWN = 8
BLANKS = re.compile(r"(\s+)")
LINE_END = re.compile(r"\r?\n")
LISTS = {
    "messages": "message",
    "preferred_output": "preferred answer, message",
    "preferred_completion": "preferred answer, message",
    "non_preferred_output": "other answer, message",
    "non_preferred_completion": "other answer, message",
}


@dataclass(frozen=True, slots=True)
class Sides:
    """What the two forms are called, and on which ground stands what the other has not."""

    names: tuple[str, str]
    colours: tuple[str, str]


CHANGE = Sides(("Before", "After"), ("red", "green"))
# Neither is the right one.
CHOICE = Sides(("Yours, not saved", "The other, saved first"), ("violet", "orange"))


def show(before: Example | None, after: Example | None, sides: Sides = CHANGE) -> None:
    """What differs between the two, the first on the left. None stands for a removed example."""
    if before is None or after is None:
        for column, label, example in zip(st.columns(2, gap="medium"), sides.names, (before, after), strict=True):
            with column:
                st.caption(f"**{label}**")
                _whole(example)
        return
    found = difference(before, after)
    for change in found.messages[:MOST_SHOWN]:
        _message(change, sides)
    if len(found.messages) > MOST_SHOWN:
        st.caption(f"{number_of(len(found.messages) - MOST_SHOWN, 'more message differs', 'more messages differ')}.")
    for key in found.keys:
        _pair(f"{plain(key)}", _value(before, key), _value(after, key), sides)
    if not found.messages and not found.keys:
        st.caption("Both say the same.")


def as_markdown(pieces: Sequence[Piece], colour: str) -> str:
    """A text as markdown that reads nothing into it, line by line as it is, with what changed on a coloured ground."""
    lines = [""]
    for piece in _joined(pieces):
        for number, stretch in enumerate(LINE_END.split(piece.text)):
            if number and piece.changed:
                lines[-1] += f":{colour}-background[↵]"
            if number:
                lines.append("")
            if stretch:
                shown = _plain(stretch, begins=not lines[-1])
                lines[-1] += f":{colour}-background[{shown}]" if piece.changed else shown
    return "  \n".join(line or "\u00a0" for line in lines)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with what changed on both sides of a blank as one."""
    made: list[Piece] = []
    for at, piece in enumerate(pieces):
        between = 0 < at < len(pieces) - 1 and piece.text == " "
        changed = piece.changed or (between and pieces[at - 1].changed and pieces[at + 1].changed)
        if made and made[-1].changed and changed:
            made[-1] = Piece(made[-1].text + piece.text, True)
        else:
            made.append(Piece(piece.text, changed))
    return made


def _plain(text: str, *, begins: bool) -> str:
    """A part of a line as plain text. Blanks of which markdown would leave out some are made hard ones."""
    shown = ""
    for word in BLANKS.split(text):
        hard = len(word) > 1 or not (shown or not begins) or word == "\t"
        shown += plain(word) if word.strip() else ("\u00a0" * len(word) if hard else word)
    return shown if shown.strip(" ") else shown.replace(" ", "\u00a0")


def _message(change: MessageChange, sides: Sides) -> None:
    entry = change.after if change.after is not None else change.before
    role = entry.get("role") if isinstance(entry, dict) else None
    title = f"{LISTS.get(change.where, change.where)} {change.index + 1}".capitalize()
    if isinstance(role, str):
        title += f", {plain(role[:20])}"
    _pair(title, _written(change.before, change.after), _written(change.after, change.before), sides)


def _pair(title: str, before: str | None, after: str | None, sides: Sides) -> None:
    old, new = (text[:LONGEST] if text else "" for text in (before, after))
    left, right = (around(pieces) for pieces in marked(old, new))
    columns = st.columns(2, gap="medium")
    every = zip(columns, sides.names, sides.colours, (before, after), (left, right), strict=True)
    for column, label, colour, text, pieces in every:
        with column, st.container(gap="xxsmall"):
            st.caption(f"{title} · **{label}**")
            if text is None:
                st.caption("Not there")
            else:
                st.markdown(as_markdown(pieces, colour) if text else "\u00a0")
                if len(text) > LONGEST:
                    st.caption(f"Compared are the first {LONGEST:,} of {len(text):,} characters.")


def _written(entry: Any, other: Any) -> str | None:
    """A message as text: its words, its calls, and those of its other keys that differ."""
    if entry is None:
        return None
    if not isinstance(entry, dict):
        return json.dumps(entry, ensure_ascii=False)
    compared = other if isinstance(other, Mapping) else {}
    lines = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in entry.items()
        if key not in ("content", "tool_calls") and (key not in compared or compared[key] != value)
        if compared or key != "role"
    ]
    content = entry.get("content")
    if content is not None:
        only_text = isinstance(content, str) or (
            content_text(content) != content_text(compared.get("content")) and isinstance(content, list)
        )
        lines.append(content_text(content) if only_text else json.dumps(content, ensure_ascii=False))
    calls = entry.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        match call:
            case {"function": {"name": str(name), "arguments": str(arguments)}}:
                lines.append(f"{name}({arguments})")
            case _:
                lines.append(json.dumps(call, ensure_ascii=False))
    return "\n".join(lines)


def _value(example: Example, key: str) -> str | None:
    holder: Any = example.data
    if key.startswith("input.") and key not in holder:
        holder, key = holder.get("input"), key.removeprefix("input.")
    if not isinstance(holder, Mapping) or key not in holder:
        return None
    return json.dumps(holder[key], ensure_ascii=False, indent=1)


def _whole(example: Example | None) -> None:
    from lib.ui import conversation

    if example is None:
        st.caption("Removed")
    else:
        conversation.show(example, key="compared")
