"""Doctor: why can't I reach this model? One check after the other, from the address to the model."""

from __future__ import annotations

import streamlit as st

from lib.ui import doctor_view, frame, service_choice

frame.require()
frame.heading(
    "Doctor", "Checks a service from the address to the model. Nothing is created and no data of yours is sent."
)

service = service_choice.choose()
service_choice.credential(service)
with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
    model = doctor_view.choose_model(service)
    begin = doctor_view.asked()
chat = doctor_view.wants_chat(service, model)

if begin:
    doctor_view.examine(service, model, chat=chat)
else:
    doctor_view.what_is_examined()
