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
view = st.segmented_control(
    "View", ["Talk", "Measure"], default="Talk", required=True, key="view", label_visibility="collapsed"
)
chosen = playground_models.choose()
if view == "Measure":
    playground_measure.show(chosen)
else:
    examples = playground_examples.of(chosen)
    playground_settings.show(examples)
    playground_talk.show(chosen, {example.question: example.expected for example in examples})
