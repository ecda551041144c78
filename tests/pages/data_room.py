"""The view Examples with undo and redo, by itself: what the page around it draws is tested elsewhere."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, shelf
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.dataset.conversations import Data, lines_of

SCRIPT = """
import streamlit as st
from lib.ui import data_examples, data_undo, data_work

st.session_state["framed"] = True
work = data_work.current()
data_undo.show(work)
data_examples.show(work)
"""
SECONDS = 30


def room() -> AppTest:
    """A window that looks at the chosen version, in a session of its own."""
    return seen(AppTest.from_string(SCRIPT, default_timeout=SECONDS).run())


def seen(page: AppTest) -> AppTest:
    """The page, if nothing went wrong while it was drawn."""
    assert not page.exception, page.exception[0]
    return page


def bring_in(ws: Workspace, examples: list[Any]) -> Version:
    """A version of these examples."""
    return shelf.bring_in(ws, lines_of(examples), "mine.jsonl")


def press(page: AppTest, key: str) -> AppTest:
    """Press the button of this key."""
    return seen(page.button(key=key).click().run())


def click(page: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    return seen(next(one for one in page.button if one.label == label).click().run())


def button(page: AppTest, label: str) -> Any:
    """The button with this label."""
    return next(one for one in page.button if one.label == label)


def choose(page: AppTest, key: str, option: str) -> AppTest:
    """Choose from the menu of this key."""
    return seen(page.menu_button(key=key).click(option).run())


def type_in(page: AppTest, field: str, text: str) -> AppTest:
    """Type into the text area or text input whose key ends so."""
    held = [*page.text_area, *page.text_input]
    return seen(next(one for one in held if one.key and one.key.endswith(field)).set_value(text).run())


def data_at(ws: Workspace, version: Version, place: int) -> Data | None:
    """An example as it is saved now; None where it is removed."""
    [entry] = drafts.current(ws, version.id, place, place + 1)
    return None if entry.example is None else entry.example.data


def last_step(ws: Workspace, version: Version) -> str | None:
    """What the step is called that would be undone."""
    step = drafts.history(ws, version.id).undo
    return step.label if step else None
