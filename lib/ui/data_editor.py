"""Changing an example where it stands. Every accepted change is saved at once through lib.dataset.drafts.

When somebody else was quicker, nothing is overwritten: both texts are shown and the person chooses. What is being
edited is held in the session as plain data, with the revision that it was begun on.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import streamlit as st

from lib.dataset import drafts
from lib.dataset.drafts import Entry
from lib.dataset.example import Example, raw_messages
from lib.dataset.parse import Unparsable, parse
from lib.errors import DataError, EditConflict
from lib.ui import conversation, data_work, session, trouble
from lib.ui.data_work import Work

AS_JSON, COPY, NEW, REMOVE = "Edit as JSON", "Duplicate", "New example at the end", "Remove"
BLANK = {"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]}
STILL_THERE = "Nothing was saved; your text is still there."


def show(work: Work, entry: Entry, example: Example) -> None:
    """The example as a conversation, or whatever part of it is being edited."""
    held = st.session_state.get("editing")
    editing = held if held and held["place"] == entry.position else None
    if editing and editing["message"] is None:
        _json_editor(work, entry, example)
        return
    conversation.show(
        example,
        beside=None if editing else lambda index: _edit_button(entry, index),
        editing=editing["message"] if editing else None,
        editor=lambda index: _text_editor(work, entry, example, index),
    )


def menu(work: Work, entry: Entry) -> None:
    """What can be done with the example as a whole."""
    choices = [NEW] if entry.example is None else [AS_JSON, COPY, NEW, REMOVE]
    st.menu_button("Example", choices, key="example_menu", on_click=_menu, args=(work, entry))


def bring_back(work: Work, entry: Entry) -> None:
    """What stands where an example was removed."""
    st.markdown("This example is removed: the next version will be without it.")
    if entry.original is not None:
        st.button("Bring it back", icon=":material/undo:", on_click=_revert, args=(work, entry))


def conflict(work: Work, entry: Entry) -> None:
    """Both texts, when this example was changed elsewhere while it was edited here."""
    held = st.session_state.get("conflict")
    if not held or held["place"] != entry.position:
        return
    st.warning(
        "This example was changed somewhere else while you edited it. Nothing was overwritten: choose what stays.",
        icon=":material/difference:",
    )
    mine, theirs = st.columns(2)
    with mine:
        st.caption("**Yours**")
        conversation.text(held["mine"])
        st.button("Keep mine", on_click=_settle, args=(work, entry, held["data"]))
    with theirs:
        st.caption("**The other one, saved first**")
        conversation.text(held["theirs"])
        st.button("Keep the other", on_click=_settle, args=(work, entry, None))


def _edit_button(entry: Entry, index: int) -> None:
    st.button(
        "",
        icon=":material/edit:",
        key=f"edit_{entry.position}_{index}",
        type="tertiary",
        help="Edit this message",
        on_click=_begin,
        args=(entry, index),
    )


def _text_editor(work: Work, entry: Entry, example: Example, index: int) -> None:
    content = raw_messages(example.data)[index].get("content")
    if content is not None and not isinstance(content, str):
        st.caption("This content is not one text.")
        with st.container(horizontal=True):
            st.button(AS_JSON, type="primary", on_click=_begin, args=(entry, None))
            st.button("Cancel", on_click=_leave)
        return
    key = f"text_{entry.position}_{index}"
    st.text_area("Text", content or "", key=key, height="content", label_visibility="collapsed")
    with st.container(horizontal=True):
        st.button("Save", type="primary", on_click=_save_text, args=(work, example, index, key))
        st.button("Cancel", on_click=_leave)


def _json_editor(work: Work, entry: Entry, example: Example) -> None:
    key = f"json_{entry.position}"
    text = json.dumps(example.data, ensure_ascii=False, indent=2)
    st.text_area("The example as JSON", text, key=key, height="content", label_visibility="collapsed")
    with st.container(horizontal=True):
        st.button("Save", type="primary", on_click=_save_json, args=(work, key))
        st.button("Cancel", on_click=_leave)


def _begin(entry: Entry, index: int | None) -> None:
    st.session_state["editing"] = {"place": entry.position, "message": index, "revision": entry.revision}


def _leave() -> None:
    st.session_state.pop("editing", None)


@trouble.told()
def _save_text(work: Work, example: Example, index: int, key: str) -> None:
    data = deepcopy(example.data)
    raw_messages(data)[index]["content"] = st.session_state[key]
    _save(work, data)


@trouble.told()
def _save_json(work: Work, key: str) -> None:
    try:
        data = parse(st.session_state[key].encode())
    except Unparsable as problem:
        where = f"Line {problem.line + 1}, column {problem.column}"
        raise DataError(f"{where} of the text cannot be read: {problem.sentence}.", STILL_THERE) from problem
    if not isinstance(data, dict):
        raise DataError("An example is one JSON object, in braces.", STILL_THERE)
    _save(work, data)


def _save(work: Work, data: dict[str, Any]) -> None:
    editing = st.session_state["editing"]
    try:
        drafts.change(session.workspace(), work.version.id, editing["place"], data, editing["revision"])
    except EditConflict as other:
        st.session_state["conflict"] = {
            "place": editing["place"],
            "mine": other.mine,
            "theirs": other.theirs,
            "data": data,
        }
    _leave()


@trouble.told()
def _settle(work: Work, entry: Entry, data: dict[str, Any] | None) -> None:
    st.session_state.pop("conflict", None)
    if data is not None:
        drafts.change(session.workspace(), work.version.id, entry.position, data, entry.revision)


@trouble.told()
def _menu(work: Work, entry: Entry) -> None:
    ws, version_id = session.workspace(), work.version.id
    match st.session_state["example_menu"]:
        case "Edit as JSON":
            _begin(entry, None)
        case "Duplicate" if entry.example is not None:
            data_work.open_example(drafts.add(ws, version_id, entry.example.data))
        case "New example at the end":
            data_work.open_example(drafts.add(ws, version_id, BLANK))
        case "Remove":
            drafts.remove(ws, version_id, entry.position, entry.revision)


@trouble.told()
def _revert(work: Work, entry: Entry) -> None:
    drafts.revert(session.workspace(), work.version.id, entry.position, entry.revision)
