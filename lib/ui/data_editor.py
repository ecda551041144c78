"""Changing an example where it stands: what can be done with it and with each of its messages.

Every accepted change is saved at once and is one step that can be undone. Texts, calls and JSON are written in
editors of their own (data_message, data_json); what is typed there waits in the session (data_unsaved).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import streamlit as st

from lib.dataset import drafts
from lib.dataset.drafts import Entry
from lib.dataset.editing import fields, messages, pairs
from lib.dataset.editing.where import Data, Where, messages_at
from lib.dataset.example import Example
from lib.errors import DataError
from lib.ui import conversation, data_conflict, data_json, data_message, data_unsaved, data_work, session, trouble
from lib.ui.conversation import Open
from lib.ui.data_unsaved import Draft, What
from lib.ui.data_work import Work

EDIT_JSON, EDIT_TOOLS, EDIT_FIELDS = "Edit as JSON", "Edit the tools", "Edit the grader's fields"
SWAP, DUPLICATE, NEW = "Swap the two answers", "Duplicate", "Write a new example"
RESTORE, REMOVE = "Put back as in the version", "Remove"
EDITORS: dict[str, What] = {EDIT_JSON: "whole", EDIT_TOOLS: "tools", EDIT_FIELDS: "fields"}

UP, DOWN, ADD_BELOW, TWICE, DELETE = "Move up", "Move down", "Add a message below", "Duplicate", "Delete"
NOT_TRAINED, TRAINED = "Do not train on this", "Train on this"


def show(work: Work, entry: Entry) -> None:
    """The example as a conversation, or with the editor that is open in it."""
    if data_conflict.stands(work, entry.position):
        data_conflict.show(work, entry)
        return
    draft = data_unsaved.of(work, entry.position)
    if draft is not None:
        _editing(work, entry, draft)
    elif entry.example is None:
        _removed(work, entry)
    else:
        shown = entry.example
        conversation.show(
            shown,
            beside=lambda where: _beside(work, entry, shown.data, where),
            below=lambda: _add_below(work, entry, shown.data),
            key=_name(work, entry),
        )


def menu(work: Work, entry: Entry) -> None:
    """What can be done with the example as a whole."""
    choices = [NEW] if entry.example is None else list(_choices(entry.example))
    if entry.edited and entry.original is not None:
        choices.append(RESTORE)
    if entry.example is not None:
        choices.append(REMOVE)
    st.menu_button("Example", choices, key=f"example_{entry.position}", on_click=_chosen, args=(work, entry))


def _choices(example: Example) -> Iterator[str]:
    yield EDIT_JSON
    yield EDIT_TOOLS
    if example.method == "reinforcement" or fields.extra_fields(example.data):
        yield EDIT_FIELDS
    if example.method == "dpo":
        yield SWAP
    yield DUPLICATE
    yield NEW


def _editing(work: Work, entry: Entry, draft: Draft) -> None:
    data_conflict.outdated(entry, draft)
    if draft["what"] in EDITORS.values():
        data_json.show(work, draft)
        return
    base = data_unsaved.base(draft)
    data = data_message.start(base, draft)
    opened = Open(
        Where(draft["list"], draft["index"]),
        lambda: data_message.show(work, draft, data),
        new=draft["what"] == "new message",
    )
    conversation.show(Example(base), opened=opened, key=_name(work, entry))


def _removed(work: Work, entry: Entry) -> None:
    st.markdown("This example is removed: the next version will be without it.")
    if entry.original is not None:
        st.button("Bring it back", icon=":material/undo:", on_click=_restore, args=(work, entry))


def _beside(work: Work, entry: Entry, data: Data, where: Where) -> None:
    """What can be done with one message."""
    held = messages_at(data, where.list)
    message = held[where.index]
    name = f"{entry.position}_{where.list}_{where.index}"
    choices = [DELETE]
    if isinstance(message, dict):
        st.button(
            "",
            icon=":material/edit:",
            key=f"edit_{name}",
            type="tertiary",
            help=f"Edit {data_message.called(where)}",
            on_click=data_unsaved.begin,
            args=(work, entry, "message", where),
        )
        choices = [UP] * (where.index > 0) + [DOWN] * (where.index < len(held) - 1) + [ADD_BELOW, TWICE]
        if message.get("role") == "assistant" and where.list == "messages":
            choices.append(TRAINED if message.get("weight") == 0 else NOT_TRAINED)
        choices.append(DELETE)
    key = f"do_{name}"
    st.menu_button(
        "",
        choices,
        key=key,
        icon=":material/more_horiz:",
        type="tertiary",
        help=f"More to do with {data_message.called(where)}",
        on_click=_message_chosen,
        args=(work, entry, data, where, key),
    )


def _add_below(work: Work, entry: Entry, data: Data) -> None:
    """A way to write one more message at the end of a conversation."""
    try:
        end = len(messages_at(data, "messages"))
    except DataError:
        return
    if not end or ("messages" in data and isinstance(data["messages"][-1], dict)):
        st.button(
            "Add a message",
            icon=":material/add:",
            type="tertiary",
            key=f"add_{entry.position}",
            on_click=data_unsaved.begin,
            args=(work, entry, "new message", Where("messages", end)),
        )


@trouble.told()
def _message_chosen(work: Work, entry: Entry, data: Data, where: Where, key: str) -> None:
    choice = st.session_state[key]
    if choice == ADD_BELOW:
        data_unsaved.begin(work, entry, "new message", Where(where.list, where.index + 1))
        return
    changes: dict[str, tuple[str, Callable[[], Data]]] = {
        UP: ("Moved up", lambda: messages.move_message(data, where, "up")),
        DOWN: ("Moved down", lambda: messages.move_message(data, where, "down")),
        TWICE: ("Duplicated", lambda: messages.duplicate_message(data, where)),
        DELETE: ("Deleted", lambda: messages.delete_message(data, where)),
        NOT_TRAINED: ("No longer trains on", lambda: messages.set_weight(data, where, 0)),
        TRAINED: ("Trains on", lambda: messages.set_weight(data, where, None)),
    }
    verb, change = changes[choice]
    label = f"{verb} {data_message.called(where)} of example {entry.position + 1}"
    data_conflict.save(work, entry.position, change(), entry.revision, label)


@trouble.told()
def _chosen(work: Work, entry: Entry) -> None:
    choice, number = st.session_state[f"example_{entry.position}"], entry.position + 1
    data: Mapping[str, Any] = entry.example.data if entry.example is not None else {}
    if choice == NEW:
        st.session_state["whole"] = NEW
    elif choice in EDITORS:
        data_unsaved.begin(work, entry, EDITORS[choice])
    elif choice == SWAP:
        data_conflict.save(
            work, entry.position, pairs.swap(data), entry.revision, f"Swapped the answers of example {number}"
        )
    elif choice == DUPLICATE:
        ws = session.workspace()
        data_work.open_example(drafts.add(ws, work.version.id, data, label=f"Duplicated example {number}"))
    elif choice == RESTORE:
        _restore(work, entry)
    elif choice == REMOVE:
        data_conflict.save(work, entry.position, None, entry.revision, f"Removed example {number}")


@trouble.told()
def _restore(work: Work, entry: Entry) -> None:
    label = f"Put example {entry.position + 1} back as in the version"
    drafts.revert(session.workspace(), work.version.id, entry.position, entry.revision, label=label)
    data_unsaved.drop(work, entry.position)


def _name(work: Work, entry: Entry) -> str:
    return f"{work.version.id}_{entry.position}"
