"""The frame: every page can be opened first, the road is whole, and what is chosen is said below the menu."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui import palette
from lib.ui.frame import ROAD
from tests.pages.conftest import ROOT, SECONDS, OpenPage, words

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
AA = 4.5


def test_the_app_opens_on_start_and_says_what_is_chosen() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS).run()
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1
    assert "On this machine" in "\n".join(text.value for text in app.sidebar.text)
    assert "None yet" in "\n".join(text.value for text in app.sidebar.text)


def test_a_workspace_that_cannot_be_used_is_said_once_and_nothing_is_offered(
    home: Path,
) -> None:
    home.write_text("not a folder")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "Set ETUDE\\_HOME to a folder" in app.error[0].value
    assert not app.button


@pytest.mark.parametrize("stop", ROAD, ids=lambda stop: stop.name)
def test_every_page_can_be_opened_first_on_an_empty_workspace(stop: object, open_page: OpenPage) -> None:
    page = open_page(stop.name)  # type: ignore[attr-defined]
    assert len(page.title) == 1
    assert not page.error
    assert "Traceback" not in words(page)


@pytest.mark.parametrize("stop", ROAD, ids=lambda stop: stop.name)
def test_every_page_of_the_road_is_a_short_file_that_requires_the_frame(stop: object) -> None:
    source = (ROOT / "pages" / f"{stop.name}.py").read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert len(source.splitlines()) <= 80
    assert re.search(r"^frame\.require\(\)$", source, re.MULTILINE)


@pytest.mark.parametrize(("mode", "colours"), [("light", palette.LIGHT), ("dark", palette.DARK)])
def test_chart_colours_are_those_of_the_theme_and_can_be_read_on_it(mode: str, colours: palette.Palette) -> None:
    theme = CONFIG["theme"][mode]
    meaning = [colours.training, colours.validation, colours.best]
    assert theme["chartCategoricalColors"] == [*meaning, *colours.others]
    assert (theme["backgroundColor"], theme["textColor"]) == (colours.background, colours.text)
    for colour in (*meaning, *colours.others, colours.problem, colours.muted, colours.text):
        assert contrast(colour, colours.background) >= AA, colour
    assert contrast("#FFFFFF", theme["primaryColor"]) >= AA


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_faded_text_can_still_be_read(mode: str) -> None:
    theme = CONFIG["theme"][mode]
    for ground in (theme["backgroundColor"], theme["sidebar"]["backgroundColor"]):
        assert contrast(blend(theme["textColor"], ground, 0.6), ground) >= AA


def test_fonts_are_served_from_here_with_their_licence() -> None:
    for face in CONFIG["theme"]["fontFaces"]:
        assert face["url"].startswith("app/static/fonts/")
        assert (ROOT / face["url"].removeprefix("app/")).is_file()
    licences = sorted(path.name for path in (ROOT / "static" / "fonts").glob("*OFL.txt"))
    assert licences == ["ibm-plex-mono-OFL.txt", "ibm-plex-sans-OFL.txt"]


def test_the_server_is_for_this_machine_alone_and_reports_to_nobody() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert "enableAgentApi" not in CONFIG["server"]
    for path in (ROOT / "static").glob("*.css"):
        assert "http" not in path.read_text(encoding="utf-8")


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two colours."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def blend(colour: str, ground: str, share: float) -> str:
    mixed = (
        round(int(colour[at : at + 2], 16) * share + int(ground[at : at + 2], 16) * (1 - share)) for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02X}" for part in mixed)
