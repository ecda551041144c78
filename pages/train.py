"""Choose a base model and a version of your data, read the request, launch once."""

from __future__ import annotations

import streamlit as st

from lib.ui import data_work, frame, session, train_card, train_form

frame.require()
frame.heading("Train", "Choose a base model, read the very request that will be sent, launch once.")
session.watcher()
work = data_work.current()
if work is None:
    data_work.nothing_yet("Training needs examples to learn from. Bring in a file, or one of the samples.")
else:
    service = train_form.choose_service()
    form, card = st.columns(2, gap="large")
    with form:
        plan = train_form.choose(service, work.version)
    with card:
        train_card.show(service, work, plan)
