"""How data comes in: files, pasted text, a path on this machine, or a sample; and what is said about it afterwards.

An upload is handed over at once and its widget emptied, so that its bytes do not stay in memory. What happens then is
shown by data_under_way.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lib.dataset import shelf
from lib.dataset.arrival.given import Given, on_this_machine
from lib.dataset.example import encode
from lib.dataset.samples.samples import SAMPLES, find
from lib.dataset.shelf import Version
from lib.errors import UnreadableFile
from lib.ui import data_left_out, data_under_way, session, trouble
from lib.workspace.database import Workspace

KINDS = ["jsonl", "json", "ndjson", "txt", "csv", "tsv", "xlsx", "xlsm", "xls", "parquet", "gz", "zip"]
PASTED = "Pasted examples"
EXAMPLE = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'
# Where what is under way is shown elsewhere on the same page.
ON_DATA = ("welcome", "another")


def bring_in(where: str) -> None:
    """A place to drop files, to paste, and to name a file. `where` is the name of the page, or of a place on it."""
    round_ = arrivals()
    if where not in ON_DATA:
        data_under_way.show_failures(where)
    st.file_uploader(
        "Files of examples",
        type=KINDS,
        accept_multiple_files=True,
        label_visibility="collapsed",
        key=f"file_{where}_{round_}",
        on_change=_files_arrived,
        args=(f"file_{where}_{round_}", where),
    )
    st.caption(
        "Drop files here, several at once if you like: JSONL, JSON, CSV, Excel or Parquet, also as gz or zip, up to "
        "512 MB each. They stay on this machine until you train somewhere else."
    )
    with st.expander("Or paste examples", type="compact"):
        st.text_area(
            "Pasted examples",
            key=f"pasted_{where}_{round_}",
            height=120,
            label_visibility="collapsed",
            placeholder=EXAMPLE,
        )
        st.button(
            "Bring in what is pasted",
            key=f"take_{where}_{round_}",
            on_click=_paste_arrived,
            args=(f"pasted_{where}_{round_}", where),
        )
    with st.expander("Or name a file on this machine", type="compact"):
        st.text_input(
            "Path of a file",
            key=f"path_{where}_{round_}",
            label_visibility="collapsed",
            placeholder="/home/me/examples.jsonl",
        )
        st.caption("Of any size. It is read from the disk and not sent through the browser.")
        st.button(
            "Bring in this file",
            key=f"read_{where}_{round_}",
            on_click=_path_arrived,
            args=(f"path_{where}_{round_}", where),
        )


def arrivals() -> int:
    """How often something came in during this session."""
    return cast(int, st.session_state.setdefault("arrivals", 0))


def arrived(where: str) -> bool:
    """Whether something came in, or is coming in, at this place since it was last asked."""
    return st.session_state.get("arrived") == where and st.session_state.pop("arrived") is not None


def choose_sample(where: str) -> None:
    """The samples that Etude makes itself, one button each."""
    for sample in SAMPLES:
        st.button(
            sample.title,
            key=f"sample_{sample.key}_{where}",
            help=sample.description,
            icon=":material/add:",
            on_click=_sample_wanted,
            args=(sample.key,),
        )


def bring_in_sample(key: str) -> Version:
    """Put a sample on the shelf with its held-out part as validation, once: asked again, the same version is chosen."""
    ws = session.workspace()
    sample = find(key)
    training, held_out = sample.flawed()
    source = b"".join(encode(example) + b"\n" for example in [*training, *held_out])
    validation = range(len(training), len(training) + len(held_out))
    version = _on_the_shelf(ws, source) or shelf.bring_in(ws, source, sample.title, validation=validation)
    session.choose_version(version.id)
    return version


def left_out(version: Version) -> None:
    """What is on its way in, and what the file of this version held that is not in it: nothing is dropped silently."""
    data_under_way.show()
    data_left_out.told(version)


def welcome() -> None:
    """The empty page: what to bring, and the samples for whoever has nothing yet."""
    data_under_way.show()
    if data_under_way.is_busy():
        st.caption("You may look at other pages meanwhile: what comes in goes on coming in, also after a reload.")
        return
    own, made = st.columns([3, 2], gap="large")
    with own:
        st.subheader("Bring your examples in", anchor=False)
        bring_in("welcome")
    with made:
        st.subheader("Or take a sample", anchor=False)
        st.caption("Made by Etude itself, each with a part held out and five flaws for you to find.")
        choose_sample("welcome")


def _on_the_shelf(ws: Workspace, source: bytes) -> Version | None:
    """The first version with exactly this content, None when no dataset has it."""
    sha256 = hashlib.sha256(source).hexdigest()
    every = (version for one in shelf.datasets(ws) for version in shelf.versions(ws, one.id))
    return next((version for version in every if version.sha256 == sha256 and version.parent_id is None), None)


@trouble.told()
def _files_arrived(key: str, where: str) -> None:
    if files := st.session_state.get(key):
        _let_go(files)
        _begin([Given(file.name, file) for file in files], where)


def _let_go(files: Sequence[UploadedFile]) -> None:
    """Streamlit keeps an upload in memory until its window is closed. Whoever holds these still has their bytes."""
    context = get_script_run_ctx()
    if context is not None and isinstance(kept := context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file in files:
            kept.remove_file(context.session_id, file.file_id)


@trouble.told()
def _paste_arrived(key: str, where: str) -> None:
    pasted = st.session_state.get(key, "")
    if not pasted.strip():
        raise UnreadableFile("Nothing is pasted yet.", "Paste examples, one JSON object on each line, or a table.")
    _begin([Given(PASTED, pasted.encode("utf-8", "surrogatepass"))], where)


@trouble.told()
def _path_arrived(key: str, where: str) -> None:
    _begin([on_this_machine(st.session_state.get(key, ""))], where)


def _begin(given: Sequence[Given], where: str) -> None:
    # The next round has another key: whatever happens to these bytes, the widget that holds them goes.
    st.session_state["arrivals"] = arrivals() + 1
    data_under_way.begin(given, where)


@trouble.told()
def _sample_wanted(key: str) -> None:
    bring_in_sample(key)
    st.session_state["arrivals"] = arrivals() + 1
    st.session_state.pop("place", None)
