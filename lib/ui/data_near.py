"""The search for near duplicates where so many examples are not looked through by themselves: offered, and shown.

Knows no rule of likeness; the desk keeps up what was found with every edit.
"""

from __future__ import annotations

import streamlit as st

from lib.ui.data_work import Work
from lib.ui.figures import number_of


def offer(work: Work, place: str) -> None:
    """The button that begins the search; `place` tells those on one page apart."""
    if st.button("Look for them", key=f"look_for_near_{place}", icon=":material/search:"):
        _look(work)


def _look(work: Work) -> None:
    """Look, with a bar; a click anywhere ends it, and nothing is lost by that."""
    bar = st.empty()

    def told(done: int) -> None:
        part = min(done / max(work.places, 1), 1.0)
        bar.progress(part, f"Looking for near duplicates: {done:,} of {number_of(work.places, 'example')}")

    work.desk.look_for_near(told)
    bar.empty()
    st.rerun()
