"""An example as a conversation: roles beside texts, tool calls as code, images named and never fetched.

Everything that comes out of data goes through st.text and st.code, which read nothing into it. Knows no workspace:
what can be done with a message is handed in as `beside` and `editor`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.dataset.editing import fields, typed
from lib.dataset.editing.layout import laid_out
from lib.dataset.editing.where import ListName, Where, readable_messages
from lib.dataset.example import NON_PREFERRED, PREFERRED, Example, method_of
from lib.dataset.rules.messages import ALL_KEYS
from lib.ui import pictures
from lib.ui.plain import plain, shortened

# A page must travel to the browser in a moment, whatever a message holds.
SHOWN_CHARACTERS = 12_000
SHOWN_MESSAGES = 40

CONVERSATION_KEYS = {"messages", "input", *PREFERRED, *NON_PREFERRED}
ANSWERS: tuple[tuple[ListName, str], ...] = (
    ("preferred", ":green[Preferred answer]"),
    ("non_preferred", ":gray[Other answer]"),
)

Beside = Callable[[Where], None]


@dataclass(frozen=True, slots=True)
class Open:
    """The message that is being edited, drawn by `editor`. `new` says that it is not there yet: it comes before."""

    where: Where
    editor: Callable[[], None]
    new: bool = False


def show(
    example: Example,
    *,
    beside: Beside | None = None,
    below: Callable[[], None] | None = None,
    opened: Open | None = None,
    key: str = "",
) -> None:
    """The whole example. `beside` draws what can be done with a message on its right, `below` what follows them all.

    `key` tells examples apart: a long conversation is turned to its first page for each of them.
    """
    data = example.data
    _list(data, "messages", beside, opened, key)
    if below is not None:
        below()
    if "messages" not in data and "prompt" in data:
        for name in ("prompt", "completion"):
            _row(f":small[**{name}**]", data.get(name))
    if example.method == "dpo":
        for column, (name, label) in zip(st.columns(2, gap="medium"), ANSWERS, strict=True):
            with column:
                st.markdown(f":small[**{label}**]")
                _list(data, name, beside, opened, key)
    _around(example)


def text(value: str) -> None:
    """A text of any length, word for word, cut on the screen alone."""
    if not value.strip():
        st.caption("Empty" if not value else "Only white space")
    else:
        st.text(value[:SHOWN_CHARACTERS])
    if len(value) > SHOWN_CHARACTERS:
        st.caption(f"The first {SHOWN_CHARACTERS:,} of {len(value):,} characters. The data holds them all.")


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
            case {"image_url": image}:
                pictures.show(image)
            case _:
                _json(part)


def role(entry: Mapping[str, Any], *, trained: bool = True) -> str:
    """A message's role as markdown: in the colour of training where it is trained on, orange where nobody knows it."""
    match entry.get("role"):
        case "assistant" if trained and entry.get("weight") != 0:
            return ":green[assistant]"
        case "assistant" | "system" | "developer" | "user" | "tool" | "function" as known:
            return f":gray[{known}]"
        case str(other) if other.strip():
            return f":orange[{plain(shortened(other, 20))}]"
        case _:
            return ":orange[no role]"


def _list(data: Mapping[str, Any], name: ListName, beside: Beside | None, opened: Open | None, key: str) -> None:
    messages = readable_messages(data, name)
    at = opened.where.index if opened and opened.where.list == name else None
    for index in _page(len(messages), at, f"{key}_{name}"):
        where = Where(name, index)
        if opened and opened.where == where and opened.new:
            opened.editor()
        if opened and opened.where == where and not opened.new:
            opened.editor()
        else:
            _message(messages, where, beside, trained=method_of(data) == "supervised")
    if opened and opened.new and at == len(messages):
        opened.editor()


