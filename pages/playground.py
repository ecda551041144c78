"""Talk to the base model and to your own side by side, and measure which is better."""

from __future__ import annotations

import streamlit as st

from lib.ui import (
    frame,
    playground_examples,
    playground_measure,
    playground_models,
    playground_settings,
    playground_talk,
)

frame.require()
frame.heading("Playground", "Talk to the base model and to your own side by side, and measure which is better.")
playground_settings.restore()
chosen = playground_models.choose()
examples = playground_examples.of(chosen)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    view = st.segmented_control(
        "View", ["Talk", "Measure"], default="Talk", required=True, key="playground_view", label_visibility="collapsed"
    )
    if view == "Talk":
        playground_settings.show(examples)
if view == "Talk":
    playground_talk.show(chosen, {example.question: example.expected for example in examples})
else:
    playground_measure.show(chosen)
