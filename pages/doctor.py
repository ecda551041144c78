"""Doctor: why can't I reach this model? One check after the other, from the address to the model."""

from __future__ import annotations

from lib.ui import doctor_view, frame, service_choice

frame.require()
frame.heading(
    "Doctor", "Checks a service from the address to the model. Nothing is created, and none of your data is sent."
)

service = service_choice.choose()
ready = service_choice.credential(service)
model = doctor_view.choose_model(service)
if doctor_view.asked(service, ready):
    doctor_view.examine(service, model)
