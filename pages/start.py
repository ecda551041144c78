"""Start: what Etude is, the whole road in one button, and where things stand."""

from __future__ import annotations

import streamlit as st

from lib.ui import frame, start_view

frame.require()
frame.heading(
    "Fine-tune a language model, here and for real",
    "Etude is a playground: rehearse on this machine without a key, then take the same data and the same request to "
    "a service that charges for it.",
)

example, own = st.columns([3, 2], gap="large")
with example:
    start_view.offer_example()
with own:
    start_view.offer_own_file()
start_view.where_things_stand()
