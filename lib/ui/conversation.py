"""An example as a conversation: roles beside texts, tool calls as code, images named and never loaded.

Everything that comes out of data goes through st.text and st.code, which read nothing into it. Knows no workspace:
what can be done with a message is handed in as `beside`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from lib.dataset.example import NON_PREFERRED, PREFERRED, Example, Message, raw_messages
from lib.dataset.example import message as read_message
from lib.ui.plain import plain, shortened

# A page must travel to the browser in a moment, whatever a message holds.
SHOWN_CHARACTERS = 12_000

CONVERSATION_KEYS = {"messages", "input", *PREFERRED, *NON_PREFERRED}

Beside = Callable[[int], None]

# What is trained on stands in the colour of training.
ROLES = {
    "system": ":gray[system]",
    "developer": ":gray[developer]",
    "user": ":gray[user]",
    "assistant": ":green[assistant]",
    "tool": ":gray[tool]",
    "function": ":gray[function]",
}


def show(
    example: Example, *, beside: Beside | None = None, editing: int | None = None, editor: Beside | None = None
) -> None:
    """The whole example. Indexes count from 0.

    `beside(index)` draws on the right of a message; `editor(index)` takes the place of the text that is being edited.
    """
    for index, entry in enumerate(raw_messages(example.data)):
        if isinstance(entry, dict):
            message(read_message(entry), index, beside=beside, editor=editor if index == editing else None)
        else:
            _json(entry)
    if example.method == "dpo":
        preferred, other = st.columns(2)
        with preferred:
            _answer("Preferred answer", "green", example.preferred)
        with other:
            _answer("Other answer", "gray", example.non_preferred)
    _left_over(example)


def message(entry: Message, index: int, *, beside: Beside | None = None, editor: Beside | None = None) -> None:
    """One message: who speaks on the left, what is said beside it, what can be done on the right."""
    who, what, do = st.columns([2, 14, 1], gap="small")
    who.markdown(f":small[**{role(entry.role)}**" + (f" {plain(shortened(entry.name, 20))}]" if entry.name else "]"))
    if beside is not None:
        with do:
            beside(index)
    with what:
        if entry.weight == 0:
            st.caption("Weight 0: not trained on")
        if editor is not None:
            editor(index)
        else:
            content(entry.content)
        for call in entry.tool_calls:
            _tool_call(call)


def role(name: str) -> str:
    """A role as markdown. One that no service knows stands out."""
    return ROLES.get(name) or f":orange[{plain(shortened(name, 20)) or 'no role'}]"


def content(value: Any) -> None:
    """A message's content: text as text, parts one below the other."""
    for part in value if isinstance(value, list) else [value]:
        match part:
            case str():
                text(part)
            case None:
                continue
            case {"text": str(words)} | {"refusal": str(words)}:
                text(words)
            case {"image_url": {"url": str(url)}} | {"image_url": str(url)}:
                st.text(f"Image, not loaded: {shortened(url, 100)}")
            case _:
                _json(part)


def text(value: str) -> None:
    """A text of any length, word for word, cut on the screen alone."""
    if not value.strip():
        st.caption("Empty" if not value else "Only white space")
    else:
        st.text(value[:SHOWN_CHARACTERS])
    if len(value) > SHOWN_CHARACTERS:
        st.caption(f"The first {SHOWN_CHARACTERS:,} of {len(value):,} characters. The data holds them all.")


def _answer(label: str, colour: str, entries: Sequence[Message]) -> None:
    st.markdown(f":small[**:{colour}[{label}]**]")
    for entry in entries:
        content(entry.content)
        for call in entry.tool_calls:
            _tool_call(call)


def _tool_call(call: Any) -> None:
    match call:
        case {"function": {"name": str(name), "arguments": str(arguments)}}:
            st.code(f"{name}({arguments})"[:SHOWN_CHARACTERS], language=None, wrap_lines=True)
        case _:
            _json(call)


def _json(value: Any) -> None:
    st.code(json.dumps(value, ensure_ascii=False, indent=1)[:SHOWN_CHARACTERS], language=None, wrap_lines=True)


def _left_over(example: Example) -> None:
    """Keys beside the conversation: tools and whatever else the file holds."""
    rest = {name: value for name, value in example.data.items() if name not in CONVERSATION_KEYS}
    match example.data.get("input"):
        case dict() as held:
            rest |= {name: value for name, value in held.items() if name != "messages"}
        case None:
            pass
        case other:
            rest["input"] = other
    if not isinstance(example.data.get("messages", []), list):
        rest["messages"] = example.data["messages"]
    if rest:
        with st.expander(f"Beside the messages: {plain(shortened(', '.join(rest), 80))}", type="compact"):
            _json(rest)
