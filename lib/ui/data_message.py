"""The editor of one message: its role, text, name, weight, and its calls with arguments checked as they are typed.

Nothing is saved before Save is pressed. `edited` says what saving makes of an example; it knows no screen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.dataset.editing import messages, tools, typed
from lib.dataset.editing.layout import as_before, laid_out, on_one_line
from lib.dataset.editing.typed import Mistake
from lib.dataset.editing.where import Data, Where, message_at, messages_at, with_message
from lib.dataset.rules.messages import ROLES
from lib.ui import as_typed, data_conflict, data_unsaved, pictures, trouble
from lib.ui.data_measure import change_in_tokens
from lib.ui.data_unsaved import Draft
from lib.ui.data_work import Work
from lib.ui.plain import plain, shortened

LONGEST = 200_000
MOST_CALLS = 20
ADDED = "added"


def show(work: Work, draft: Draft, data: Data) -> None:
    """The fields of the message that is edited, in `data` as it was when the editing began, and Save and Cancel."""
    where = Where(draft["list"], draft["index"])
    entry = message_at(data, where)
    with st.container(border=True, gap="small"):
        _about(draft, entry)
        _texts(draft, entry)
        missing = _calls(draft, entry)
        _finish(work, draft, data, missing)
    as_typed.read()


def start(data: Mapping[str, Any], draft: Draft) -> Data:
    """The example in which the message is edited: with an empty one where a new message is written."""
    where = Where(draft["list"], draft["index"])
    return messages.add_message(data, where, next_role(data, where)) if draft["what"] == "new message" else dict(data)


def next_role(data: Mapping[str, Any], where: Where) -> str:
    """Who probably speaks at this place: the assistant after a question, else the user."""
    before = messages_at(data, where.list)[: where.index]
    last = before[-1].get("role") if before and isinstance(before[-1], dict) else None
    return "assistant" if where.list != "messages" or last in ("user", "tool", "function") else "user"


def edited(data: Mapping[str, Any], where: Where, changed: Mapping[str, Any]) -> Data:
    """The example with everything that was changed in one message. Raises DataError for arguments that are no JSON."""
    made = dict(data)
    entry = message_at(made, where)
    if "role" in changed:
        made = messages.set_role(made, where, changed["role"])
    if "name" in changed:
        made = messages.set_name(made, where, changed["name"].strip() or None)
    if "trained" in changed:
        made = messages.set_weight(made, where, None if changed["trained"] else 0)
    if "call_id" in changed:
        made = with_message(made, where, {**message_at(made, where), "tool_call_id": changed["call_id"].strip()})
    made = _with_calls(made, where, changed, _held_calls(entry))
    for name, value in changed.items():
        if name == "text":
            made = messages.set_text(made, where, value)
        elif name.startswith("text_"):
            made = messages.set_text(made, where, value, int(name.removeprefix("text_")))
    return made


def _with_calls(made: Data, where: Where, changed: Mapping[str, Any], held: list[Any]) -> Data:
    number = len(held) + changed.get(ADDED, 0)
    for at in range(len(held), number):
        name, arguments = changed.get(f"call_{at}_name", ""), changed.get(f"call_{at}_arguments", "{}")
        made = tools.add_tool_call(made, where, name.strip(), on_one_line(arguments))
    for at, call in enumerate(held):
        name, arguments = changed.get(f"call_{at}_name"), changed.get(f"call_{at}_arguments")
        if arguments is not None and isinstance(before := _function(call).get("arguments"), str):
            arguments = as_before(arguments, before)
        if name is not None or arguments is not None:
            made = tools.set_tool_call(made, where, at, name=name, arguments=arguments)
    for at in reversed(range(number)):
        if changed.get(f"call_{at}_gone"):
            made = tools.delete_tool_call(made, where, at)
    return made


def _about(draft: Draft, entry: Mapping[str, Any]) -> None:
    role = entry.get("role") if isinstance(entry.get("role"), str) else ""
    roles = [*ROLES, *([] if role in ROLES else [role])]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = data_unsaved.field(
            draft,
            "role",
            role,
            lambda label, value, **said: st.selectbox(label, roles, roles.index(value), **said),
            "Role",
            format_func=lambda role: shortened(role, 40) or "no role",
            width=150,
        )
        name = entry.get("name")
        data_unsaved.field(
            draft,
            "name",
            name if isinstance(name, str) else "",
            st.text_input,
            "Name",
            placeholder="none",
            width=150,
            help="Optional: tells several speakers of one role apart.",
        )
        if chosen == "tool" or "tool_call_id" in entry:
            call_id = entry.get("tool_call_id")
            data_unsaved.field(
                draft,
                "call_id",
                call_id if isinstance(call_id, str) else "",
                st.text_input,
                "Answers the call with the id",
                width=230,
            )
        if chosen == "assistant" and draft["list"] == "messages":
            data_unsaved.field(
                draft,
                "trained",
                entry.get("weight") != 0,
                st.toggle,
                "Trained on",
                help="Off gives this message the weight 0: the model reads it and does not learn to write it.",
            )


def _texts(draft: Draft, entry: Mapping[str, Any]) -> None:
    content = entry.get("content")
    if isinstance(content, list):
        for at, part in enumerate(content):
            _part(draft, at, part)
    elif content is None or isinstance(content, str):
        _text(draft, "text", content or "")
    else:
        st.caption("The content is neither text nor a list of parts. Edit the example as JSON to change it.")


def _part(draft: Draft, at: int, part: Any) -> None:
    match part:
        case str() as words:
            _text(draft, f"text_{at}", words)
        case {"text": str(words)} | {"refusal": str(words)}:
            _text(draft, f"text_{at}", words)
        case {"image_url": image}:
            pictures.show(image)
        case _:
            st.caption(f"Part {at + 1} is {shortened(json.dumps(part, ensure_ascii=False))}")


def _text(draft: Draft, name: str, text: str) -> None:
    if len(text) > LONGEST:
        st.caption(
            f"This text has {len(text):,} characters, too many to edit on a screen. Find and replace, under "
            "“Edit all”, changes texts of any length."
        )
        return
    data_unsaved.field(draft, name, text, st.text_area, "Text", height="content", label_visibility="collapsed")


def _calls(draft: Draft, entry: Mapping[str, Any]) -> list[str]:
    """The calls that the message makes. Returns what must be done before they can be saved."""
    held, missing = _held_calls(entry), []
    number = len(held) + draft["typed"].get(ADDED, 0)
    for at in range(min(number, MOST_CALLS)):
        if not draft["typed"].get(f"call_{at}_gone"):
            call = held[at] if at < len(held) else {"function": {"name": "", "arguments": "{}"}}
            missing += _call(draft, at, call, new=at >= len(held))
    if number > MOST_CALLS:
        st.caption(f"{number - MOST_CALLS:,} more calls are not shown. Edit the example as JSON to change them.")
    role = draft["typed"].get("role", entry.get("role"))
    if role == "assistant" and number < MOST_CALLS:
        key = data_unsaved.key_of(draft, "add_call")
        st.button("Add a tool call", icon=":material/add:", type="tertiary", key=key, on_click=_add_call, args=(draft,))
    return missing


def _call(draft: Draft, at: int, call: Any, *, new: bool) -> list[str]:
    name, arguments = _function(call).get("name"), _function(call).get("arguments")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        called = data_unsaved.field(
            draft,
            f"call_{at}_name",
            name if isinstance(name, str) else "",
            st.text_input,
            f"Call {at + 1}: function",
            width=280,
        )
        st.button(
            "",
            icon=":material/delete:",
            type="tertiary",
            key=data_unsaved.key_of(draft, f"call_{at}_gone"),
            help="Delete this call",
            on_click=data_unsaved.set_typed,
            args=(draft, f"call_{at}_gone", True),
        )
    text = data_unsaved.field(
        draft,
        f"call_{at}_arguments",
        laid_out(arguments) if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, indent=2),
        st.text_area,
        "Arguments",
        height="content",
    )
    if isinstance(mistake := typed.read_object(text), Mistake):
        wrong(mistake)
        # What was no JSON before does not keep anybody from saving another change.
        if new or f"call_{at}_arguments" in draft["typed"]:
            return [f"Correct the arguments of call {at + 1} first."]
    return [f"Name the function of call {at + 1} first."] if new and not called.strip() else []


def wrong(mistake: Mistake) -> None:
    """Where a text is no JSON and why, under the field in which it stands."""
    st.markdown(f":small[:red[:material/error: {plain(str(mistake))}] {plain(mistake.hint)}]")


def _finish(work: Work, draft: Draft, data: Data, missing: list[str]) -> None:
    where = Where(draft["list"], draft["index"])
    if not draft["typed"]:
        missing = ["Nothing was changed." if draft["what"] == "message" else "Write the message first."]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Save",
            type="primary",
            disabled=bool(missing),
            help=missing[0] if missing else None,
            on_click=_save,
            args=(work, draft, data),
        )
        st.button("Cancel", on_click=data_unsaved.drop, args=(work, draft["place"]))
        if draft["typed"]:
            made = None if missing else edited(data, where, draft["typed"])
            counted = "" if made is None else f" · {change_in_tokens(work, data_unsaved.base(draft), made)}"
            st.caption(f"Not saved yet{counted}")


def _add_call(draft: Draft) -> None:
    data_unsaved.set_typed(draft, ADDED, draft["typed"].get(ADDED, 0) + 1)


@trouble.told()
def _save(work: Work, draft: Draft, data: Data) -> None:
    where = Where(draft["list"], draft["index"])
    made = edited(data, where, draft["typed"])
    verb = "Added" if draft["what"] == "new message" else "Edited"
    label = f"{verb} {called(where)} of example {draft['place'] + 1}"
    data_conflict.save(work, draft["place"], made, draft["revision"], label)


def called(where: Where) -> str:
    """A message in words."""
    names = {"messages": "", "preferred": " of the preferred answer", "non_preferred": " of the other answer"}
    return f"message {where.index + 1}{names[where.list]}"


def _function(call: Any) -> Mapping[str, Any]:
    function = call.get("function") if isinstance(call, dict) else None
    return function if isinstance(function, dict) else {}


def _held_calls(entry: Mapping[str, Any]) -> list[Any]:
    held = entry.get("tool_calls")
    return held if isinstance(held, list) else []
