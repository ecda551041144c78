"""How the models are asked, and which conversation is open: it is in the address, so that a reload shows the same one.

Models and settings may change in the middle of a conversation; each answer keeps the name of the model that gave it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from lib.errors import WorkspaceError
from lib.playground import conversations
from lib.playground.conversations import Column, Conversation
from lib.ui import playground_models, runs_words, session, trouble
from lib.ui.plain import plain, shortened
from lib.ui.playground_examples import HeldOut

MAX_TOKENS = 256
MOST_TOKENS = 16_384
LISTED = 12


def show(examples: Sequence[HeldOut]) -> None:
    """The tools of a conversation: a held-out example, the settings, earlier conversations, a new one."""
    taken = st.session_state.get("taken", 0)
    st.button(
        "Take a held-out example",
        icon=":material/casino:",
        disabled=not examples,
        help=None if examples else "No data with held-out examples is chosen. Split it on Data.",
        on_click=_take,
        args=(examples[taken % len(examples)], taken) if examples else None,
    )
    with st.popover("Settings", icon=":material/tune:"):
        _settings()
    with st.popover("Earlier", icon=":material/history:"):
        _earlier()
    if opened() is not None:
        st.button("New conversation", icon=":material/add:", on_click=leave)


def opened() -> Conversation | None:
    """The conversation in the address, None when there is none."""
    conversation_id = st.query_params.get("conversation")
    if conversation_id is None:
        return None
    try:
        return conversations.conversation(session.workspace(), conversation_id)
    except WorkspaceError:
        return None


def restore() -> None:
    """Set models and settings to those of the conversation in the address, once when that has changed."""
    said = opened()
    if said is None or st.session_state.get("restored") == said.id:
        return
    st.session_state["restored"] = said.id
    playground_models.set_columns(said.columns)
    st.session_state["system"] = said.system
    st.session_state["temperature"] = said.temperature
    st.session_state["max_tokens"] = said.max_tokens or MAX_TOKENS


def keep(said: Conversation | None, columns: Sequence[Column]) -> Conversation:
    """The open conversation with models and settings as they are now; a new one, opened, when there is none."""
    ws = session.workspace()
    system: str = st.session_state.get("system", "")
    temperature: float | None = st.session_state.get("temperature")
    max_tokens: int = st.session_state.get("max_tokens", MAX_TOKENS)
    if said is None:
        said = conversations.create(ws, columns, system=system, temperature=temperature, max_tokens=max_tokens)
        st.session_state["restored"] = st.query_params["conversation"] = said.id
        return said
    now = replace(said, columns=tuple(columns), system=system, temperature=temperature, max_tokens=max_tokens)
    if now != said:
        conversations.change(ws, now)
    return now


def leave() -> None:
    """Close the conversation; for callbacks. It stays in the list."""
    st.query_params.pop("conversation", None)


def _take(example: HeldOut, taken: int) -> None:
    """Put a held-out question, and the system message that stood before it, where they can be sent."""
    leave()
    st.session_state["taken"] = taken + 1
    st.session_state["system"] = example.system
    st.session_state["question"] = example.question


def _settings() -> None:
    st.text_area(
        "System message",
        key="system",
        persist_state="session",
        height=100,
        placeholder="None",
        help="Stands before the conversation. Use the one that the model was trained with.",
    )
    st.number_input(
        "Temperature",
        0.0,
        2.0,
        value=None,
        step=0.1,
        placeholder="the service's own",
        key="temperature",
        persist_state="session",
        help="0 gives the likeliest answer each time.",
    )
    st.session_state.setdefault("max_tokens", MAX_TOKENS)
    st.number_input(
        "Most tokens in an answer",
        1,
        MOST_TOKENS,
        step=1,
        key="max_tokens",
        persist_state="session",
    )


def _earlier() -> None:
    ws = session.workspace()
    kept = conversations.conversations(ws)[:LISTED]
    if not kept:
        st.caption("Conversations are kept here.")
    for said in kept:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.button(
                plain(shortened(said.title or "Untitled", 44)),
                key=f"open-{said.id}",
                type="tertiary",
                on_click=_open,
                args=(said.id,),
            )
            st.caption(runs_words.clock(said.updated_at, ws.clock()), width="content")
            st.button(
                "",
                key=f"remove-{said.id}",
                type="tertiary",
                icon=":material/delete:",
                help="Remove",
                on_click=_remove,
                args=(said.id,),
            )


@trouble.told()
def _open(conversation_id: str) -> None:
    st.query_params["conversation"] = conversation_id


@trouble.told()
def _remove(conversation_id: str) -> None:
    conversations.remove(session.workspace(), conversation_id)
    if st.query_params.get("conversation") == conversation_id:
        leave()
