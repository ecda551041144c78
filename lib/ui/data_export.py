"""Taking examples out: the exact files that Train sends, and tables for a person's own use, made when asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import streamlit as st

from lib.dataset import drafts, export
from lib.dataset.export import Form, Part
from lib.dataset.shelf import Version
from lib.ui import session
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.workspace.database import Workspace

Forms = dict[Form, tuple[str, str, str]]
FORMS: Forms = {
    "jsonl": ("JSONL", "application/jsonl", "Training and validation are the very bytes that Train sends."),
    "csv": ("CSV", "text/csv", "A row an example, for a spreadsheet: no cell is taken for a formula."),
    "parquet": ("Parquet", "application/vnd.apache.parquet", "A row an example, for notebooks and databases."),
}
# What is taken out when there are edits that are in no version yet.
VERSION, EDITS = "The version", "With the edits"


def offer(work: Work) -> None:
    """A place to choose what is taken out, and the buttons that do it. Nothing is made before one is pressed."""
    with st.popover("Export", icon=":material/download:", key="export"):
        edited = work.desk.changed > 0
        form = st.segmented_control(
            "As", list(FORMS), default="jsonl", format_func=lambda one: FORMS[one][0], required=True, key="export_form"
        )
        st.caption(FORMS[form][2])
        whole = VERSION
        if edited:
            whole = (
                st.segmented_control("Of", (VERSION, EDITS), default=VERSION, required=True, key="export_of") or VERSION
            )
            if whole == EDITS and form == "jsonl":
                st.caption("Train sends versions: save one to train on these edits.")
        for part, number in _parts(work, whole):
            _button(work, form, part, number, whole)


def file_name(version: Version, part: Part, form: Form, *, edited: bool = False) -> str:
    """What the file is called: the dataset, the version, the part."""
    held = "".join(letter if letter.isalnum() or letter in "-_. " else "_" for letter in version.dataset_name)
    name = " ".join(held.split()).strip(". ")[:60] or "dataset"
    side = "" if part == "all" else f" {part}"
    return f"{name} v{version.number}{' edited' if edited else ''}{side}.{form}"


def made(ws: Workspace, version: Version, form: Form, part: Part, *, edited: bool = False) -> bytes:
    """The bytes of the file: in memory once, and in no other form. `edited`: with the edits that are in no version yet.

    Raises DataError when the part has no example, WorkspaceError when there is no room to make it.
    """
    if form == "jsonl" and not edited and (part != "all" or not version.validation):
        path = export.validation_bytes(ws, version) if part == "validation" else export.training_bytes(ws, version)
        return path.read_bytes()
    examples = _as_edited(ws, version) if edited else export.examples_of(ws, version)
    with export.written(ws, examples, form, part, method=version.method) as file:
        return file.read_bytes()


def _parts(work: Work, whole: str) -> list[tuple[Part, int]]:
    """The parts that have examples, and how many."""
    if whole == EDITS:
        every, held_out = work.examples, work.held_out
    else:
        every, held_out = work.version.examples, len(work.version.validation)
    parts: list[tuple[Part, int]] = [("training", every - held_out), ("validation", held_out)] if held_out else []
    return [one for one in (*parts, ("all", every)) if one[1]]


def _button(work: Work, form: Form, part: Part, number: int, whole: str) -> None:
    names = {"all": "All", "training": "Training", "validation": "Validation"}
    edited = whole == EDITS
    st.download_button(
        f"{names[part]}: {number_of(number, 'example')}",
        partial(made, session.workspace(), work.version, form, part, edited=edited),
        file_name(work.version, part, form, edited=edited),
        mime=FORMS[form][1],
        key=f"export_{part}",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
    )


def _as_edited(ws: Workspace, version: Version) -> Iterator[tuple[bytes, bool]]:
    """Every example with its saved edits, and whether it is held out."""
    for saved in drafts.walk(ws, version.id):
        if saved.line is not None:
            yield saved.line, saved.position in version.validation
