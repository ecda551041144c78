"""Both themes can be read: the contrasts that WCAG 2 asks for, of 4.5 for text and 3 for signs and edges."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

THEMES = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
WHITE = (255.0, 255.0, 255.0)
# What Streamlit gives captions and the titles of closed lists of their colour.
MUTED = 0.6
TEXT, SIGN = 4.5, 3.0
COLOURS = ("red", "orange", "yellow", "green", "blue", "violet", "gray")

Colour = tuple[float, float, float]


def colour(theme: str, name: str) -> Colour:
    text = str(THEMES[theme][name]).removeprefix("#")
    red, green, blue = (int(text[at : at + 2], 16) for at in (0, 2, 4))
    return float(red), float(green), float(blue)


def over(front: Colour, back: Colour, share: float) -> Colour:
    red, green, blue = (share * one + (1 - share) * other for one, other in zip(front, back, strict=True))
    return red, green, blue


def luminance(held: Colour) -> float:
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in held]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), WHITE) == pytest.approx(21)
    assert contrast((118, 118, 118), WHITE) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_background(theme: str) -> None:
    text = colour(theme, "textColor")
    for name in ("backgroundColor", "secondaryBackgroundColor", "codeBackgroundColor"):
        back = colour(theme, name)
        assert contrast(text, back) >= TEXT, name
        assert contrast(over(text, back, MUTED), back) >= TEXT, f"a caption on {name}"
    assert contrast(colour(theme, "linkColor"), colour(theme, "backgroundColor")) >= TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", COLOURS)
def test_coloured_text_can_be_read_by_itself_and_in_a_badge(theme: str, name: str) -> None:
    text, back = colour(theme, f"{name}TextColor"), colour(theme, "backgroundColor")
    assert contrast(text, back) >= TEXT
    if f"{name}BackgroundColor" in THEMES[theme]:
        assert contrast(text, colour(theme, f"{name}BackgroundColor")) >= TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["red", "orange"])
def test_the_signs_of_severity_are_seen_in_the_title_of_a_closed_list(theme: str, name: str) -> None:
    text, back = colour(theme, f"{name}TextColor"), colour(theme, "backgroundColor")
    assert contrast(over(text, back, MUTED), back) >= SIGN


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_chosen_is_seen_and_can_be_read(theme: str) -> None:
    chosen, back = colour(theme, "primaryColor"), colour(theme, "backgroundColor")
    assert contrast(WHITE, chosen) >= TEXT, "a button"
    assert contrast(chosen, back) >= SIGN, "the edge of a segment"
    for share in (0.1, 0.2):
        assert contrast(colour(theme, "textColor"), over(chosen, back, share)) >= TEXT, "the text of a segment"
