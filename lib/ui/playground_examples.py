"""Held-out examples as questions with an expected answer: what the model never saw in training.

Reads the version that the fine-tuned model was trained on, else the chosen one. At most `MOST` examples are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.dataset import shelf
from lib.dataset.example import Example, raw_messages
from lib.dataset.shelf import Version
from lib.errors import WorkspaceError
from lib.ui import session
from lib.ui.playground_models import Offered

MOST = 1_000


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One held-out example: what is asked (with what stands before it), and the answer that the data gives."""

    messages: tuple[dict[str, Any], ...]
    question: str
    system: str
    expected: str


def version_of(chosen: Sequence[Offered]) -> Version | None:
    """The data to ask about: that of the fine-tuned model, else the chosen version; None without held-out examples."""
    for one in reversed(chosen):
        if one.version_id is not None:
            try:
                version = shelf.version(session.workspace(), one.version_id)
            except WorkspaceError:
                continue
            return version if version.validation else None
    version_chosen = session.version()
    return version_chosen if version_chosen is not None and version_chosen.validation else None


def of(chosen: Sequence[Offered]) -> list[HeldOut]:
    """The held-out examples that these models can be asked about."""
    version = version_of(chosen)
    return held_out(version) if version is not None else []


def held_out(version: Version) -> list[HeldOut]:
    """The held-out examples of a version that end with an answer."""
    return _held_out(str(session.workspace().home), version.id)


@st.cache_data(max_entries=8, show_spinner=False)
def _held_out(home: str, version_id: str) -> list[HeldOut]:
    ws = session.workspace()
    version = shelf.version(ws, version_id)
    lines = shelf.open_lines(ws, version)
    positions = sorted(version.validation)[:MOST]
    return [found for position in positions for found in _asked(lines.example(position))]


def _asked(example: Example) -> Iterator[HeldOut]:
    messages = example.messages
    if example.method == "dpo":
        expected = example.preferred[-1].text if example.preferred else ""
    else:
        last = max((place for place, one in enumerate(messages) if one.role == "assistant"), default=0)
        expected, messages = (messages[last].text, messages[:last]) if last else ("", messages)
    users = [one.text for one in messages if one.role == "user"]
    if not expected or not users:
        return
    yield HeldOut(
        messages=tuple(raw_messages(example.data)[: len(messages)]),
        question=users[-1],
        system=next((one.text for one in messages if one.role in ("system", "developer")), ""),
        expected=expected,
    )
