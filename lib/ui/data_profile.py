"""What the examples are like as a whole: numbers, lengths, roles, prompts, labels, and the ways to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from lib.dataset import shelf
from lib.dataset.languages import Languages, languages
from lib.dataset.profile import Label, Named, Profile, Tokens, profile
from lib.dataset.rules.size import CODE as OVER_LIMIT
from lib.dataset.selection import OTHER
from lib.ui import data_filter, data_price, data_work, palette, session, trouble
from lib.ui.data_bars import token_figure
from lib.ui.data_work import Work
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

# How many examples the languages are told from: it takes three milliseconds for each.
LANGUAGES_FROM = 200
LABELS_HEIGHT, SYSTEMS_HEIGHT = 250, 180
SEARCHED = 200


def show(work: Work) -> None:
    """The profile of the examples as they are now."""
    if not work.examples:
        st.markdown("Every example is removed, so there is nothing to describe.")
        return
    held = _profile(work.key, work.desk.encoding, work.measure.limit, work)
    _figures(work, held)
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(gap="xsmall"):
        if held.tokens is not None:
            _lengths(work, held.tokens)
        else:
            st.caption("Tokens cannot be counted on this machine, so lengths are not shown.")
    with right:
        _roles(held)
        _answers(held)
        told = st.container()
    _labels(held)
    _systems(held)
    with told:
        _languages(work)


def share(part: int, whole: int) -> str:
    """A share in per cent that never says none or all where it is not."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1%"
    if 99 < percent < 100:
        return "over 99%"
    return f"{percent:.0f}%"


@st.cache_resource(max_entries=16, show_spinner=False)
def _profile(key: str, encoding: str | None, limit: int | None, _work: Work) -> Profile:
    return profile(_work.desk.assessed, limit, counted=encoding is not None)


@st.cache_resource(max_entries=32, show_spinner="Telling languages …")
def _told(version_id: str, _work: Work) -> Languages:
    return languages(shelf.open_lines(session.workspace(), _work.version), sample=LANGUAGES_FROM)


def _figures(work: Work, held: Profile) -> None:
    sides = f"{held.training:,} training, {held.validation:,} validation" if held.validation else "none held out"
    each = held.messages
    cells = [
        ("Examples", f"{held.examples:,}", sides),
        ("Messages", f"{each.total:,}", _between(each.least, each.median, each.most)),
        ("Size", f"{held.size / 1e6:,.1f} MB" if held.size >= 1e6 else f"{held.size / 1e3:,.0f} kB", "as JSONL"),
    ]
    tokens = held.tokens
    if tokens is not None:
        cost = data_price.of_an_epoch(work, tokens.epoch)
        cells[2:2] = [
            ("Tokens an epoch", f"{tokens.epoch:,}", f"{cost} for {plain(work.measure.model)}" if cost else "training"),
            ("Trained on", f"{tokens.trained_share:.0%}", f"{number_of(tokens.trained, 'token')} of answers"),
        ]
    with st.grid(min_column_width=150):
        for name, number, detail in cells:
            with st.container(gap=None):
                st.metric(name, number)
                st.caption(detail)


def _lengths(work: Work, tokens: Tokens) -> None:
    each = tokens.each
    st.markdown(f"**Tokens an example** :small[:gray[{_between(each.least, each.median, each.most)}]]")
    st.plotly_chart(
        token_figure(tokens.bars, palette.current(), limit=work.measure.limit),
        theme=None,
        config={"displayModeBar": False},
        key="token_bars",
        alt=f"How many examples have how many tokens: {_between(each.least, each.median, each.most)}",
    )
    if tokens.cut:
        st.markdown(
            f":orange[{number_of(tokens.cut, 'example')} longer than the {work.measure.limit:,} tokens that "
            f"{plain(work.measure.model)} reads: {number_of(tokens.lost, 'token')} are cut off.]"
        )
        _way("Show what is cut", "show_cut", finding=OVER_LIMIT)
    _ways("Longest", tokens.longest)
    _ways("Shortest", tokens.shortest)


