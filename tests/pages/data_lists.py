"""The views Table and Findings by themselves: the page around them is tested elsewhere."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from lib.dataset import shelf
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.dataset.conversations import lines_of

SCRIPT = """
import streamlit as st
from lib.ui import data_filter, data_findings, data_table, data_work

st.session_state["framed"] = True
work = data_work.current()
match data_work.choose_view(work):
    case "Table":
        data_table.show(work)
    case "Findings":
        data_findings.show(work)
    case _:
        places = data_filter.choose(work)
        st.text(f"Opened: {st.session_state.get('place')}")
        st.text(f"Chosen: {places.tolist()}")
        for finding in work.findings_at(st.session_state.get("place", 0)):
            data_findings.line(work, finding, jump=False)
"""
SECONDS = 30


def bring_in(ws: Workspace, examples: list[Any], validation: list[int] | None = None) -> Version:
    """A version of these examples."""
    return shelf.bring_in(ws, lines_of(examples), "mine.jsonl", validation=validation or [])


def look_at(view: str, **held: Any) -> AppTest:
    """One of the views; `held` is what the session holds already."""
    page = AppTest.from_string(SCRIPT, default_timeout=SECONDS)
    page.session_state["data_view"] = view
    for key, value in held.items():
        page.session_state[key] = value
    return seen(page.run())


def seen(page: AppTest) -> AppTest:
    """The page, if nothing went wrong while it was drawn."""
    assert not page.exception, page.exception[0]
    return page


def press(page: AppTest, key: str) -> AppTest:
    """Press the button of this key."""
    return seen(page.button(key=key).click().run())


def labels(page: AppTest) -> list[str]:
    """What the buttons say."""
    return [button.label for button in page.button]


def titles(page: AppTest) -> list[str]:
    """What the folded kinds of findings say, without colours and icons."""
    return [one.label.split("] ", 1)[-1].replace("*", "") for one in page.get("expander")]
