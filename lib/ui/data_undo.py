"""Undo and redo on the Data page: two buttons that say what they would undo, for whatever edited the examples.

A button takes back the very step that it named: where another window has edited meanwhile, nothing happens and the
person is told. Knows no example.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from lib.dataset import drafts
from lib.dataset.drafts import Step
from lib.ui import session, trouble
from lib.ui.data_work import Work
from lib.ui.plain import plain, shortened

LONGEST = 90


def show(work: Work) -> None:
    """The two buttons, beside each other."""
    history = drafts.history(session.workspace(), work.version.id)
    with st.container(horizontal=True, width="content", gap="xxsmall"):
        _button(work, "Undo", history.undo, "Ctrl+Z", _undo)
        _button(work, "Redo", history.redo, "Ctrl+Shift+Z", _redo)


def _button(work: Work, verb: str, step: Step | None, keys: str, act: Callable[[Work, Step], None]) -> None:
    """A button for this step; one that does nothing when there is none."""
    name = verb.lower()
    st.button(
        "",
        icon=f":material/{name}:",
        key=name,
        type="tertiary",
        disabled=step is None,
        help=f"Nothing to {name}." if step is None else f"{verb}: {plain(shortened(step.label, LONGEST))}",
        shortcut=keys,
        on_click=act,
        args=(work, step),
    )


@trouble.told()
def _undo(work: Work, step: Step) -> None:
    _shown("Undone", drafts.undo(session.workspace(), work.version.id, step.id))


@trouble.told()
def _redo(work: Work, step: Step) -> None:
    _shown("Redone", drafts.redo(session.workspace(), work.version.id, step.id))


def _shown(verb: str, step: Step) -> None:
    """Say what was done, and turn to the example in which it is seen."""
    st.toast(f"{verb}: {plain(shortened(step.label, LONGEST))}", icon=":material/check:")
    if step.edits == 1:
        st.session_state["place"] = step.first
