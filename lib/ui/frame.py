"""The frame around every page: page settings, the road as navigation, and the quiet block that says what is chosen.

Knows the order of the pages and nothing of what is on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from lib.ui import session
from lib.ui.plain import plain, shortened

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"


@dataclass(frozen=True, slots=True)
class Stop:
    """One page on the road: its file under pages/ (and address), its title, its Material symbol."""

    name: str
    title: str
    icon: str


ROAD = (
    Stop("start", "Start", ":material/home:"),
    Stop("data", "Data", ":material/dataset:"),
    Stop("cost", "Cost", ":material/payments:"),
    Stop("train", "Train", ":material/model_training:"),
    Stop("runs", "Runs", ":material/show_chart:"),
    Stop("playground", "Playground", ":material/forum:"),
    Stop("doctor", "Doctor", ":material/stethoscope:"),
)


def navigation() -> StreamlitPage:
    """Page settings and the menu. Returns the page that the address asks for."""
    st.set_page_config(page_title="Etude", page_icon=str(STATIC / "etude.svg"), layout="wide")
    st.logo(str(STATIC / "wordmark.svg"), icon_image=str(STATIC / "etude.svg"))
    st.html(STATIC / "etude.css")
    st.session_state["framed"] = True
    first, *others = ROAD
    # The first page has the app's own address. Whoever asks for it by its name is led there.
    pages = [st.Page(_file(first.name), title=first.title, icon=first.icon, url_path="home", default=True)]
    pages += [st.Page(_file(stop.name), title=stop.title, icon=stop.icon, url_path=stop.name) for stop in others]
    pages += [st.Page(lambda: go(first.name), title=first.title, url_path=first.name, visibility="hidden")]
    return st.navigation(pages, expanded=True)


def require() -> None:
    """First line of every page: make sure that the frame is there.

    A folder called pages beside the entry point makes Streamlit 1.67 run a page without app.py when its address is the
    first one opened after a start. Declaring the navigation ends that mode; the second run has the frame.
    """
    if "framed" not in st.session_state:
        navigation()
        st.rerun()


def go(name: str) -> None:
    """Leave for another page of the road."""
    st.switch_page(_file(name))


def link(name: str, label: str, *, icon: str | None = None) -> None:
    """A link to another page of the road."""
    st.page_link(_file(name), label=label, icon=icon)


def heading(title: str, line: str) -> None:
    """A page's title and the one sentence that says what it is for."""
    with st.container(gap="xxsmall"):
        st.title(title, anchor=False)
        st.caption(line)


@contextmanager
def row() -> Iterator[None]:
    """What stands side by side, as far apart as the page is wide."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        yield


def context() -> None:
    """What is chosen, below the menu. Raises WorkspaceError when the workspace cannot be used."""
    with st.sidebar, st.container(gap="xxsmall"):
        version = session.version()
        service = session.service()
        st.caption("Service")
        st.text(shortened(service.name, 40))
        st.caption("Dataset")
        if version is None:
            st.text("None yet")
        else:
            st.text(shortened(version.dataset_name, 40))
            st.caption(plain(f"Version {version.number}, {version.examples:,} examples"))


def _file(name: str) -> Path:
    return ROOT / "pages" / f"{name}.py"
