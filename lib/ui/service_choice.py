"""Choosing a service and giving it a key: used wherever a page needs to know which one is meant.

A key is held for the session that gave it and shown to nobody again. Knows no request.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from lib.services import credentials, service
from lib.services.address import NEBIUS
from lib.services.service import Kind, Service
from lib.ui import session, trouble
from lib.ui.plain import plain, shortened

KINDS: dict[Kind, str] = {
    "azure": "Azure / Microsoft Foundry",
    "nebius": "Nebius Token Factory",
    "other": "Any other address",
}
ADDRESSES: dict[Kind, str] = {"azure": "https://NAME.openai.azure.com/openai/v1/", "nebius": NEBIUS, "other": ""}
KEYS = {"session": "I give it here, for each session", "env:": "An environment variable", "none": "It asks for no key"}


def choose() -> Service:
    """The list of services, and the ways to add and remove one. Returns the chosen one."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = pick(width=320)
        # Other keys once one was added: that closes and empties it, so that a second click adds no second one.
        number = len(session.services())
        with st.popover("Add a service", icon=":material/add:", key=f"adding_{number}"):
            _add(number)
        if chosen.kind not in ("embedded", "openai"):
            st.button("Remove", icon=":material/delete:", type="tertiary", on_click=_remove, args=(chosen.id,))
    return chosen


def pick(*, width: int | Literal["stretch"] = "stretch", label: Literal["visible", "collapsed"] = "visible") -> Service:
    """The list of services alone. Returns the chosen one."""
    every = {one.id: one for one in session.services()}
    chosen = session.service()
    key = f"service_{chosen.id}"
    st.selectbox(
        "Service",
        list(every),
        index=list(every).index(chosen.id),
        format_func=lambda service_id: shortened(every[service_id].name, 60),
        key=key,
        on_change=_chosen,
        args=(key,),
        width=width,
        label_visibility=label,
    )
    return chosen


def credential(chosen: Service) -> bool:
    """What this service needs from a person before it can be asked anything. True when nothing is missing."""
    if chosen.kind == "embedded":
        st.caption("Runs on this machine. It needs no key, and nothing leaves the machine.")
        return True
    held = credentials.find_key(chosen, session.given_keys())
    if held is None and chosen.key_source != "none":
        st.text_input(
            "Key",
            type="password",
            key=f"key_{chosen.id}",
            placeholder="Held for this session only, never written down",
            help=credentials.missing_key(chosen),
            autocomplete="off",
            on_change=_key_given,
            args=(chosen,),
            width=480,
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        where = f"Sent to {chosen.host} and nowhere else."
        st.caption(plain(f"Key {held.hint} · {where}" if held else where), width="content")
        if chosen.id in session.given_keys():
            st.button("Forget the key", type="tertiary", on_click=session.forget_key, args=(chosen.id,))
    return held is not None or chosen.key_source == "none"


def _add(number: int) -> None:
    kind = st.selectbox("Kind", list(KINDS), index=2, format_func=KINDS.__getitem__, key=f"add_kind_{number}")
    name = st.text_input("Name", key=f"add_name_{number}", placeholder=KINDS[kind])
    base_url = st.text_input(
        "Address (base_url)",
        ADDRESSES[kind],
        key=f"add_address_{kind}_{number}",
        placeholder="http://127.0.0.1:8000/v1",
    )
    source = st.selectbox("Its key", list(KEYS), format_func=KEYS.__getitem__, key=f"add_key_source_{number}")
    variable = (
        st.text_input("Variable", key=f"add_variable_{number}", placeholder="NEBIUS_API_KEY")
        if source == "env:"
        else ""
    )
    st.button(
        "Add",
        type="primary",
        key=f"add_service_{number}",
        on_click=_added,
        args=(kind, name, base_url, source + variable),
    )


@trouble.told()
def _added(kind: Kind, name: str, base_url: str, key_source: str) -> None:
    made = service.add(
        session.workspace(), kind=kind, name=name.strip() or KINDS[kind], base_url=base_url, key_source=key_source
    )
    session.choose_service(made.id)


def _chosen(key: str) -> None:
    session.choose_service(st.session_state[key])


@trouble.told()
def _remove(service_id: str) -> None:
    service.remove(session.workspace(), service_id)
    session.forget_key(service_id)


@trouble.told()
def _key_given(chosen: Service) -> None:
    field = f"key_{chosen.id}"
    typed = st.session_state[field]
    # What was typed goes from the widget first: only the Secret is held.
    st.session_state[field] = ""
    if typed.strip():
        session.give_key(chosen, typed)
