"""What was typed and is not saved yet. It stays while the session lives, so that a click elsewhere loses nothing.

One example has at most one open editor. What is held is plain data: the example as it was when the editing began, its
revision, and the fields that were changed. Knows no form: what a field means is for the editor that asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict, TypeVar, cast

import streamlit as st

from lib.dataset.drafts import Entry
from lib.dataset.editing.where import ListName, Where
from lib.dataset.example import encode
from lib.dataset.parse import parse
from lib.ui.as_typed import PREFIX
from lib.ui.data_work import Work

What = Literal["message", "new message", "whole", "tools", "fields"]
T = TypeVar("T")


class Draft(TypedDict):
    """An open editor. `line` is the example on which it was begun, as JSON; `typed` what differs from that."""

    place: int
    revision: int
    line: str
    what: What
    list: ListName
    index: int
    typed: dict[str, Any]


def begin(work: Work, entry: Entry, what: What, where: Where | None = None) -> None:
    """Open an editor for an example, or for one of its messages. An example that is removed cannot be edited."""
    if entry.example is None:
        return
    at = where or Where("messages", 0)
    _held()[_name(work, entry.position)] = Draft(
        place=entry.position,
        revision=entry.revision,
        line=encode(entry.example.data).decode(),
        what=what,
        list=at.list,
        index=at.index,
        typed={},
    )


def goes_on(work: Work, draft: Draft, data: dict[str, Any], revision: int) -> None:
    """Edit further on other ground: what was typed is part of `data`, which is to be saved over `revision`."""
    message_stays = draft["what"] in ("message", "new message")
    _held()[_name(work, draft["place"])] = Draft(
        place=draft["place"],
        revision=revision,
        line=encode(data).decode(),
        what="message" if message_stays else draft["what"],
        list=draft["list"],
        index=draft["index"],
        typed={},
    )


def of(work: Work, place: int) -> Draft | None:
    """The open editor of an example. Editors of other examples in which nothing was typed are closed."""
    own = _name(work, place)
    for name in [name for name, draft in _held().items() if name != own and not draft["typed"]]:
        del _held()[name]
    return _held().get(own)


def drop(work: Work, place: int) -> None:
    """Close the editor of an example; what was typed in it is gone."""
    _held().pop(_name(work, place), None)


def elsewhere(work: Work, place: int) -> list[int]:
    """The places of other examples in which something was typed that is not saved, ascending."""
    own = _name(work, place)
    version = _name(work, 0).rpartition("/")[0]
    every = ((name, draft) for name, draft in _held().items() if name != own and draft["typed"])
    return sorted(draft["place"] for name, draft in every if name.startswith(f"{version}/"))


def base(draft: Draft) -> dict[str, Any]:
    """The example as it was when the editing began."""
    return cast(dict[str, Any], parse(draft["line"].encode()))


def field(draft: Draft, name: str, before: T, widget: Callable[..., T | None], label: str, **said: Any) -> T:
    """A field of an editor: shows what was typed, or what stood there `before`, and returns what it holds now."""
    key = key_of(draft, name)
    value = draft["typed"].get(name, before)
    held = widget(label, value, key=key, on_change=_typed, args=(draft, name, before, key), **said)
    return before if held is None else held


def key_of(draft: Draft, name: str) -> str:
    """The key of a field's widget."""
    return f"{PREFIX}{draft['place']}_{draft['list']}_{draft['index']}_{name}"


def set_typed(draft: Draft, name: str, value: Any) -> None:
    """Hold a value that no widget of its own holds."""
    draft["typed"][name] = value


def _typed(draft: Draft, name: str, before: Any, key: str) -> None:
    value = st.session_state[key]
    if value == before:
        draft["typed"].pop(name, None)
    else:
        draft["typed"][name] = value


def _held() -> dict[str, Draft]:
    return cast(dict[str, Draft], st.session_state.setdefault("unsaved", {}))


def _name(work: Work, place: int) -> str:
    return f"{work.version.id}/{place}"
