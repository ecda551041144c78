"""A search through the texts of all examples, with its progress, and a way to stop it in a large file.

What was found in a file is kept for every session. Knows nothing of filters and of the order of examples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.dataset import shelf
from lib.dataset.search import as_they_are_now, in_lines
from lib.ui import session
from lib.ui.data_work import Work

Positions = npt.NDArray[np.int32]

KEPT_SEARCHES = 16


def holding(work: Work, text: str, stop: Callable[[], None]) -> Positions:
    """The positions whose example holds the text. The file is gone through once; edits are looked at as they come.

    `stop` takes the search away, when a person does not want to wait for it.
    """
    held = _searches(work.version.sha256)
    if text not in held:
        lines = shelf.open_lines(session.workspace(), work.version)
        held[text] = _found(lambda told: in_lines(lines, text, told), len(lines), stop)
        while len(held) > KEPT_SEARCHES:
            held.pop(next(iter(held)))
    return _held_now(f"{work.key}/{text}", work, text, held[text])


def _found(look: Callable[[Callable[[int], None]], Positions], number: int, stop: Callable[[], None]) -> Positions:
    """What `look` finds, with a bar and a button from the first time on that it tells how far it is."""
    place = st.empty()
    bar: DeltaGenerator | None = None

    def told(done: int) -> None:
        nonlocal bar
        if done >= number:
            return
        if bar is None:
            with place.container(horizontal=True, vertical_alignment="center"):
                bar = st.progress(0.0, width=320)
                st.button("Stop", key="stop_search", icon=":material/stop_circle:", on_click=stop)
        bar.progress(done / number, f"Searching: {done:,} of {number:,} examples")

    found = look(told)
    place.empty()
    return found


@st.cache_resource(max_entries=4, show_spinner=False)
def _searches(sha256: str) -> dict[str, Positions]:
    """What was found in a file, by the text: the same for every session."""
    return {}


@st.cache_resource(max_entries=8, show_spinner=False)
def _held_now(key: str, _work: Work, _text: str, _found: Positions) -> Positions:
    return as_they_are_now(_found, _text, np.flatnonzero(_work.desk.edited), _work.desk.read)
