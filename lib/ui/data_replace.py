"""Find and replace in all examples, or in those that the filter shows: previewed, then made as one step.

What is replaced and how is lib.dataset.editing's.
"""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from lib.dataset.drafts import Saved
from lib.dataset.editing.pattern import compiled
from lib.dataset.editing.replacing import Replacing, replace_text, replacements
from lib.dataset.rules.messages import ROLES
from lib.errors import DataError
from lib.ui import data_whole, trouble
from lib.ui.data_whole import Positions, Preview
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

TITLE = "Find and replace"
LONGEST_NAME = 30


def show(work: Work, places: Positions) -> None:
    """What to find, what to put there, what that would do, and the button that does it."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{TITLE}**")
        data_whole.said()
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            text = st.text_input("Find", key="replace_find", live=True, persist_state="session")
            replacement = st.text_input("Replace with", key="replace_with", live=True, persist_state="session")
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            regex = st.checkbox(
                "Regular expression",
                key="replace_regex",
                help=r"Python's expressions. In the replacement \1 is what the first group has found.",
                persist_state="session",
            )
            case = st.checkbox("Match case", key="replace_case", persist_state="session")
            arguments = st.checkbox(
                "Also in arguments of tool calls",
                key="replace_arguments",
                help="In their values, never in their names: what was JSON stays JSON.",
                persist_state="session",
            )
            roles = st.multiselect(
                "Roles",
                ROLES,
                key="replace_roles",
                placeholder="All roles",
                label_visibility="collapsed",
                width=200,
                persist_state="session",
            )
        where = data_whole.choose_where(work, places, "replace_where")
        if not text:
            st.caption("Type what to look for: nothing is changed before you have seen what would be.")
            close()
            return
        try:
            wanted = Replacing(compiled(text, regex, case), replacement, frozenset(roles) or None, arguments)
            wanted.pattern.check_replacement(replacement)
            _previewed(work, where, wanted, repr((text, replacement, regex, case, arguments, roles)))
        except DataError as error:
            st.markdown(f":small[:red[:material/error: {plain(error.what)}] {plain(error.todo)}]")
            close()


def close() -> None:
    """The way back to the examples."""
    st.button("Close", key="close_whole", on_click=_close)


def _previewed(work: Work, where: Positions | None, wanted: Replacing, name: str) -> None:
    def change(examples: Iterable[Saved]) -> data_whole.Changed:
        return replacements(examples, wanted)

    def occurrences(data: dict[str, object]) -> int:
        return replace_text(data, wanted.pattern, wanted.replacement, wanted.roles, arguments=wanted.arguments)[1]

    found = data_whole.preview(work, f"replace {name}", where, change, occurrences)
    if found is None:
        close()
        return
    if not found.examples:
        st.markdown("Found nowhere.")
        close()
        return
    st.markdown(f"Found **{found.occurrences:,} ×** in **{number_of(found.examples, 'example')}**.")
    with st.container(horizontal=True):
        wants = st.button(f"Replace in {number_of(found.examples, 'example')}", type="primary", key="replace_all")
        close()
    if wants:
        _make(work, where, change, wanted, found)
    data_whole.show(found)


@trouble.told()
def _make(work: Work, where: Positions | None, change: data_whole.Change, wanted: Replacing, found: Preview) -> None:
    old, new = shortened(wanted.pattern.text, LONGEST_NAME), shortened(wanted.replacement, LONGEST_NAME)
    label = f"Replaced {found.occurrences:,} × “{old}” by “{new}”"
    number = data_whole.make(work, where, change, label)
    data_whole.tell(f"Replaced in {number_of(number, 'example')}. Undo takes it back.")


def _close() -> None:
    st.session_state.pop("whole", None)
