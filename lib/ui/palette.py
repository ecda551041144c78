"""The colours that carry meaning, for both themes: training, validation and best look the same on every chart.

Each has a contrast of at least 4.5 to 1 against its theme's background (WCAG AA for text). The rest of the look lives
in .streamlit/config.toml. Knows no chart.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as #RRGGBB. `others` tell several runs apart; the first of them never means a kind of loss."""

    training: str
    validation: str
    best: str
    problem: str
    text: str
    muted: str
    grid: str
    background: str
    others: tuple[str, ...]


LIGHT = Palette(
    training="#0F766E",
    validation="#B45309",
    best="#6D28D9",
    problem="#B42318",
    text="#0E1412",
    muted="#505A56",
    grid="#DFE3DC",
    background="#FDFDFB",
    others=("#1D4ED8", "#9D174D", "#4D7C0F", "#5E6864"),
)
DARK = Palette(
    training="#2DD4BF",
    validation="#FBBF24",
    best="#A78BFA",
    problem="#F87171",
    text="#E4E9E6",
    muted="#ABB6B1",
    grid="#2C3431",
    background="#121615",
    others=("#60A5FA", "#F472B6", "#A3E635", "#9AA6A1"),
)


def current() -> Palette:
    """The palette of the theme that the browser shows now."""
    return DARK if st.context.theme.type == "dark" else LIGHT
