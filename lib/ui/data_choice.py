"""Which dataset and which version are worked on, and the two ways on: bring in another file, save what was edited."""

from __future__ import annotations

from dataclasses import asdict

import streamlit as st

from lib.dataset import drafts, shelf
from lib.dataset.shelf import Version
from lib.ui import data_arrival, data_export, session, trouble
from lib.ui.data_work import Work
from lib.ui.figures import numbers_of
from lib.ui.plain import shortened


def show(work: Work) -> None:
    """Dataset, version, and what can be done with them as a whole, in one row."""
    ws = session.workspace()
    sets = {one.id: one.name for one in shelf.datasets(ws)}
    versions = {one.id: one for one in shelf.versions(ws, work.version.dataset_id)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Dataset",
            list(sets),
            index=list(sets).index(work.version.dataset_id),
            format_func=lambda dataset_id: shortened(sets[dataset_id], 60),
            key=f"dataset_{work.version.dataset_id}",
            on_change=_dataset_chosen,
            args=(f"dataset_{work.version.dataset_id}",),
            label_visibility="collapsed",
            width=220,
        )
        st.selectbox(
            "Version",
            list(versions),
            index=list(versions).index(work.version.id),
            format_func=lambda version_id: named(versions[version_id]),
            key=f"version_{work.version.id}",
            on_change=_version_chosen,
            args=(f"version_{work.version.id}",),
            label_visibility="collapsed",
            width=190,
        )
        # Another key once something has come in: that closes it, and shows what came.
        with st.popover("Bring in", icon=":material/upload_file:", key=f"bring_in_{data_arrival.arrivals()}"):
            data_arrival.bring_in("another")
            st.caption("Or take a sample, made by Etude itself:")
            data_arrival.choose_sample("another")
        data_export.offer(work)
        _save(work)


def offer_undo() -> None:
    """The way back after a dataset was removed."""
    removed = st.session_state.get("removed_dataset")
    if removed is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("The dataset was removed.", width="content")
            st.button("Bring it back", icon=":material/undo:", on_click=_put_back, args=(removed,))


def named(version: Version) -> str:
    """A version as a person tells it from others."""
    return f"{version.number} · {shortened(version.name, 40)}" if version.name else f"Version {version.number}"


def _save(work: Work) -> None:
    edited = work.desk.changed
    missing = None if edited else "Nothing was edited since this version."
    # Another key once the edits are saved or gone: an open one would stay as an empty box.
    key = f"save_{work.version.id}_{bool(missing)}"
    with st.popover("Save a version", icon=":material/save:", disabled=bool(missing), help=missing, key=key):
        if missing:
            return
        what = numbers_of(asdict(work.desk.changes), none="Nothing that stays")
        st.caption(f"{what} since this version. Saved already, but not yet part of a version.")
        st.text_input("Name", key="version_name", placeholder="What changed")
        with st.container(horizontal=True):
            st.button("Save the version", type="primary", on_click=_saved, args=(work.version.id,))
            st.button("Discard the edits", type="tertiary", on_click=_discarded, args=(work.version.id,))


@trouble.told()
def _saved(version_id: str) -> None:
    name = st.session_state["version_name"].strip()
    session.choose_version(drafts.save_version(session.workspace(), version_id, name).id)


@trouble.told()
def _discarded(version_id: str) -> None:
    drafts.discard(session.workspace(), version_id)


def _dataset_chosen(key: str) -> None:
    session.choose_version(shelf.versions(session.workspace(), st.session_state[key])[0].id)


def _version_chosen(key: str) -> None:
    session.choose_version(st.session_state[key])


@trouble.told()
def _put_back(dataset_id: str) -> None:
    shelf.put_back(session.workspace(), dataset_id)
    st.session_state.pop("removed_dataset", None)
    session.choose_version(shelf.versions(session.workspace(), dataset_id)[0].id)
