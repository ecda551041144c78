"""The versions of a dataset: what each changed and what it costs, the way back to one, and the dataset's own name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from lib.dataset import shelf
from lib.dataset.counted import count, counted, epoch
from lib.dataset.shelf import Version
from lib.ui import data_compare, data_price, session, trouble
from lib.ui.data_work import Work
from lib.ui.figures import number_of, numbers_of
from lib.ui.plain import plain, shortened

PAGE = 100
# So many examples are counted without asking.
AT_ONCE = 20_000
HEIGHT = 300


def show(work: Work) -> None:
    """All versions, newest first; what differs between two of them; the dataset as a whole."""
    versions = shelf.versions(session.workspace(), work.version.dataset_id)
    pages = -(-len(versions) // PAGE)
    page = st.pagination(pages, key=f"versions_{work.version.dataset_id}_{pages}") if pages > 1 else 1
    shown = versions[(page - 1) * PAGE : page * PAGE]
    uncounted = [one for one in shown if _tokens(one, work) is None]
    if sum(one.examples for one in uncounted) <= AT_ONCE:
        _count(work, uncounted)
    tokens = {one.id: _tokens(one, work) for one in shown}
    uncounted = [one for one in uncounted if tokens[one.id] is None]
    _table(work, shown, tokens)
    _below(work, versions, uncounted)
    if len(versions) > 1:
        data_compare.show(work, versions, tokens)
    _dataset(work)


def _table(work: Work, shown: Sequence[Version], tokens: dict[str, int | None]) -> None:
    rows = [_row(work, one, tokens) for one in shown]
    priced = any(row["Cost"] not in (None, "free") for row in rows)
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        hide_index=True,
        height=HEIGHT if len(rows) > 7 else "content",
        key=f"versions_table_{work.version.id}",
        on_select=lambda: _look_at(shown, f"versions_table_{work.version.id}"),
        selection_mode="single-row",
        placeholder="–",
        column_order=[name for name in rows[0] if name != "Cost" or priced],
        column_config={
            "": st.column_config.TextColumn(width=24, help="The version that is shown"),
            "No.": number(width=40),
            "Name": st.column_config.TextColumn(width=150),
            "Examples": number(width=76, format="localized"),
            "Held out": number(width=70, format="localized"),
            "Changed": st.column_config.TextColumn(width=150, help="Compared with the version that it was made from"),
            "Tokens": number(width=76, format="localized", help=f"Billed for one epoch, {work.measure.model}"),
            "Difference": number(width=84, format="localized", help="In tokens, to the version below"),
            "Cost": st.column_config.TextColumn(width=84, alignment="right", help=data_price.source(work)),
            "Saved": st.column_config.TextColumn(width=128),
        },
        alt="Versions of this dataset, newest first",
    )


def _row(work: Work, version: Version, tokens: dict[str, int | None]) -> dict[str, object]:
    before = tokens.get(version.parent_id) if version.parent_id else None
    held = tokens[version.id]
    kinds = ("added", "removed", "changed")
    changes = numbers_of({what: version.changes.get(what, 0) for what in kinds}, none="no example")
    return {
        "": "●" if version.id == work.version.id else "",
        "No.": version.number,
        "Name": version.name,
        "Examples": version.examples,
        "Held out": len(version.validation),
        "Changed": changes if version.parent_id else "brought in",
        "Tokens": held,
        "Difference": None if held is None or before is None else held - before,
        "Cost": None if held is None else data_price.of_an_epoch(work, held),
        "Saved": f"{datetime.fromtimestamp(version.created_at):%Y-%m-%d %H:%M}",
    }


def _below(work: Work, versions: Sequence[Version], uncounted: Sequence[Version]) -> None:
    """What can be done with the version that is shown, and with those that were not counted."""
    newest = versions[0]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if work.version.id != newest.id:
            st.markdown(
                f"Version {work.version.number} is shown; the newest is {newest.number}.",
                width="content",
            )
            st.button(
                f"Go back to version {work.version.number}",
                key="restore",
                icon=":material/settings_backup_restore:",
                help="Makes a new version with the examples and the split of this one. No version is lost.",
                on_click=_restore,
                args=(work.version.id,),
            )
        else:
            st.caption("A version never changes. Choose a row to look at that version.", width="content")
        asked = (
            uncounted
            and work.measure.counter is not None
            and st.button(
                f"Count the tokens of {number_of(len(uncounted), 'version')}",
                key="count_versions",
                type="tertiary",
                icon=":material/calculate:",
            )
        )
    if asked:
        _count(work, uncounted)
        st.rerun()
    if work.version.id != newest.id and (changed := work.desk.changed):
        st.caption(
            f"{number_of(changed, 'edited example')} of this version are not yet in any: they would not come along."
        )


def _count(work: Work, versions: Sequence[Version]) -> None:
    """Count what was not counted. A click meanwhile ends that; what is counted by then stays."""
    measure, ws, bar = work.measure, session.workspace(), st.empty()
    counter = measure.counter
    if counter is None:
        return
    for version in versions:

        def told(done: int, version: Version = version) -> None:
            bar.progress(done / version.examples, f"Counting version {version.number}: {done:,} examples")

        held = count(ws, version, counter, told if version.examples > AT_ONCE else None)
        _known(str(ws.home))[_name(version, work)] = epoch(version, held, measure.limit)
    bar.empty()


def _dataset(work: Work) -> None:
    """The dataset as a whole: its name, and the way to take it off the shelf."""
    dataset_id, name = work.version.dataset_id, work.version.dataset_name
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        # Another key once it has another name: that closes it.
        with st.popover("Rename the dataset", icon=":material/edit:", type="tertiary", key=f"rename_{name}"):
            st.text_input("Name", name, key=f"new_name_{dataset_id}_{name}", max_chars=200)
            st.button("Rename it", type="primary", on_click=_rename, args=(dataset_id, f"new_name_{dataset_id}_{name}"))
        with st.popover("Remove the dataset", icon=":material/delete:", type="tertiary"):
            st.markdown(
                f"Takes “{plain(shortened(name, 60))}” and its versions off the shelf. Runs that were trained on it "
                "stay, and it can be brought back."
            )
            st.button("Remove it", type="primary", on_click=_remove, args=(dataset_id,))


def _tokens(version: Version, work: Work) -> int | None:
    """What one epoch of a version bills, where that is known without counting."""
    measure, ws = work.measure, session.workspace()
    known, name = _known(str(ws.home)), _name(version, work)
    if name not in known and (held := counted(ws, version, measure.encoding)) is not None:
        while len(known) >= MOST_KNOWN:
            known.pop(next(iter(known)))
        known[name] = epoch(version, held, measure.limit)
    return known.get(name)


def _name(version: Version, work: Work) -> str:
    return f"{version.id}/{work.measure.encoding}/{work.measure.limit}"


MOST_KNOWN = 2000


@st.cache_resource(max_entries=8, show_spinner=False)
def _known(home: str) -> dict[str, int]:
    """Sums that were worked out: a number for each version, encoding and limit."""
    return {}


@trouble.told()
def _look_at(shown: Sequence[Version], key: str) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        session.choose_version(shown[rows[0]].id)


@trouble.told()
def _restore(version_id: str) -> None:
    session.choose_version(shelf.restore(session.workspace(), version_id).id)


@trouble.told()
def _rename(dataset_id: str, key: str) -> None:
    shelf.rename(session.workspace(), dataset_id, st.session_state[key])


@trouble.told()
def _remove(dataset_id: str) -> None:
    shelf.remove(session.workspace(), dataset_id)
    st.session_state["removed_dataset"] = dataset_id
