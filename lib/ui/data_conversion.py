"""What becomes what: the question about files that are not written as the services want them, or that are several.

Shows what the first lines would become, and lets the columns of a table be given other roles. Decides nothing: the
answer is handed to whoever asks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.dataset.arrival.opened import Opened, Trial, try_out
from lib.dataset.arrival.question import Answer, HowToBringIn
from lib.dataset.convert.conversion import Conversion, Preview
from lib.dataset.convert.line import lines_left, listed
from lib.dataset.convert.roles import ROLES, Role, Roles
from lib.dataset.example import Example
from lib.ui import conversation, data_left_out
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

ROLE_NAMES: Mapping[Role, str] = {
    "question": "Question",
    "answer": "Answer",
    "label": "Answer (label)",
    "system": "System message",
    "context": "Context of the question",
    "ignored": "Stays out",
}
METHOD_NAMES = {
    "supervised": "conversations",
    "dpo": "preference pairs",
    "reinforcement": "questions for a grader",
}
MOST_COLUMNS = 24
ROLE_WIDTH = 168
WIDTHS = (2, 3)
NAMED = 3
SHOWN_CELLS, SHOWN_TEXT = 12, 300
TOGETHER, EACH = "Together, as one dataset", "Each as a dataset of its own"

Group = list[int]


def ask(
    arrival_id: str,
    question: HowToBringIn,
    answered: Callable[[str, Answer], None],
    cancelled: Callable[[str], None],
) -> None:
    """Show what would become of the files, and ask."""
    files = question.files
    how: list[Conversion | None] = [one.conversion for one in files]
    trials: dict[int, Trial] = {}
    several = len(files) + len(question.refused) > 1
    if several:
        st.subheader(f"{number_of(len(files), 'file')} to bring in", anchor=False)
    # What is asked comes before what it is asked about: the buttons must be on the first screen.
    first = st.container(gap="small")
    for group in _groups(files):
        _one(arrival_id, files, group, how, trials, first if not several else None)
    for number, opened in enumerate(files):
        trials.setdefault(number, try_out(opened, how[number]))
    with first:
        together = _together(arrival_id, question, trials) if several else True
        _rest(files, trials)
        _buttons(arrival_id, files, how, trials, together, answered, cancelled)


def _groups(files: Sequence[Opened]) -> list[Group]:
    """The files that are converted, those together that are written alike."""
    groups: dict[str, Group] = {}
    for number, opened in enumerate(files):
        if opened.conversion is not None:
            key = json.dumps([opened.kind, opened.columns, opened.conversion.as_json()])
            groups.setdefault(key, []).append(number)
    return list(groups.values())


def _one(
    arrival_id: str,
    files: Sequence[Opened],
    group: Group,
    how: list[Conversion | None],
    trials: dict[int, Trial],
    first: DeltaGenerator | None,
) -> None:
    """What becomes of the files of one kind. `first` is where it is said and chosen when there are no others."""
    opened = files[group[0]]
    conversion = opened.conversion
    assert conversion is not None
    with first or st.container(gap="small"):
        _title(files, group, conversion, alone=first is not None)
        if conversion.roles is not None:
            conversion = _roles(f"{arrival_id}_{group[0]}", conversion)
        for number in group:
            how[number] = conversion
            trials[number] = try_out(files[number], conversion)
        st.markdown(f":small[{plain(conversion.becomes)}]")
        keys: Counter[str] = Counter()
        for number in group:
            keys.update(trials[number].keys)
        if keys:
            st.caption(plain(f"No place in the examples: {listed(keys)}. The file as it came is kept."))
    for place, shown in enumerate(trials[group[0]].shown):
        _preview(shown, named=place == 0)


def _title(files: Sequence[Opened], group: Group, conversion: Conversion, *, alone: bool) -> None:
    names = ", ".join(shortened(files[number].name, 40) for number in group[:NAMED])
    names += f" and {len(group) - NAMED} more" if len(group) > NAMED else ""
    verb = "are" if len(group) > 1 else "is"
    if conversion.roles is None:
        title = f"{names} {verb} in another format: {conversion.name}"
    else:
        rows = sum(len(files[number].lines) for number in group)
        title = f"{names} {verb} {'tables' if len(group) > 1 else 'a table'} of {number_of(rows, 'row')}"
    if alone:
        st.subheader(plain(title), anchor=False)
    else:
        st.markdown(f"**{plain(title)}**")


def _roles(key: str, guessed: Conversion) -> Conversion:
    """The roles of the columns as they are chosen."""
    assert guessed.roles is not None
    roles = dict(guessed.roles.of)
    shown = list(roles)
    if len(shown) > MOST_COLUMNS:
        used = [column for column in shown if roles[column] != "ignored"][:MOST_COLUMNS]
        shown = st.multiselect("Columns that are used", shown, default=used, key=f"used_{key}")
        roles = {column: role if column in shown else "ignored" for column, role in roles.items()}
    with st.container(horizontal=True, gap="small"):
        for column in shown:
            roles[column] = st.selectbox(
                plain(shortened(column, 20)),
                ROLES,
                index=ROLES.index(roles[column]),
                format_func=lambda role: ROLE_NAMES[role],
                key=f"role_{key}_{column}",
                width=ROLE_WIDTH,
            )
    return Conversion(roles=Roles(tuple(roles.items())))


def _preview(shown: Preview, *, named: bool) -> None:
    """One example before and after; `named` says which is which."""
    before, after = st.columns(WIDTHS, gap="medium")
    if named:
        before.caption("In the file")
        after.caption("As an example")
    with before, st.container(border=True):
        cells = [(key, value) for key, value in shown.before.items() if value not in (None, "")]
        lines = [f":gray[{plain(shortened(key, 40))}] {plain(_short(value))}" for key, value in cells[:SHOWN_CELLS]]
        if len(cells) > SHOWN_CELLS:
            lines.append(f":gray[and {len(cells) - SHOWN_CELLS} more]")
        st.markdown("  \n".join(f":small[{line}]" for line in lines))
    with after, st.container(border=True):
        if shown.after is None:
            st.markdown(f":small[:orange[:material/block: It stays out: it {plain(shown.why)}.]]")
        else:
            conversation.show(Example(_cut(shown.after)))


def _together(arrival_id: str, question: HowToBringIn, trials: Mapping[int, Trial]) -> bool:
    """What the files are, and whether they belong together."""
    files = question.files
    rows = [
        {"File": opened.name, "Lines": len(opened.lines), "Holds": METHOD_NAMES[trials[number].method]}
        for number, opened in enumerate(files)
    ]
    st.dataframe(rows, hide_index=True, height="content", alt="The files", width="stretch")
    for one in question.refused:
        st.markdown(f":small[:red[:material/error: {plain(one.text)}] {plain(one.why)}]")
    if len(files) == 1:
        return True
    methods = sorted({METHOD_NAMES[trial.method] for trial in trials.values()})
    chosen = st.radio(
        "How they come in",
        [TOGETHER, EACH],
        index=0 if len(methods) == 1 else 1,
        horizontal=True,
        label_visibility="collapsed",
        key=f"together_{arrival_id}",
    )
    if len(methods) > 1:
        st.markdown(
            f":small[:orange[:material/warning: They hold {' and '.join(methods)}. A training has one method, so each "
            "is better a dataset of its own.]]"
        )
    return chosen == TOGETHER


def _rest(files: Sequence[Opened], trials: Mapping[int, Trial]) -> None:
    """What stays out, as far as the first lines tell."""
    left = [one for trial in trials.values() for one in trial.left]
    totals: dict[str, int] = {}
    for trial in trials.values():
        for code, times in trial.totals.items():
            totals[code] = totals.get(code, 0) + times
    if not left:
        return
    tried = sum(trial.tried for trial in trials.values())
    of = f"{tried:,}" if all(trial.whole for trial in trials.values()) else f"the first {tried:,}"
    things = "rows" if all(opened.kind == "table" for opened in files) else "lines"
    bad = lines_left(totals)
    said = f"{bad:,} of {of} {things} cannot become examples" if bad else "Not everything can be understood"
    with st.expander(f":orange[:material/warning:] {said}", type="compact"):
        data_left_out.problems(left, totals)


def _buttons(
    arrival_id: str,
    files: Sequence[Opened],
    how: Sequence[Conversion | None],
    trials: Mapping[int, Trial],
    together: bool,
    answered: Callable[[str, Answer], None],
    cancelled: Callable[[str], None],
) -> None:
    good, lines = sum(trial.good for trial in trials.values()), sum(len(opened.lines) for opened in files)
    exact = all(trial.whole for trial in trials.values())
    missing = None if good else "None of the first lines becomes an example in this way."
    with st.container(horizontal=True):
        st.button(
            f"Bring in {number_of(good, 'example')}" if exact and good else f"Bring in {number_of(lines, 'line')}",
            type="primary",
            key=f"convert_{arrival_id}",
            disabled=missing is not None,
            help=missing,
            on_click=answered,
            args=(arrival_id, Answer(tuple(how), together)),
        )
        if any(opened.kind == "lines" and opened.conversion is not None for opened in files):
            st.button(
                "Leave as written",
                key=f"as_is_{arrival_id}",
                help="Brings the lines in as they stand. They can be converted later, under Findings.",
                on_click=answered,
                args=(
                    arrival_id,
                    Answer(tuple(None if one.kind == "lines" else how[at] for at, one in enumerate(files)), together),
                ),
            )
        st.button("Cancel", key=f"cancel_{arrival_id}", on_click=cancelled, args=(arrival_id,))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(text[: 4 * SHOWN_TEXT], SHOWN_TEXT)


def _cut(value: Any) -> Any:
    """The same with long texts cut, for the screen alone."""
    if isinstance(value, str):
        return value if len(value) <= SHOWN_TEXT else f"{value[:SHOWN_TEXT]}…"
    if isinstance(value, list):
        return [_cut(one) for one in value[:SHOWN_CELLS]]
    return {key: _cut(one) for key, one in value.items()} if isinstance(value, dict) else value
