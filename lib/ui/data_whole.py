"""A change of many examples: previewed, then made as one step, with its progress shown and a way to stop.

What is changed comes as a function over examples. A preview of few examples is made at once; of many, when it is asked
for. Stopping while a change is made leaves everything as it was. Knows nothing of what is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from lib.dataset import drafts
from lib.dataset.drafts import Saved
from lib.dataset.example import Example
from lib.dataset.parse import parse
from lib.ui import compared, session
from lib.ui.data_work import Work
from lib.ui.figures import number_of

Positions = npt.NDArray[np.int32]

# So many examples are looked through at each key that is typed.
AT_ONCE = 2_000
TOLD_EVERY = 500
SHOWN = 5
KEPT_PREVIEWS = 4

# (position, new data, revision) of every example that changes.
Changed = Iterator[tuple[int, dict[str, Any], int]]
Change = Callable[[Iterable[Saved]], Changed]
# How often what is looked for stands in an example, given it before.
Occurrences = Callable[[dict[str, Any]], int]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: to how many examples, how often in them, and the first of them before and after."""

    examples: int = 0
    occurrences: int = 0
    first: tuple[tuple[int, Example, Example], ...] = ()


def choose_where(work: Work, places: Positions, key: str) -> Positions | None:
    """Whether all examples are meant or those that the filter shows; None for all."""
    if len(places) in (0, work.places):
        return None
    choices = {False: f"All {work.examples:,} examples", True: f"The {len(places):,} that the filter shows"}
    chosen = st.segmented_control(
        "Where",
        list(choices),
        default=False,
        format_func=lambda shown: choices[shown],
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    return places if chosen else None


def preview(
    work: Work, name: str, where: Positions | None, change: Change, count: Occurrences | None
) -> Preview | None:
    """What the change would do; None while nobody has asked for it. `name` tells changes apart.

    Raises what the change raises.
    """
    number = work.examples if where is None else len(where)
    key = f"{work.key}/{name}/{'all' if where is None else hash(where.tobytes())}"
    held = _previews()
    if key not in held:
        if number <= AT_ONCE:
            held[key] = _previewed(work, where, change, count, lambda done: None)
        elif not st.button(f"Look through {number_of(number, 'example')}", icon=":material/search:"):
            return None
        else:
            with stoppable("Looking", number) as reached:
                held[key] = _previewed(work, where, change, count, reached)
        while len(held) > KEPT_PREVIEWS:
            held.pop(next(iter(held)))
    return held[key]


def make(work: Work, where: Positions | None, change: Change, label: str) -> int:
    """Make the change in all examples as one step that can be undone, and return how many were changed.

    Raises as drafts.change_all does, and what the change raises; then nothing was changed.
    """
    number = work.examples if where is None else len(where)
    with stoppable("Changing", number) as told:
        return drafts.change_all(
            session.workspace(), work.version.id, change(_examples(work, where, told)), label=label
        )


def tell(line: str) -> None:
    """Draw the page anew, with this line on what was done."""
    st.session_state["whole_told"] = line
    st.rerun()


def said() -> None:
    """What was done last, until the next click."""
    if (line := st.session_state.pop("whole_told", None)) is not None:
        st.markdown(f":green[:material/check_circle:] {line}")


def show(found: Preview) -> None:
    """The first examples before and after."""
    for position, before, after in found.first:
        st.markdown(f":small[**Example {position + 1:,}**]")
        compared.show(before, after)
    if found.examples > len(found.first):
        st.caption(f"These are the first {len(found.first)} of {found.examples:,}.")


@contextmanager
def stoppable(doing: str, number: int) -> Iterator[Callable[[int], None]]:
    """Shows how far something is, and a button that stops it: any click on the page ends this run of it."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, f"{doing} …")
        st.button("Stop", key="stop_whole", icon=":material/stop:", help="Nothing is changed then.")

    def told(done: int) -> None:
        bar.progress(min(done / max(number, 1), 1.0), f"{doing}: {done:,} of {number:,} examples")

    yield told
    place.empty()


def _previewed(
    work: Work, where: Positions | None, change: Change, count: Occurrences | None, told: Callable[[int], None]
) -> Preview:
    found, first = Preview(), list[tuple[int, Example, Example]]()
    last: list[Saved] = []

    def noted() -> Iterator[Saved]:
        for one in _examples(work, where, told):
            last[:] = [one]
            yield one

    for position, after, _ in change(noted()):
        before = parse(last[0].line or b"null")
        found = replace(
            found, examples=found.examples + 1, occurrences=found.occurrences + (count(before) if count else 1)
        )
        if len(first) < SHOWN:
            first.append((position, Example(before), Example(after)))
    return replace(found, first=tuple(first))


def _examples(work: Work, where: Positions | None, told: Callable[[int], None]) -> Iterator[Saved]:
    """The examples as they are now, in order, telling after every few how many there were."""
    meant = None
    if where is not None:
        meant = np.zeros(work.places, np.bool_)
        meant[where] = True
    done = 0
    for one in drafts.walk(session.workspace(), work.version.id):
        if meant is None or (one.position < len(meant) and meant[one.position]):
            yield one
            done += 1
            if done % TOLD_EVERY == 0:
                told(done)


@st.cache_resource(scope="session", show_spinner=False)
def _previews() -> dict[str, Preview]:
    """The previews of this session, by what would be changed in which state of the data."""
    return {}