def _ways(name: str, examples: Sequence[Named]) -> None:
    """Buttons that open these examples."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(name, width=60)
        for one in examples:
            st.button(
                f"{one.tokens:,}",
                key=f"{name}_{one.position}",
                type="tertiary",
                help=f"Open line {one.position + 1:,}",
                on_click=data_work.open_example,
                args=(one.position,),
            )


def _roles(held: Profile) -> None:
    with st.container(gap="xxsmall"):
        st.markdown("**Who speaks**")
        everywhere = [_role(role) for role, number in held.roles if number == held.examples]
        if everywhere:
            st.markdown(f"{', '.join(everywhere)} in every example")
        for role, number in held.roles:
            if number < held.examples:
                _way(
                    f"{_role(role)} in {number:,} ({share(number, held.examples)})",
                    f"role_{role}",
                    role=role,
                )


def _role(name: str) -> str:
    return "a role that services do not know" if name == OTHER else name


def _way(name: str, key: str, **criteria: Any) -> None:
    """A line that leads to the examples of which it speaks."""
    st.button(
        name,
        key=key,
        type="tertiary",
        icon=":material/arrow_forward:",
        icon_position="right",
        help="Show these examples",
        on_click=_only,
        kwargs=criteria,
    )


def _answers(held: Profile) -> None:
    with st.container(gap="xxsmall"):
        st.markdown("**Answers**")
        if not held.answers:
            st.markdown("No example ends with the text of an answer.")
        elif held.json == held.answers:
            st.markdown(f"All {held.answers:,} are JSON objects.")
        elif held.json:
            st.markdown(f"{held.json:,} of {held.answers:,} are JSON objects ({share(held.json, held.answers)}).")
        else:
            st.markdown(f"{number_of(held.answers, 'text')}, none of them a JSON object.")


def _languages(work: Work) -> None:
    with st.container(gap="xxsmall"):
        st.markdown("**Languages**")
        told = _told(work.version.id, work)
        if told.found:
            st.markdown(" · ".join(f"{plain(one.name)} {share(one.examples, told.sample)}" for one in told.found[:8]))
        else:
            st.markdown("None could be told: the texts are too short, or no natural language.")
        where = f"a sample of {told.sample:,}" if told.sample < told.total else f"all {told.total:,}"
        unknown = f" In {told.not_told:,} none could be told." if told.found and told.not_told else ""
        st.caption(f"Estimated from {where} of the version's examples; one example may use several.{unknown}")


def _labels(held: Profile) -> None:
    for field, labels in held.labels:
        where = f"in “{plain(shortened(field, 40))}”" if field else "the whole answer"
        unlabelled = held.examples - sum(one.examples for one in labels)
        without = f", {number_of(unlabelled, 'example')} without" if unlabelled else ""
        st.markdown(f"**Labels** :small[:gray[{where}: {len(labels):,} different{without}]]")
        key = f"labels_{field}"
        st.dataframe(
            [_label_row(one, held) for one in labels],
            hide_index=True,
            height=LABELS_HEIGHT if len(labels) > 6 else "content",
            key=key,
            on_select=lambda field=field, labels=labels, key=key: _open_label(field, labels, key),
            selection_mode="single-row",
            width="content",
            column_config={
                "Label": st.column_config.TextColumn(width=180),
                "Examples": st.column_config.NumberColumn(format="localized", width=90),
                "Share": st.column_config.ProgressColumn(format="%.0f%%", min_value=0, max_value=100, width=140),
                "Training": st.column_config.NumberColumn(format="localized", width=90),
                "Validation": st.column_config.NumberColumn(format="localized", width=90),
            },
            alt="Labels with how many examples have each",
        )


def _systems(held: Profile) -> None:
    if not held.systems:
        st.caption("No example has a system prompt.")
        return
    without = f", {number_of(held.without_system, 'example')} without one" if held.without_system else ""
    shown = f", the {len(held.systems)} most used" if held.different_systems > len(held.systems) else ""
    st.markdown(f"**System prompts** :small[:gray[{number_of(held.different_systems, 'prompt')}{without}{shown}]]")
    st.dataframe(
        [{"System prompt": shortened(text, 300), "Examples": number} for text, number in held.systems],
        hide_index=True,
        height=SYSTEMS_HEIGHT if len(held.systems) > 4 else "content",
        key="systems",
        on_select=lambda: _open_system(held),
        selection_mode="single-row",
        column_config={
            "System prompt": st.column_config.TextColumn(width=640),
            "Examples": st.column_config.NumberColumn(format="localized", width=90),
        },
        alt="System prompts with how many examples use each",
    )


def _label_row(label: Label, held: Profile) -> dict[str, object]:
    row: dict[str, object] = {
        "Label": label.name,
        "Examples": label.examples,
        "Share": 100 * label.examples / held.examples,
    }
    if held.validation:
        row |= {"Training": label.training, "Validation": label.validation}
    return row


@trouble.told()
def _open_label(field: str, labels: Sequence[Label], key: str) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        _only(label=(field, labels[rows[0]].name))


@trouble.told()
def _open_system(held: Profile) -> None:
    if rows := st.session_state["systems"]["selection"]["rows"]:
        # By its first line: a search is one line, and finds it in whatever message it stands.
        text = held.systems[rows[0]][0].strip()
        _only(search=text.splitlines()[0][:SEARCHED] if text else "")


@trouble.told()
def _only(**criteria: Any) -> None:
    """Look at the examples of which this is true, and at no others."""
    data_filter.only(**criteria)
    st.session_state["data_view"] = data_work.VIEWS[1]


def _between(least: int, median: int, most: int) -> str:
    return f"{least:,} each" if least == most else f"{least:,} to {most:,}, median {median:,}"
