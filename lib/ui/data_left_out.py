"""What could not be understood of a file: asked about before the rest comes in, and told of beside what came in.

The file itself is always kept whole. Sentences quote data, so they are shown as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from lib.dataset.arrival.question import Answer, WithoutTheRest
from lib.dataset.convert.line import listed
from lib.dataset.finding import Finding
from lib.dataset.shelf import Version
from lib.ui.figures import number_of
from lib.ui.plain import plain, shortened

LIST_HEIGHT, FEW = 240, 6
MOST_CHARACTERS = 20_000


def ask(
    arrival_id: str,
    question: WithoutTheRest,
    answered: Callable[[str, Answer], None],
    cancelled: Callable[[str], None],
) -> None:
    """Whether the examples that are good come in without the rest."""
    name = plain(shortened(question.name, 60))
    if question.lines:
        st.subheader(f"{number_of(question.lines, 'line')} of {name} cannot be understood", anchor=False)
    else:
        st.subheader(f"Not all of {name} can be understood", anchor=False)
    problems(question.left, question.totals)
    st.caption("Nothing is lost: the file as it came is kept beside the examples.")
    with st.container(horizontal=True):
        st.button(
            f"Bring in the other {question.examples:,}" if question.lines else "Bring in what is there",
            type="primary",
            key=f"go_on_{arrival_id}",
            on_click=answered,
            args=(arrival_id, Answer()),
        )
        st.button("Cancel", key=f"cancel_{arrival_id}", on_click=cancelled, args=(arrival_id,))


def problems(left: Sequence[Finding], totals: Mapping[str, int]) -> None:
    """What is wrong, by what can be done about it, with the first two hundred places of each kind."""
    hints: dict[tuple[str, str], list[str]] = {}
    for one in left:
        hints.setdefault((one.code, one.why), []).append(one.text)
    with st.container(height=LIST_HEIGHT if len(left) + len(hints) > FEW else "content", gap="small"):
        for (_, why), texts in hints.items():
            with st.container(gap="xxsmall"):
                listed_texts = "\n".join(texts)
                st.text(listed_texts if len(listed_texts) <= MOST_CHARACTERS else f"{listed_texts[:MOST_CHARACTERS]}…")
                st.caption(plain(why))
        if (more := sum(totals.values()) - len(left)) > 0:
            st.caption(f"{more:,} more are counted and not listed.")


def told(version: Version) -> None:
    """What the file of a version held that is not in it, and how the file was read; nothing for later versions."""
    unread, keys = version.changes.get("unread", 0), version.changes.get("keys", {})
    sentences, notes = version.changes.get("told", []), version.changes.get("notes", [])
    if not (unread or keys or sentences or notes):
        return
    with st.expander(_heading(unread, keys, sentences), type="compact"):
        for note in notes:
            st.text(note)
        if keys:
            st.text(f"No place in the examples: {listed(keys)}.")
        if sentences:
            with st.container(height=LIST_HEIGHT if len(sentences) > FEW else "content"):
                st.text("\n".join(sentences))
        if unread > len(sentences):
            st.caption(f"{unread - len(sentences):,} more are not listed.")
        if keys or sentences or unread:
            st.caption("The file as it came is kept whole in the workspace.")


def _heading(unread: int, keys: Mapping[str, int], sentences: Sequence[str]) -> str:
    parts = []
    if unread:
        parts.append(f"{number_of(unread, 'line')} of the file could not be read as an example")
    elif sentences:
        parts.append("Not all of the file could be read")
    if keys:
        has = "has" if len(keys) == 1 else "have"
        parts.append(f"{number_of(len(keys), 'key')} of the file {has} no place in the examples")
    if parts:
        # The title of a closed list is muted: coloured words could hardly be read there.
        return f":orange[:material/warning:] {'; '.join(parts)}"
    return ":material/info: How the file was read"
