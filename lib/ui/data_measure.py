"""The tokens of one example, and how many more or fewer an edit makes them.

Counts with the encoding of the work; says so where it cannot be had. Knows no prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.dataset import shelf
from lib.tokens.billing import example_tokens
from lib.ui import session
from lib.ui.data_work import Work
from lib.ui.figures import number_of


def tokens(work: Work, data: Mapping[str, Any]) -> int | None:
    """What an example bills for one epoch, cut at the model's limit; None when its tokens cannot be counted."""
    counter = work.measure.counter
    return None if counter is None else example_tokens(data, counter.count, work.measure.limit)


def change_in_tokens(work: Work, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The tokens after an edit and the change: 31 tokens (+4)."""
    old, new = tokens(work, before), tokens(work, after)
    if old is None or new is None:
        return "tokens cannot be counted here"
    return number_of(new, "token") + difference(new - old)


def since_the_version(work: Work, place: int) -> int | None:
    """How many tokens more an edited example has than in the version; None for an added one."""
    now = work.tokens_of(place)
    if now is None or place >= work.version.examples:
        return None
    before = _in_the_version(work.version.id, place, work.measure.encoding, work)
    return None if before is None else now - before


def difference(number: int) -> str:
    """A change as it stands behind a number; nothing where there is none."""
    return f" ({number:+,})".replace("-", "−") if number else ""


@st.cache_data(max_entries=256, show_spinner=False)
def _in_the_version(version_id: str, place: int, encoding: str, _work: Work) -> int | None:
    lines = shelf.open_lines(session.workspace(), _work.version)
    return tokens(_work, lines.example(place).data)
