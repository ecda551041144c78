"""One view of the data by itself, as the Data page draws it, on a workspace of the test's own."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

SECONDS = 30
SCRIPT = """
import streamlit as st
from lib.ui import data_work, {module}
st.session_state["framed"] = True
work = data_work.current()
if work is not None:
    {module}.{call}
"""


def opened(module: str, call: str) -> AppTest:
    """The view after its first run: `call` is what is called in `module`, with `work` at hand."""
    page = AppTest.from_string(SCRIPT.format(module=module, call=call), default_timeout=SECONDS)
    return checked(page.run())


def checked(page: AppTest) -> AppTest:
    """The same page, after making sure that it drew itself to the end."""
    assert not page.exception, page.exception[0]
    return page


def click(page: AppTest, key: str) -> AppTest:
    """The page after a click on the button with this key."""
    page.button(key=key).click()
    return checked(page.run())


def press(page: AppTest, label: str) -> AppTest:
    """The page after a click on the button with this label."""
    next(button for button in page.button if button.label == label).click()
    return checked(page.run())


def labels(page: AppTest) -> list[str]:
    """What stands on the buttons."""
    return [button.label for button in page.button]
