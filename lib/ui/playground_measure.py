"""Measuring on held-out examples: is the fine-tuned model better than its base, and how sure is that.

Shows what lib.playground.held_out counts; the bench works in a thread and survives a rerun or a reload.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.dataset.shelf import Version
from lib.playground.held_out import Share
from lib.ui import frame, playground_examples, session, trouble
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened
from lib.ui.playground_bench import Bench, Candidate, Result
from lib.ui.playground_models import Offered, key_of
from lib.workspace.database import Workspace

SECONDS = 1
USUAL = 60
FIELDS = 3
MAX_TOKENS = 256


def show(chosen: Sequence[Offered]) -> None:
    """The measurement of the chosen models, brought up to date by itself while it runs."""
    version = playground_examples.version_of(chosen)
    if version is None:
        st.markdown("Measuring needs examples that the model never saw: hold some out for validation.")
        if st.button("Split the data", type="primary", icon=":material/call_split:"):
            frame.go("data")
        return
    live = bench().under_way is not None
    st.fragment(_measurement, run_every=SECONDS if live else None)(version, tuple(chosen), live)


def bench() -> Bench:
    """The bench of this workspace."""
    ws = session.workspace()
    return _bench(str(ws.home), ws)


@st.cache_resource(max_entries=8, show_spinner=False)
def _bench(home: str, _ws: Workspace) -> Bench:
    return Bench(_ws)


@trouble.told()
def _measurement(version: Version, chosen: Sequence[Offered], was_live: bool) -> None:
    now = bench().under_way
    if was_live and now is None:
        st.rerun()
    if now is None:
        _begin(version, chosen)
    else:
        share = Share(now.right, now.done)
        st.progress(
            now.done / now.of if now.of else 0.0,
            text=plain(f"{shortened(now.model, 60)}: {now.done} of {now.of} answered, {share.right} right"),
        )
        if st.button("Stop", icon=":material/stop_circle:"):
            bench().stop()
    _results(version, chosen)


def _begin(version: Version, chosen: Sequence[Offered]) -> None:
    examples = playground_examples.held_out(version)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        count = st.number_input(
            "Held-out examples",
            1,
            max(len(examples), 1),
            min(USUAL, max(len(examples), 1)),
            key=f"measure_count_{version.id}",
            persist_state="session",
            width=180,
        )
        missing = None if chosen and examples else "Choose a model above first"
        pressed = st.button(
            missing or f"Measure {'both models' if len(chosen) > 1 else 'the model'}",
            type="primary",
            icon=":material/straighten:",
            disabled=missing is not None,
        )
    st.caption(
        plain(
            f"From the {number_of(len(examples), 'held-out example')} of {version.dataset_name}, version "
            f"{version.number}. Each is asked once, at temperature 0. An answer is right when it is the expected one, "
            "or the same JSON."
        )
    )
    if pressed:
        _start(version, chosen, count)


def _start(version: Version, chosen: Sequence[Offered], count: int) -> None:
    items = [(one.messages, one.expected) for one in playground_examples.held_out(version)[:count]]
    every = {service.id: service for service in session.services()}
    candidates = []
    for one in chosen:
        connection = session.connection(every[one.column.service_id])
        if connection is None:
            st.warning(f"{plain(every[one.column.service_id].name)} needs a key. Give it on Doctor.")
            return
        candidates.append(Candidate(key_of(one.column), connection, one.column.model))
    bench().start(version.id, candidates, items, MAX_TOKENS)
    st.rerun()


def _results(version: Version, chosen: Sequence[Offered]) -> None:
    kept = bench().results(version.id)
    measured = [(one, kept[key]) for one in chosen if (key := key_of(one.column)) in kept]
    if not measured:
        return
    st.markdown(plain(_sentence(measured)))
    unanswered = any(result.unanswered for _, result in measured)
    rows = [_row(one, result, unanswered) for one, result in measured]
    st.table(rows, border="horizontal", hide_index=True)
    st.caption("In brackets: where the true share lies, 95 times out of 100.")
    for one, result in measured:
        if result.problem:
            st.caption(plain(f"{one.title}: {result.problem}"))
        if result.mistakes:
            with st.expander(plain(f"{one.title}: wrong answers"), type="compact"):
                _mistakes(result)


def _row(one: Offered, result: Result, unanswered: bool) -> dict[str, str]:
    fields = list(result.fields.items())[:FIELDS]
    row = {"Model": plain(one.title), "Right": _share(result.exact)}
    row |= {plain(shortened(name, 24)): _share(share) for name, share in fields}
    return row | {"Unanswered": f"{result.unanswered} of {result.asked}"} if unanswered else row


def _share(share: Share) -> str:
    low, high = share.interval
    return f"**{share.share or 0:.0%}** ({low * 100:.0f}–{high:.0%})" if share.of else ""


def _sentence(measured: Sequence[tuple[Offered, Result]]) -> str:
    """The result in words; where two intervals do not overlap, the difference is not luck."""
    said = [f"{one.title}: {result.exact.right} of {result.exact.of} right" for one, result in measured]
    if len(measured) < 2:
        return f"{said[0]}."
    (_, first), (_, second) = measured
    apart = first.exact.interval[1] < second.exact.interval[0] or second.exact.interval[1] < first.exact.interval[0]
    sure = "The difference is far beyond chance." if apart else "That may be chance: measure more examples to know."
    return f"{said[0]}. {said[1]}. {sure}"


def _mistakes(result: Result) -> None:
    for expected, text in result.mistakes:
        want, got = st.columns(2)
        with want:
            st.caption("Expected")
            st.code(expected, language=None, wrap_lines=True)
        with got:
            st.caption("Answered")
            st.code(text or " ", language=None, wrap_lines=True)
