"""Which examples are held out: a suggestion that is shown before it is kept as a version of its own."""

from __future__ import annotations

import streamlit as st

from lib.dataset import drafts, split
from lib.dataset.places import Places
from lib.dataset.split_choice import Candidates, Choice, candidates, choose
from lib.ui import data_near, session, trouble
from lib.ui.data_profile import share
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import shortened

MOST_PERCENT = 50
SHARE, NUMBER = "Share", "Number"
TABLE_HEIGHT = 250


def show(work: Work) -> None:
    """What is held out now, the way to another split, and what that would hold out."""
    st.markdown(_now(work))
    if work.examples < split.ENOUGH_TO_SPLIT:
        st.caption(
            f"It takes at least {split.ENOUGH_TO_SPLIT} examples to hold some out: {split.LEAST_HELD_OUT} to measure "
            f"with and {split.LEAST_TRAINED} to train on. There are {work.examples:,}."
        )
        return
    among = _candidates(work.key, work.desk.assessed.near is not None, work)
    choice, name = _chosen(work, among)
    if not choice.validation:
        _none_can_be(work, among)
        return
    _would_be(work, among, choice, name)


@st.cache_resource(max_entries=8, show_spinner="Finding what belongs together …")
def _candidates(key: str, near: bool, _work: Work) -> Candidates:
    return candidates(_work.desk.assessed)


@st.cache_resource(max_entries=32, show_spinner=False)
def _choice(
    key: str, near: bool, sized: str, size: int, seed: int, field: str | None, _work: Work, _among: Candidates
) -> Choice:
    if sized == SHARE:
        return choose(_work.desk.assessed, _among, share=size / 100, seed=seed, field=field)
    return choose(_work.desk.assessed, _among, number=size, seed=seed, field=field)


def _now(work: Work) -> str:
    if not work.held_out:
        return (
            "Nothing is held out: every example is trained on, and nothing shows when the model only learns by heart."
        )
    return (
        f"**{number_of(work.held_out, 'example')}** ({share(work.held_out, work.examples)}) held out for "
        f"validation, **{work.training:,}** trained on."
    )


def _chosen(work: Work, among: Candidates) -> tuple[Choice, str]:
    """The split that the settings give, and the settings as the name of a version."""
    fields = list(work.desk.assessed.labels)
    most = work.examples - split.LEAST_TRAINED
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sized = st.selectbox("Hold out by", (SHARE, NUMBER), key="split_by", width=120)
        if sized == NUMBER:
            suggested = min(max(split.LEAST_HELD_OUT, round(work.examples * split.SHARE)), most)
            key = f"split_number_{most}"
            size = st.number_input("Examples held out", 1, most, suggested, key=key, width=170)
        else:
            suggested = round(split.SHARE * 100)
            size = st.number_input("Per cent held out", 1, MOST_PERCENT, suggested, key="share", width=170)
        seed = st.number_input("Seed", 0, 2**31 - 1, split.SEED, key="split_seed", width=130)
        field = None
        if fields:
            # The widget holds a place in the list: a field may be called anything, and none is no field.
            place = st.selectbox(
                "Each label in its share",
                range(len(fields) + 1),
                format_func=lambda at: _named(fields[at]) if at < len(fields) else "Do not look at labels",
                key=f"split_labels_{work.version.id}",
                width=230,
            )
            field = fields[place] if place < len(fields) else None
    near = work.desk.assessed.near is not None
    choice = _choice(work.key, near, sized, int(size), int(seed), field, work, among)
    held_out = f"{size} held out" if sized == NUMBER else f"{size}% held out"
    return choice, f"{held_out}, seed {seed}" + ("" if field is None else ", by label")


def _would_be(work: Work, among: Candidates, choice: Choice, name: str) -> None:
    """What the split would be, and the button that keeps it."""
    total = len(among.positions)
    same = _is_so_now(work, choice)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Would hold out **{number_of(choice.validation, 'example')}** ({share(choice.validation, total)}) "
            f"and train on **{choice.training:,}**.",
            width="content",
        )
        st.button(
            f"Hold out {number_of(choice.validation, 'example')}",
            key="hold_out",
            type="secondary" if work.held_out else "primary",
            icon=":material/call_split:",
            disabled=same,
            help="This is how it is split now." if same else "Saves a version with this split, and with all edits.",
            on_click=_keep,
            args=(work.version.id, choice.held_out, name),
        )
        if work.held_out:
            st.button(
                "Hold none out",
                key="hold_none",
                type="tertiary",
                help="Saves a version in which every example is trained on.",
                on_click=_keep,
                args=(work.version.id, Places(), "Nothing held out"),
            )
    st.caption(_together(among))
    _more_alike(work, among)
    if choice.labels:
        st.dataframe(
            [
                {
                    "Label": row.name,
                    "Examples": row.examples,
                    "Training": row.examples - row.validation,
                    "Validation": row.validation,
                    "Held out": 100 * row.validation / row.examples,
                }
                for row in choice.labels
            ],
            hide_index=True,
            height=TABLE_HEIGHT if len(choice.labels) > 6 else "content",
            width="content",
            column_config={
                "Label": st.column_config.TextColumn(width=180),
                "Examples": st.column_config.NumberColumn(format="localized", width=90),
                "Training": st.column_config.NumberColumn(format="localized", width=90),
                "Validation": st.column_config.NumberColumn(format="localized", width=90),
                "Held out": st.column_config.NumberColumn(format="%.0f%%", width=90),
            },
            alt="What would be held out of each label",
        )
    rules = f"The same settings always hold out the same examples; a share is at least {split.LEAST_HELD_OUT} of them."
    st.caption(f"{rules} A label that one group alone has stays in training." if choice.labels else rules)


def _is_so_now(work: Work, choice: Choice) -> bool:
    """Whether this is how the version is split already."""
    held_out = work.desk.assessed.held_out[choice.held_out.array]
    return choice.validation == work.held_out and bool(held_out.all())


def _none_can_be(work: Work, among: Candidates) -> None:
    if among.largest > 1:
        st.markdown(
            f"No part can be held out with these settings: {among.together:,} of {work.examples:,} examples belong "
            f"together, the largest group has {among.largest:,}. Choose a larger share, or remove repeated examples."
        )
    else:
        st.markdown("No example can be held out with these settings. Choose a larger share or number.")


def _together(among: Candidates) -> str:
    """Which examples are kept on one side, and why."""
    alike = ", are equal, or nearly so," if among.near else " or are equal"
    if not among.together:
        return f"Each example can be on either side: no two have the same prompt{alike.rstrip(',')}."
    return (
        f"Examples that have the same prompt{alike} stay on one side, so that validation measures what was "
        f"never seen in training: {among.together:,} examples in {number_of(among.groups_of_many, 'group')}."
    )


def _more_alike(work: Work, among: Candidates) -> None:
    """The way to the examples that are nearly equal, where they were not looked for."""
    if not among.near:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(
                ":orange[:material/info: Near duplicates were not looked for: some may stand on both sides.]",
                width="content",
            )
            data_near.offer(work, "split")


def _named(field: str) -> str:
    return f"By “{shortened(field, 30)}”" if field else "By the answer"


@trouble.told()
def _keep(version_id: str, held_out: Places, name: str) -> None:
    session.choose_version(drafts.save_version(session.workspace(), version_id, name, validation=held_out).id)
