"""The walk on files that were not written for this project: bring in, check, price, train, talk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.road.conftest import App, settle, shoot
from tests.road.test_road import ANSWERED, menu, view, well

pytestmark = [pytest.mark.road, pytest.mark.slow, pytest.mark.timeout(600)]

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


def bring(page: Page, app: App, name: str) -> None:
    """Open Data and bring a file in."""
    if not (DATA / name).is_file():
        pytest.skip(f"{name} is not beside this checkout (../shared/data)")
    page.goto(f"{app.url}/data")
    settle(page)
    page.locator("input[type=file]").first.set_input_files(DATA / name)
    expect(view(page, "Examples")).to_be_visible()
    settle(page)
    well(page)


def train_and_talk(page: Page, question: str) -> None:
    """One epoch on the embedded service, and an answer from the result."""
    menu(page, "Cost")
    expect(page.get_by_text("gpt-4.1-mini").first).to_be_attached()
    well(page)
    menu(page, "Train")
    page.get_by_role("spinbutton", name="Epochs").fill("1")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    settle(page)
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Launch")).click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=300_000)
    well(page)
    page.get_by_role("button", name="Talk to it").click()
    settle(page)
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    expect(page.get_by_text(ANSWERED)).to_have_count(2, timeout=60_000)
    well(page)


def test_birds(page: Page, app: App) -> None:
    bring(page, app, "birds208.jsonl")
    expect(page.get_by_text("208 examples").first).to_be_visible()
    train_and_talk(page, "Name a bird species.")
    shoot(page, "birds-playground")


def test_nebius(page: Page, app: App) -> None:
    bring(page, app, "nebius800.jsonl")
    expect(page.get_by_text("800 examples").first).to_be_visible()
    shoot(page, "nebius-data")
    train_and_talk(page, "May I speak to Mr. Smith?")


def test_toy_chat_has_too_few_examples_until_a_person_adds_some(page: Page, app: App) -> None:
    bring(page, app, "toy_chat.jsonl")
    expect(page.get_by_text("5 examples").first).to_be_visible()
    menu(page, "Train")
    launch = page.get_by_test_id("stMain").get_by_role("button", name="Repair 1 error on Data first")
    expect(launch).to_be_disabled()
    expect(page.get_by_text("There are 5 training examples; at least 10 are needed.")).to_be_visible()
    shoot(page, "toy-train-too-few")
    menu(page, "Data")
    for _ in range(5):
        page.get_by_role("button", name="Example", exact=True).click()
        page.get_by_role("menuitem", name="Duplicate").click()
        settle(page)
    page.get_by_role("button", name="Save a version").click()
    page.get_by_role("button", name="Save the version").click()
    settle(page)
    expect(page.get_by_text("10 examples").first).to_be_visible()
    train_and_talk(page, "I lost my book today.")
