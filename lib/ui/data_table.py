"""The examples as a table, a hundred a page: only that page is read and sent to the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from lib.dataset.drafts import Entry
from lib.dataset.example import Example
from lib.dataset.finding import Severity
from lib.dataset.rules.kinds import KINDS
from lib.ui import data_filter, data_work
from lib.ui.data_work import ORDER, Work
from lib.ui.figures import number_of
from lib.ui.plain import shortened

PAGE = 100
CELL = 160
# Columns for labels: an answer in JSON may have many fields.
MOST_LABELS = 2
NAMES: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
COLOURS: dict[Severity, str] = {"error": "red", "warning": "orange", "info": "gray"}


def show(work: Work) -> None:
    """The page that is turned to, of the examples that are looked for; a click on a row opens its example."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        places = data_filter.choose(work)
    if not len(places):
        data_filter.nothing_matches()
        return
    pages = -(-len(places) // PAGE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_how_many(work, len(places)), width="content")
        # Another key for another choice: a page number says nothing in it.
        page = st.pagination(pages, key=f"table_{work.version.id}_{pages}") if pages > 1 else 1
    shown = places[(page - 1) * PAGE : page * PAGE].tolist()
    found = findings_of(work, shown)
    rows = [_row(work, entry, one) for entry, one in zip(work.entries(shown), found, strict=True)]
    st.dataframe(
        rows,
        hide_index=True,
        height=430 if len(rows) > 10 else "content",
        key="table",
        on_select=lambda: _open(shown),
        selection_mode="single-cell",
        column_order=_columns(work, rows),
        column_config={
            "Line": st.column_config.NumberColumn(width=60, format="localized"),
            "Split": st.column_config.TextColumn(width=80),
            "Findings": st.column_config.MultiselectColumn(width=_width(found), **_colours(found)),
            "Edited": st.column_config.TextColumn(width=65),
            "Messages": st.column_config.NumberColumn(width=80),
            "Tokens": st.column_config.NumberColumn(width=70, format="localized"),
            "First question": st.column_config.TextColumn(width=300),
            "Last answer": st.column_config.TextColumn(width=300),
        },
        alt=f"Examples, page {page} of {pages}",
    )


def findings_of(work: Work, places: Sequence[int]) -> list[dict[Severity, int]]:
    """For each of these examples how many kinds of findings it has of each severity. Reads no example."""
    wanted = np.asarray(places, np.int64)
    found: list[dict[Severity, int]] = [{} for _ in places]
    for code, held in work.found.items():
        for at in np.flatnonzero(_holds(held, wanted)).tolist():
            severity = KINDS[code].severity
            found[at][severity] = found[at].get(severity, 0) + 1
    return found


def _holds(held: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return np.asarray(held[at] == wanted, np.bool_)


def _how_many(work: Work, number: int) -> str:
    if number == work.places:
        return f"{number_of(number, 'example')}. Choose one to open it as a conversation."
    return f"{number:,} of {number_of(work.examples, 'example')}. Choose one to open it as a conversation."


def _row(work: Work, entry: Entry, found: Mapping[Severity, int]) -> dict[str, Any]:
    assessed = work.desk.assessed
    at = entry.position
    row: dict[str, Any] = {"Line": at + 1, "Edited": "edited" if entry.edited else ""}
    if entry.example is None:
        return {**row, "Split": "removed", "Edited": "", "Findings": []}
    row["Split"] = "validation" if assessed.held_out[at] else "training"
    row["Findings"] = [_told(severity, found[severity]) for severity in ORDER if severity in found]
    for name in _labels(work):
        held = assessed.labels[name]
        label = int(held.ids[at])
        row[_label(name)] = held.names[label] if label >= 0 else ""
    row["Messages"] = int(assessed.columns.messages[at])
    row["Tokens"] = work.tokens_of(at)
    row["First question"] = _said(entry.example, "user")
    row["Last answer"] = _said(entry.example, "assistant")
    return row


def _label(field: str) -> str:
    """The heading over the labels of a field; no field is taken for a column of ours."""
    return f"Label: {shortened(field, 40)}"


def _labels(work: Work) -> list[str]:
    """The fields whose labels have a column. Where the whole answer is one, it stands there already."""
    return [field for field in work.desk.assessed.labels if field][:MOST_LABELS]


def _told(severity: Severity, number: int) -> str:
    return number_of(number, NAMES[severity])


def _colours(found: Sequence[Mapping[Severity, int]]) -> dict[str, Any]:
    """What stands in the column of findings on this page, in the colours that it has everywhere."""
    every = {_told(severity, number): COLOURS[severity] for one in found for severity, number in one.items()}
    return {"options": list(every), "color": list(every.values()) or None}


def _width(found: Sequence[Mapping[Severity, int]]) -> int:
    """Room for as many severities as stand beside each other on this page, in pixels."""
    return max(105, 90 * max(map(len, found), default=1))


def _columns(work: Work, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that say something on this page."""
    labels = [_label(name) for name in _labels(work)]
    split = work.held_out or any(row["Split"] == "removed" for row in rows)
    found = any(row["Findings"] for row in rows)
    edited = any(row["Edited"] for row in rows)
    return [
        "Line",
        *(["Split"] if split else []),
        *(["Findings"] if found else []),
        *(["Edited"] if edited else []),
        *labels,
        "Messages",
        *(["Tokens"] if work.desk.encoding else []),
        "First question",
        "Last answer",
    ]


def _said(example: Example, role: str) -> str:
    """The first question or the last answer, as far as a cell shows it."""
    if role == "assistant" and example.method == "dpo":
        return shortened(example.preferred[-1].text, CELL) if example.preferred else ""
    texts = [entry.text for entry in example.messages if entry.role == role]
    if not texts:
        return ""
    return shortened(texts[0] if role == "user" else texts[-1], CELL)


def _open(shown: Sequence[int]) -> None:
    cells = st.session_state["table"]["selection"]["cells"]
    if cells:
        data_work.open_example(shown[cells[0][0]])