def _page(count: int, at: int | None, key: str) -> range:
    """The messages that are shown: all of them, or the page that is turned to, or the one with the message `at`."""
    pages = -(-count // SHOWN_MESSAGES)
    if pages <= 1:
        return range(count)
    page = min(at // SHOWN_MESSAGES + 1, pages) if at is not None else st.pagination(pages, key=f"messages_{key}")
    shown = range((page - 1) * SHOWN_MESSAGES, min(page * SHOWN_MESSAGES, count))
    st.caption(f"Messages {shown.start + 1:,} to {shown.stop:,} of {count:,}")
    return shown


def _message(messages: Sequence[Any], where: Where, beside: Beside | None, *, trained: bool) -> None:
    """One message: who speaks on the left, what is said beside it, what can be done on the right."""
    entry = messages[where.index]
    if not isinstance(entry, dict):
        _row(":small[:orange[no object]]", entry, beside, where, as_json=True)
        return
    name = entry.get("name")
    who = f":small[**{role(entry, trained=trained)}**" + (f" {plain(shortened(str(name), 20))}]" if name else "]")
    if where.list != "messages" and entry.get("role") == "assistant" and not name:
        # Its heading says who speaks.
        who = ""
    _row(who, entry, beside, where, notes=_notes(entry, messages[: where.index]))


def _row(
    who: str,
    entry: Any,
    beside: Beside | None = None,
    where: Where | None = None,
    *,
    notes: Sequence[str] = (),
    as_json: bool = False,
) -> None:
    with st.container(horizontal=True, gap="small", wrap=False):
        if who:
            st.markdown(who, width=76)
        if not notes and (words := _words_alone(entry)) is not None:
            # By far the most messages: a box around their only element would be one thing more to draw at each step.
            st.text(words, width="stretch")
        else:
            with st.container(gap="xsmall"):
                if notes:
                    st.caption(plain(" · ".join(notes)))
                if as_json:
                    _json(entry)
                elif isinstance(entry, dict):
                    _said(entry)
                else:
                    content(entry)
        if beside is not None and where is not None:
            with st.container(horizontal=True, width="content", gap="xxsmall"):
                beside(where)


def _words_alone(entry: Any) -> str | None:
    """The text of a message that is nothing but a text which is shown whole; None for every other one."""
    match entry:
        case {"role": _, "content": str(words)} if len(entry) == 2 and words.strip() and len(words) <= SHOWN_CHARACTERS:
            return words
    return None


def _said(entry: Mapping[str, Any]) -> None:
    content(entry.get("content"))
    calls = entry.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        _call(call.get("function") if isinstance(call, dict) else None, call)
    if "function_call" in entry:
        _call(entry["function_call"], entry["function_call"])
    beside = {name: value for name, value in entry.items() if name not in ALL_KEYS or name in ("refusal", "audio")}
    if beside:
        _json(beside)


def _notes(entry: Mapping[str, Any], before: Sequence[Any]) -> list[str]:
    """What must be known about a message besides its words."""
    notes = []
    match entry.get("weight"):
        case None | 1:
            pass
        case 0:
            notes.append("not trained on (weight 0)")
        case other:
            notes.append(f"weight {shortened(json.dumps(other), 20)}")
    call_id = entry.get("tool_call_id")
    if isinstance(call_id, str):
        notes.append(f"answers {_called(call_id, before)}")
    return notes


def _called(call_id: str, before: Sequence[Any]) -> str:
    """The call of this id as a person knows it: by the name of its function, where it was made before."""
    for entry in reversed(before):
        calls = entry.get("tool_calls") if isinstance(entry, dict) else None
        for call in calls if isinstance(calls, list) else []:
            match call:
                case {"id": str(made), "function": {"name": str(name)}} if made == call_id:
                    return f"{shortened(name, 60)} ({shortened(call_id, 40)})"
    return f"{shortened(call_id, 40)}, which no call before it has"


def _call(function: Any, whole: Any) -> None:
    match function:
        case {"name": str(name), "arguments": str(arguments)}:
            st.markdown(f":small[:material/build: **{plain(shortened(name, 80))}**]")
            st.code(laid_out(arguments)[:SHOWN_CHARACTERS] or " ", language="json", wrap_lines=True)
            if isinstance(mistake := typed.read_object(arguments), typed.Mistake):
                st.caption(f":orange[{plain(str(mistake))}]")
        case _:
            _json(whole)


def _json(value: Any) -> None:
    st.code(json.dumps(value, ensure_ascii=False, indent=1)[:SHOWN_CHARACTERS], language="json", wrap_lines=True)


def _around(example: Example) -> None:
    """What stands beside the messages: the tools, the fields of a grader, and whatever else the file holds."""
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
    if "messages" not in example.data and "prompt" in rest:
        rest = {name: value for name, value in rest.items() if name not in ("prompt", "completion")}
    tools = rest.pop("tools", None)
    if tools is not None:
        with st.expander(f"Tools: {plain(shortened(_tool_names(tools), 90))}", type="compact"):
            _json(tools)
    graded = {name: rest.pop(name) for name in fields.extra_fields(rest) if example.method == "reinforcement"}
    if graded:
        st.markdown(":small[**Fields for the grader**]")
        _json(graded)
    if rest:
        with st.expander(f"Beside the messages: {plain(shortened(', '.join(rest), 80))}", type="compact"):
            _json(rest)


def _tool_names(tools: Any) -> str:
    names = []
    for tool in tools if isinstance(tools, list) else []:
        match tool:
            case {"function": {"name": str(name)}}:
                names.append(name)
    number = len(tools) if isinstance(tools, list) else 1
    return f"{number} declared" + (f", {', '.join(names)}" if names else "")
