"""Undo and redo on the Data page: two buttons that say what they would undo, for whatever edited the examples.

A button takes back the very step that it named: where another window has edited meanwhile, nothing happens and the
person is told. Knows no example.
"""

from __future__ import annotations

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
        st.button(
            "",
            icon=":material/undo:",
            key="undo",
            type="tertiary",
            disabled=history.undo is None,
            help=_named("Undo", history.undo) or "Nothing to undo.",
            shortcut="Ctrl+Z",
            on_click=_undo,
            args=(work, history.undo),
        )
        st.button(
            "",
            icon=":material/redo:",
            key="redo",
            type="tertiary",
            disabled=history.redo is None,
            help=_named("Redo", history.redo) or "Nothing to redo.",
            shortcut="Ctrl+Shift+Z",
            on_click=_redo,
            args=(work, history.redo),
        )


def _named(verb: str, step: Step | None) -> str | None:
    return None if step is None else f"{verb}: {plain(shortened(step.label, LONGEST))}"


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
