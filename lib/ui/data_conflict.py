"""Saves an edit at once; where somebody else was quicker, nothing is overwritten and both texts are shown.

Every edit of one example goes through `save`. Knows no form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.dataset import drafts
from lib.dataset.drafts import Entry
from lib.dataset.example import Example, encode
from lib.dataset.parse import parse
from lib.errors import EditConflict
from lib.ui import compared, data_unsaved, session, trouble
from lib.ui.data_unsaved import Draft
from lib.ui.data_work import Work


def save(work: Work, place: int, data: Mapping[str, Any] | None, revision: int, label: str) -> bool:
    """Save an example, or with None remove it; whether nobody was quicker. `label` is what undoing it is called.

    Raises DataError and WorkspaceError as lib.dataset.drafts does.
    """
    ws, version_id = session.workspace(), work.version.id
    try:
        if data is None:
            drafts.remove(ws, version_id, place, revision, label=label)
        else:
            drafts.change(ws, version_id, place, data, revision, label=label)
    except EditConflict:
        mine = None if data is None else encode(dict(data)).decode()
        st.session_state["conflict"] = {"version": version_id, "place": place, "mine": mine, "label": label}
        return False
    st.session_state.pop("conflict", None)
    data_unsaved.drop(work, place)
    return True


def stands(work: Work, place: int) -> bool:
    """Whether two texts of this example wait for a choice."""
    held = st.session_state.get("conflict")
    return held is not None and (held["version"], held["place"]) == (work.version.id, place)


def show(work: Work, entry: Entry) -> None:
    """Both texts with what differs, and the choice between them."""
    mine = _mine()
    draft = data_unsaved.of(work, entry.position)
    st.warning(
        "This example was changed in another window while you edited it. Nothing was overwritten: choose what stays.",
        icon=":material/difference:",
    )
    compared.show(mine, entry.example, compared.CHOICE)
    with st.container(horizontal=True):
        st.button("Keep mine", type="primary", on_click=_keep_mine, args=(work, entry))
        if draft is not None and mine is not None:
            st.button("Edit mine further", on_click=_edit_further, args=(work, entry, draft))
        st.button("Keep the other", on_click=_keep_other, args=(work, entry))


def outdated(entry: Entry, draft: Draft) -> None:
    """Said while somebody types in an example that has been changed in another window meanwhile."""
    if draft["revision"] != entry.revision:
        st.warning(
            "This example has been changed in another window since you began. Saving shows both texts and overwrites "
            "nothing.",
            icon=":material/difference:",
        )


@trouble.told()
def _keep_mine(work: Work, entry: Entry) -> None:
    # Saved over what was shown beside it. If that has changed again, both are shown again.
    held, mine = st.session_state["conflict"], _mine()
    save(work, entry.position, mine.data if mine else None, entry.revision, held["label"])


@trouble.told()
def _edit_further(work: Work, entry: Entry, draft: Draft) -> None:
    if (mine := _mine()) is not None:
        data_unsaved.goes_on(work, draft, mine.data, entry.revision)
    st.session_state.pop("conflict", None)


@trouble.told()
def _keep_other(work: Work, entry: Entry) -> None:
    st.session_state.pop("conflict", None)
    data_unsaved.drop(work, entry.position)


def _mine() -> Example | None:
    line = st.session_state["conflict"]["mine"]
    return None if line is None else Example(parse(line.encode()))
