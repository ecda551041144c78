"""How data comes in: a file, pasted text, or a sample. What cannot be read is one sentence, and nothing is lost.

Knows the shelf and the samples; an upload is read once, kept, and its widget emptied, so that its bytes do not stay in
memory.
"""

from __future__ import annotations

import hashlib
from typing import cast

import streamlit as st

from lib.dataset import shelf
from lib.dataset.example import encode
from lib.dataset.jsonl import read
from lib.dataset.samples.samples import SAMPLES, find
from lib.dataset.shelf import Version
from lib.dataset.tables import guess, incomplete, read_table
from lib.ui import session, trouble
from lib.ui.figures import number_of
from lib.workspace.database import Workspace

KINDS = ["jsonl", "json", "ndjson", "txt", "csv", "tsv"]
TABLES = (".csv", ".tsv")
PASTED = "Pasted examples"
SHOWN_LINES = 50


def bring_in(where: str) -> None:
    """A place to drop a file and a place to paste. `where` is the name of the page, or of a place on it."""
    round_ = arrivals()
    st.file_uploader(
        "A file of examples",
        type=KINDS,
        label_visibility="collapsed",
        key=f"file_{where}_{round_}",
        on_change=_file_arrived,
        args=(f"file_{where}_{round_}", where),
    )
    st.caption(
        "JSONL, a JSON array, or a table (CSV, TSV) of questions and answers, up to 512 MB. It stays on this machine "
        "until you train somewhere else."
    )
    with st.expander("Or paste examples", type="compact"):
        st.text_area(
            "Pasted examples",
            key=f"pasted_{where}_{round_}",
            height=120,
            label_visibility="collapsed",
            placeholder='{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}',
        )
        st.button(
            "Bring in what is pasted",
            key=f"take_{where}_{round_}",
            on_click=_paste_arrived,
            args=(f"pasted_{where}_{round_}", where),
        )


def arrivals() -> int:
    """How often something came in during this session."""
    return cast(int, st.session_state.setdefault("arrivals", 0))


def arrived(where: str) -> bool:
    """Whether something came in at this place since it was last asked."""
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
    training, held_out = sample.make()
    source = b"".join(encode(example) + b"\n" for example in [*training, *held_out])
    validation = range(len(training), len(training) + len(held_out))
    version = _on_the_shelf(ws, source) or shelf.bring_in(ws, source, sample.title, validation=validation)
    session.choose_version(version.id)
    return version


def _on_the_shelf(ws: Workspace, source: bytes) -> Version | None:
    """The first version with exactly this content, None when no dataset has it."""
    sha256 = hashlib.sha256(source).hexdigest()
    every = (version for one in shelf.datasets(ws) for version in shelf.versions(ws, one.id))
    return next((version for version in every if version.sha256 == sha256 and version.parent_id is None), None)


def left_out(version: Version) -> None:
    """What a file held that is no example: said once, with the lines, because nothing is dropped silently."""
    count = version.changes.get("unread", 0)
    if not count:
        return
    line = f":orange[:material/warning: {number_of(count, 'line')} of the file could not be read as an example]"
    with st.expander(line, type="compact"):
        st.caption("The file itself is kept whole. These lines stayed out of the version:")
        for text in _unread(version.id, version):
            st.text(text)


@st.cache_data(max_entries=8, show_spinner=False)
def _unread(version_id: str, _version: Version) -> list[str]:
    ws = session.workspace()
    dataset = next(one for one in shelf.datasets(ws) if one.id == _version.dataset_id)
    source = ws.kept(_version.changes["source"])
    if dataset.source_name.lower().endswith(TABLES):
        table = read_table(source.read_bytes(), dataset.source_name)
        numbers = incomplete(table, guess(table))
        return [f"Line {number} has no question or no answer." for number in numbers[:SHOWN_LINES]]
    problems = read(source, dataset.source_name).problems
    return [f"{one.text} {one.why}" for one in problems if one.severity == "error"][:SHOWN_LINES]


def welcome() -> None:
    """The empty page: what to bring, and the samples for whoever has nothing yet."""
    own, made = st.columns([3, 2], gap="large")
    with own:
        st.subheader("Bring your examples in", anchor=False)
        bring_in("welcome")
        st.caption(
            "JSONL with one example a line, or a JSON array. Supervised chats and preference pairs are recognised."
        )
    with made:
        st.subheader("Or take a sample", anchor=False)
        st.caption("Made by Etude itself, each with a part held out.")
        choose_sample("welcome")


@trouble.told()
def _file_arrived(key: str, where: str) -> None:
    if (file := st.session_state.get(key)) is not None:
        _arrived(file.getvalue(), file.name, where)


@trouble.told()
def _paste_arrived(key: str, where: str) -> None:
    _arrived(st.session_state.get(key, "").encode("utf-8", "surrogatepass"), PASTED, where)


def _arrived(source: bytes, name: str, where: str) -> None:
    # The next round has another key: whatever happens to these bytes, the widget that holds them goes.
    st.session_state["arrivals"] += 1
    bring = shelf.bring_in_table if name.lower().endswith(TABLES) else shelf.bring_in
    session.choose_version(bring(session.workspace(), source, name).id)
    st.session_state.pop("place", None)
    st.session_state["arrived"] = where


@trouble.told()
def _sample_wanted(key: str) -> None:
    bring_in_sample(key)
    st.session_state["arrivals"] = arrivals() + 1
    st.session_state.pop("place", None)
