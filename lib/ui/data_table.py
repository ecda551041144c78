"""The examples as a table, a hundred a page: only that page is read, counted and sent to the browser."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.dataset.drafts import Entry
from lib.dataset.example import Example
from lib.ui import data_filter, data_work
from lib.ui.data_work import Work
from lib.ui.plain import shortened

PAGE = 100
CELL = 160


def show(work: Work) -> None:
    """The page that is turned to, of the examples that are looked for; a click on a row opens its example."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        places = data_filter.choose(work)
        pages = -(-len(places) // PAGE)
        page = st.pagination(pages, key=f"table_{work.version.id}_{pages}") if pages > 1 else 1
    if not places:
        data_filter.nothing_matches()
        return
    shown = places[(page - 1) * PAGE : page * PAGE]
    st.dataframe(
        [_row(work, entry) for entry in work.entries(shown)],
        hide_index=True,
        height=430,
        key="table",
        on_select=lambda: _open(shown),
        selection_mode="single-row",
        column_config={
            "Line": st.column_config.NumberColumn(width=60),
            "Split": st.column_config.TextColumn(width=85),
            "Tokens": st.column_config.NumberColumn(width=75, format="localized"),
            "First question": st.column_config.TextColumn(width=340),
            "Last answer": st.column_config.TextColumn(width="large"),
        },
        alt=f"Examples, page {page} of {pages}",
    )
    st.caption("Choose a row to open the example as a conversation.")


def _row(work: Work, entry: Entry) -> dict[str, object]:
    split = "validation" if entry.position in work.version.validation else "training"
    row = {"Line": entry.position + 1, "Split": split if entry.example else "removed"}
    if entry.example is not None:
        row["Tokens"] = work.tokens_of(entry.example)
        row["First question"] = _said(entry.example, "user")
        row["Last answer"] = _said(entry.example, "assistant")
    return row


def _said(example: Example, role: str) -> str:
    """The first question or the last answer, as far as a cell shows it."""
    if role == "assistant" and example.method == "dpo":
        return shortened(example.preferred[-1].text, CELL) if example.preferred else ""
    texts = [entry.text for entry in example.messages if entry.role == role]
    if not texts:
        return ""
    return shortened(texts[0] if role == "user" else texts[-1], CELL)


def _open(shown: Sequence[int]) -> None:
    rows = st.session_state["table"]["selection"]["rows"]
    if rows:
        data_work.open_example(shown[rows[0]])
