"""The system prompt of all examples, or of those that the filter shows: previewed, then set as one step.

What a system prompt is, and which example gets it, is lib.dataset.editing's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import streamlit as st

from lib.dataset.drafts import Saved
from lib.dataset.editing.system_prompt import Mode, set_system_in_all
from lib.ui import as_typed, data_replace, data_whole, trouble
from lib.ui.data_whole import Positions
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import shortened

TITLE = "Set the system prompt"
MODES: dict[Mode, str] = {
    "add": "Where there is none",
    "replace": "Where there is one",
    "both": "In every example",
}
DONE: dict[Mode, str] = {
    "add": "Added a system prompt",
    "replace": "Replaced the system prompt",
    "both": "Set the system prompt",
}
BUTTON: dict[Mode, str] = {"add": "Add it to", "replace": "Replace it in", "both": "Set it in"}
OFFERED = 20
KEY = f"{as_typed.PREFIX}system_prompt"


def show(work: Work, places: Positions) -> None:
    """The prompt, where it goes, what that would do, and the button that does it."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{TITLE}**")
        data_whole.said()
        used = work.desk.assessed.used_systems()[:OFFERED]
        if used:
            often = dict(used)
            st.selectbox(
                "In use",
                list(often),
                index=None,
                format_func=lambda text: f"{often[text]:,} × {shortened(text, 90)}",
                key="system_in_use",
                placeholder="Take one that is in use",
                label_visibility="collapsed",
                on_change=_take,
            )
        text = st.text_area("System prompt", key=KEY, height="content", persist_state="session")
        mode = st.segmented_control(
            "Which examples",
            get_args(Mode),
            default="add",
            format_func=lambda mode: MODES[mode],
            key="system_mode",
            required=True,
            label_visibility="collapsed",
        )
        where = data_whole.choose_where(work, places, "system_where")
        if text.strip() and mode:
            _previewed(work, where, text, mode)
        else:
            st.caption("Write the prompt: nothing is changed before you have seen what would be.")
            data_replace.close()
    as_typed.read()


def _previewed(work: Work, where: Positions | None, text: str, mode: Mode) -> None:
    def change(examples: Iterable[Saved]) -> data_whole.Changed:
        return set_system_in_all(examples, text, mode)

    found = data_whole.preview(work, f"system {mode} {text}", where, change, None)
    if found is not None and not found.examples:
        st.markdown("No example would change.")
    if found is None or not found.examples:
        data_replace.close()
        return
    number = number_of(found.examples, "example")
    with st.container(horizontal=True):
        wants = st.button(f"{BUTTON[mode]} {number}", type="primary", key="set_system")
        data_replace.close()
    if wants:
        _make(work, where, change, mode)
    data_whole.show(found)


@trouble.told()
def _make(work: Work, where: Positions | None, change: data_whole.Change, mode: Mode) -> None:
    number = data_whole.make(work, where, change, f"{DONE[mode]} everywhere" if where is None else DONE[mode])
    data_whole.tell(f"{DONE[mode]} in {number_of(number, 'example')}. Undo takes it back.")


def _take() -> None:
    if (chosen := st.session_state["system_in_use"]) is not None:
        st.session_state[KEY] = chosen
