"""Cost: the exact tokens, and what every base model that can still be trained would charge for them."""

from __future__ import annotations

import streamlit as st

from lib.ui import cost_view, data_work, frame

frame.require()
frame.heading("Cost", "What training on this version costs, to the token, before anything is sent anywhere.")

work = data_work.current()
if work is None:
    data_work.nothing_yet("There is nothing to count yet.")
elif not work.training:
    data_work.nothing_to_train_on()
else:
    epochs = cost_view.choose_epochs(work.training)
    offers = cost_view.offers(work, epochs)
    cost_view.show_tokens(work, offers, epochs)
    cost_view.show_table(offers, epochs)
    cost_view.show_notes(offers)
    with st.container(horizontal=True):
        frame.link("train", "Choose a base model and train", icon=":material/arrow_forward:")
