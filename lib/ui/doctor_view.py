"""The doctor's screen: which model is meant, and one line for each check as it comes in.

The checks themselves, their order and their sentences are lib.services.doctor's.
"""

from __future__ import annotations

from collections import Counter

import streamlit as st

from lib.catalog.models import models
from lib.runs import book
from lib.services import credentials, doctor
from lib.services.doctor import Check
from lib.services.service import Service
from lib.ui import session, trouble
from lib.ui.plain import plain

MARKS = {
    "ok": ":green[:material/check_circle:]",
    "warning": ":orange[:material/warning:]",
    "problem": ":red[:material/error:]",
    "skipped": ":gray[:material/remove:]",
}


def choose_model(service: Service) -> str | None:
    """The model in question: a base model of the catalog, a fine-tune of this workspace, or any id that is typed."""
    tuned = [run.fine_tuned_model for run in book.runs(session.workspace(), service_id=service.id)]
    known = [name for name in tuned if name] + [model.id for model in models(service.kind)]
    return st.selectbox(
        "Model",
        list(dict.fromkeys(known)),
        index=0 if known else None,
        accept_new_options=True,
        placeholder="Choose or type a model id",
        key=f"doctor_model_{service.id}",
        width=440,
    )


def asked() -> bool:
    """The button that begins the examination."""
    return st.button("Examine", type="primary", icon=":material/stethoscope:")


def what_is_examined() -> None:
    """The rungs of the ladder, before anything was examined."""
    st.caption(f"{len(doctor.RUNGS)} checks, one after the other: {', '.join(doctor.RUNGS).lower()}.")


def wants_chat(service: Service, model: str | None) -> bool:
    """Whether the model itself is asked for one token, the only check that can cost anything."""
    return st.checkbox(
        "Also ask the model for one token",
        disabled=not model,
        help="Choose a model first." if not model else None if service.kind == "embedded" else "Costs next to nothing.",
    )


def examine(service: Service, model: str | None, *, chat: bool) -> None:
    """Every check as it comes in, and at the end one sentence on all of them."""
    states: Counter[str] = Counter()
    place = st.empty()
    place.caption("Examining, from the address to the model …")
    secret = credentials.find_key(service, session.given_keys())
    for check in doctor.examine(service, secret, model or "", home=session.workspace().home, chat=chat):
        _show(check)
        states[check.state] += 1
    place.markdown(_summary(states))


def _show(check: Check) -> None:
    name, said = st.columns([3, 14], gap="small")
    name.markdown(f"{MARKS[check.state]} **{plain(check.name)}**")
    with said, st.container(gap="xxsmall"):
        st.text(check.sentence)
        if check.todo:
            st.caption(plain(check.todo))
        if check.raw:
            trouble.raw(check.raw)


def _summary(states: Counter[str]) -> str:
    if states["problem"]:
        first = " Begin with the first one." if states["problem"] > 1 else ""
        return f"**{states['problem']} of {states.total()} checks found a problem.**{first}"
    if states["warning"]:
        return "**Nothing is broken.** " + f"{states['warning']} of {states.total()} checks have something to say."
    return f"**All is well.** {states['ok']} checks passed."
