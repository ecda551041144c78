"""What differs between two versions: how many examples, what it costs, and the examples before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import streamlit as st

from lib.dataset.compare import Comparison, TokenChange, compare
from lib.dataset.counted import counted
from lib.dataset.example import Example
from lib.dataset.shelf import Version, open_lines
from lib.ui import compared, conversation, data_price, session
from lib.ui.data_work import Work
from lib.ui.plain import shortened

Kind = Literal["Changed", "Added", "Removed"]
KINDS: tuple[Kind, ...] = ("Changed", "Added", "Removed")

PAGE = 5
# Larger versions are compared when a person says with which: it takes a second for each million examples.
AT_ONCE = 50_000


def show(work: Work, versions: Sequence[Version], epochs: Mapping[str, int | None]) -> None:
    """Two versions, chosen, and what differs between them. `epochs` has the tokens of an epoch by version, if known."""
    every = {one.id: one for one in versions}
    st.markdown("**Compare**")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        first, second = _first(work, versions)
        old = _choose("From", f"compare_from_{work.version.id}", every, first)
        new = _choose("To", f"compare_to_{work.version.id}", every, second)
    if old is None or new is None:
        st.caption("Choose two versions to see what differs between them.")
        return
    if old.id == new.id:
        st.caption("Both are the same version.")
        return
    found = _compared(old, new)
    if found.equal:
        st.markdown("Both have the same examples in the same order, on the same sides of the split.")
        return
    st.markdown(_counts(found))
    st.caption(_tokens(work, old, new, found, epochs))
    _examples(old, new, found)


def _choose(label: str, key: str, every: dict[str, Version], first: str | None) -> Version | None:
    chosen = st.selectbox(
        label,
        list(every),
        index=None if first is None else list(every).index(first),
        format_func=lambda version_id: f"{every[version_id].number} · {shortened(every[version_id].name, 40)}",
        key=key,
        placeholder="Choose a version",
        width=260,
    )
    return every.get(chosen or "")


def _first(work: Work, versions: Sequence[Version]) -> tuple[str | None, str]:
    """Which two are compared first: the one shown with the one it was made from, or an older one with the newest.

    Large ones wait until somebody says with which.
    """
    shown, newest = work.version, versions[0]
    before = next((one for one in versions if one.id == shown.parent_id), None)
    old, new = (before, shown) if shown.id == newest.id else (shown, newest)
    small = old is not None and old.examples + new.examples <= AT_ONCE
    return old.id if old is not None and small else None, new.id


def _compared(old: Version, new: Version) -> Comparison:
    bar = st.empty()

    def told(done: int, total: int) -> None:
        if total > AT_ONCE:
            bar.progress(done / total, f"Comparing: {done:,} of {total:,} examples")

    found = _comparison(old.id, new.id, old, new, told)
    bar.empty()
    return found


@st.cache_resource(max_entries=4, show_spinner=False)
def _comparison(
    old_id: str, new_id: str, _old: Version, _new: Version, _told: Callable[[int, int], None]
) -> Comparison:
    ws = session.workspace()
    return compare(
        open_lines(ws, _old), open_lines(ws, _new), validation=(_old.validation, _new.validation), told=_told
    )


def _counts(found: Comparison) -> str:
    parts = [
        f"**{len(held):,}** {name}"
        for name, held in (("added", found.added), ("removed", found.removed), ("changed", found.changed))
        if len(held)
    ]
    parts += [
        f"**{len(held):,}** moved to {side}"
        for side, held in (("validation", found.to_validation), ("training", found.to_training))
        if len(held)
    ]
    if found.reordered:
        parts.append("in another order")
    return " · ".join(parts)


def _tokens(work: Work, old: Version, new: Version, found: Comparison, epochs: Mapping[str, int | None]) -> str:
    """What the difference is in tokens and money, of one epoch."""
    was, now = epochs.get(old.id), epochs.get(new.id)
    if was is None or now is None:
        missing = [str(one.number) for one, held in ((old, was), (new, now)) if held is None]
        return f"The tokens of version {' and '.join(missing)} were not counted."
    parts = [
        f"Tokens an epoch: {was:,} → {now:,} ({now - was:+,})" if was != now else f"{now:,} tokens an epoch in both"
    ]
    before, after = (data_price.of_an_epoch(work, tokens) for tokens in (was, now))
    if before is not None and before != after:
        parts.append(f"cost of an epoch: {before} → {after}")
    change = _change(old.id, new.id, work.measure.encoding, old, new, found)
    if change is not None:
        named = (("added", change.added), ("removed", change.removed), ("changed", change.changed))
        if details := ", ".join(f"{name} {tokens:+,}" for name, tokens in named if tokens):
            parts.append(f"of all examples, uncut: {details}")
    return " · ".join(parts).replace("$", "\\$").replace("-", "−")


@st.cache_resource(max_entries=16, show_spinner=False)
def _change(
    old_id: str, new_id: str, encoding: str, _old: Version, _new: Version, _found: Comparison
) -> TokenChange | None:
    before, after = (counted(session.workspace(), one, encoding) for one in (_old, _new))
    return None if before is None or after is None else _found.tokens(before, after)


def _examples(old: Version, new: Version, found: Comparison) -> None:
    """The examples that differ, a few at a time."""
    numbers: dict[Kind, int] = {
        "Changed": len(found.changed),
        "Added": len(found.added),
        "Removed": len(found.removed),
    }
    kinds = [kind for kind in KINDS if numbers[kind]]
    if not kinds:
        return
    name = f"{old.id}_{new.id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "What differs",
            kinds,
            default=kinds[0],
            format_func=lambda kind: f"{kind} ({numbers[kind]:,})",
            required=True,
            key=f"compare_kind_{name}",
            label_visibility="collapsed",
        )
        pages = -(-numbers[kind] // PAGE)
        page = st.pagination(pages, key=f"compare_{name}_{kind}") if pages > 1 else 1
    start, stop = (page - 1) * PAGE, page * PAGE
    ws = session.workspace()
    before, after = open_lines(ws, old), open_lines(ws, new)
    if kind == "Changed":
        for left, right in found.changed[start:stop].tolist():
            moved = f", line {left + 1:,} before" if left != right else ""
            with _one(f"Line {right + 1:,}{moved}"):
                compared.show(before.example(left), after.example(right))
        return
    places, lines = (found.added, after) if kind == "Added" else (found.removed, before)
    for place in places.array[start:stop].tolist():
        with _one(f"Line {place + 1:,} of version {(new if kind == 'Added' else old).number}"):
            _whole(lines.example(place), f"compare_{kind}_{place}")


def _one(title: str) -> st.delta_generator.DeltaGenerator:
    held = st.container(gap="xsmall")
    held.markdown(f":small[**{title}**]")
    return held


def _whole(example: Example, key: str) -> None:
    conversation.show(example, key=key)
