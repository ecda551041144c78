"""Which examples are held out: a suggestion by share and seed, kept as a version of its own."""

from __future__ import annotations

import streamlit as st

from lib.dataset import drafts, split
from lib.ui import session, trouble
from lib.ui.data_work import Work
from lib.ui.figures import number_of

MOST_PERCENT = 50


def show(work: Work) -> None:
    """What is held out now, and the way to another split."""
    st.markdown(_now(work))
    enough = work.report.examples >= split.ENOUGH_TO_SPLIT
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            "Share held out, in per cent", 0, MOST_PERCENT, round(split.SHARE * 100), key="share", width=220
        )
        st.number_input("Seed", 0, 2**31 - 1, split.SEED, key="split_seed", width=140)
        st.button(
            "Split and save a version",
            type="primary",
            disabled=not enough,
            help=None if enough else f"It takes at least {split.ENOUGH_TO_SPLIT} examples to hold some out.",
            on_click=_split,
            args=(work,),
        )
    st.caption(
        "The same share and seed always hold out the same examples. Examples with the same prompt stay on one side, so "
        "that validation measures what was never seen in training. At least ten are held out."
    )


def _now(work: Work) -> str:
    if not work.held_out:
        return (
            "Nothing is held out: every example is trained on, and nothing shows when the model only learns by heart."
        )
    return (
        f"**{number_of(work.held_out, 'example')}** held out for validation, "
        f"**{work.training:,}** trained on: {work.held_out / work.report.examples:.0%} of all."
    )


@trouble.told()
def _split(work: Work) -> None:
    percent, seed = st.session_state["share"], st.session_state["split_seed"]
    entries = [entry for entry in work.entries(range(work.places)) if entry.example is not None]
    examples = [entry.example for entry in entries if entry.example is not None]
    held_out = [entries[at].position for at in split.suggest(examples, percent / 100, seed)]
    name = f"{percent} % held out, seed {seed}"
    session.choose_version(drafts.save_version(session.workspace(), work.version.id, name, validation=held_out).id)
