"""How anything that goes wrong looks: what happened, what to do, and the raw text for whoever wants it.

`told` is the one place where exceptions end: around a page (the frame does that), around a fragment and around a
callback, which Streamlit runs outside of the page. What Etude did not foresee is logged in full for the terminal and
shown here as a sentence, never as a traceback.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lib.errors import EtudeError
from lib.ui.plain import plain

log = logging.getLogger(__name__)

UNFORESEEN = "Etude made a mistake here and stopped before doing more. Nothing that was saved is lost."


def show(error: EtudeError) -> None:
    """An error as a person meets it. Its sentences may quote data, so they are shown as text, not as markdown."""
    st.error(plain(error.what) + (f"\n\n{plain(error.todo)}" if error.todo else ""), icon=":material/error:")
    if error.raw:
        raw(error.raw)


def raw(text: str, label: str = "The exact words") -> None:
    """What another program said, word for word, folded away."""
    with st.expander(label, type="compact"):
        st.code(text, language=None, wrap_lines=True)


@contextmanager
def told() -> Iterator[None]:
    """Show what is raised inside instead of letting it out. Works as `with told():` and as the decorator `@told()`."""
    try:
        yield
    except EtudeError as error:
        show(error)
    except Exception as error:
        log.exception("An error that Etude did not foresee")
        st.error(f"{UNFORESEEN}\n\nReload the page; the terminal has the details.", icon=":material/error:")
        raw(f"{type(error).__name__}: {error}")
