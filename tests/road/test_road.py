"""The whole road in a real browser, on the embedded service: what the README promises, as a person would do it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lib.runs import book
from lib.workspace.database import Workspace
from tests.road.conftest import App, settle, shoot

pytestmark = [pytest.mark.road, pytest.mark.timeout(600)]

PAGES = ("start", "data", "cost", "train", "runs", "playground", "doctor")
TWO_MINUTES = 120.0
ANSWERED = re.compile("first after")


def menu(page: Page, title: str) -> None:
    """Go to another page of the road through the menu."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    settle(page)


def well(page: Page) -> None:
    """Nothing on the page is a traceback or a box that says something went wrong."""
    expect(page.get_by_test_id("stException")).to_have_count(0)


def view(page: Page, name: str) -> Locator:
    """An option of a segmented control, by the beginning of its words."""
    return page.get_by_role("radio", name=re.compile(f"^{re.escape(name)}"))


def try_the_example(page: Page, app: App) -> float:
    """Press the button on Start; returns when it was pressed."""
    page.goto(app.url)
    settle(page)
    pressed = time.monotonic()
    page.get_by_role("button", name="Try the example").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    return pressed


@pytest.mark.parametrize("name", PAGES)
def test_an_address_opened_first_shows_the_frame(page: Page, app: App, outside: list[str], name: str) -> None:
    page.goto(f"{app.url}/{name}")
    settle(page)
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="Playground")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    # Streamlit's own menu of a folder called pages would have an entry for the entry point.
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="app")).to_have_count(0)
    well(page)
    assert outside == []


def test_the_whole_road(page: Page, app: App, outside: list[str]) -> None:
    page.goto(app.url)
    settle(page)
    shoot(page, "start-empty")

    pressed = try_the_example(page, app)
    shoot(page, "runs-training")
    page.reload()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=110_000)
    trained = time.monotonic() - pressed
    settle(page)
    page.get_by_role("button", name="Talk to it").click()
    settle(page)
    page.get_by_role("button", name="Take a held-out example").click()
    settle(page)
    page.get_by_role("button", name="Send message").click()
    expect(page.get_by_text("Expected", exact=True)).to_be_visible()
    expect(page.get_by_text(ANSWERED)).to_have_count(2, timeout=40_000)
    answered = time.monotonic() - pressed
    print(f"\nTry the example: trained after {trained:.0f} s, first answers after {answered:.0f} s")
    assert answered < TWO_MINUTES
    # The expected answer and the fine-tuned model's name a team; the base knows nothing of teams.
    expect(page.get_by_text(re.compile('"team"'))).to_have_count(2)
    settle(page)
    shoot(page, "playground-talk")
    well(page)

    menu(page, "Runs")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    well(page)
    shoot(page, "runs-finished")
    page.get_by_role("button", name="All runs").click()
    settle(page)
    shoot(page, "runs-list")
    page.get_by_role("button", name="Open").first.click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()

    menu(page, "Data")
    well(page)
    expect(page.get_by_text("300 examples").first).to_be_visible()
    shoot(page, "data-examples")
    page.locator(".st-key-edit_0_messages_0 button").first.click()
    settle(page)
    page.locator(".st-key-typed_0_messages_0_text textarea").fill("You route tickets. Answer with JSON alone.")
    page.get_by_role("button", name="Save", exact=True).click()
    settle(page)
    # A draft is kept before it is a version: a reload must not lose it.
    page.reload()
    settle(page)
    expect(page.get_by_text("You route tickets. Answer with JSON alone.").first).to_be_visible()
    page.get_by_role("button", name="Save a version").click()
    page.get_by_label("Name", exact=True).fill("System message said shorter")
    page.get_by_role("button", name="Save the version").click()
    settle(page)
    # The first is the sample with its flaws, the second what the check's repairs made of it.
    expect(page.get_by_text("Version 3").first).to_be_visible()
    for other in ("Table", "Findings", "Profile", "Split", "Versions"):
        view(page, other).click()
        settle(page)
        well(page)
        shoot(page, f"data-{other.lower()}")

    menu(page, "Cost")
    well(page)
    expect(page.get_by_text("gpt-4.1-mini").first).to_be_attached()
    shoot(page, "cost")

    menu(page, "Train")
    well(page)
    shoot(page, "train")

    menu(page, "Doctor")
    page.get_by_role("button", name="Examine").click()
    settle(page)
    well(page)
    shoot(page, "doctor")

    menu(page, "Start")
    shoot(page, "start-full")
    assert outside == []
    log = app.log.read_text()
    assert "Traceback" not in log, log


def test_launching_by_hand_cancelling_and_a_second_click(page: Page, app: App) -> None:
    page.goto(f"{app.url}/data")
    settle(page)
    page.get_by_role("button", name=re.compile("routing", re.IGNORECASE)).first.click()
    settle(page)
    menu(page, "Train")
    page.get_by_role("spinbutton", name="Epochs").fill("20")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    settle(page)
    page.get_by_role("button", name=re.compile("^.*Launch")).dblclick()
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Stop the training").click()
    expect(page.get_by_text("Cancelled").first).to_be_visible(timeout=30_000)
    well(page)
    # Two clicks, one job.
    assert len(book.runs(Workspace.open(app.home))) == 1


@pytest.mark.slow
def test_the_app_killed_in_the_middle_of_a_job(page: Page, app: App) -> None:
    try_the_example(page, app)
    settle(page)
    address = page.url
    engine = app.engine_pid()
    expect(page.get_by_text(re.compile(r"Step \d+ of \d+")).first).to_be_visible(timeout=60_000)
    app.kill()
    app.start()
    page.goto(re.sub(r"^http://[^/]+", app.url, address))
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=240_000)
    assert app.engine_pid() == engine, "the service went on; it was not started anew"
    ws = Workspace.open(app.home)
    (run,) = book.runs(ws)
    steps = [
        event.data["step"] for event in book.events(ws, run.id) if event.type == "metrics" and "step" in event.data
    ]
    assert sorted(steps) == list(range(1, max(steps) + 1)), "a curve without gaps and without a step told twice"
    well(page)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jsonl", b"", "empty"),
        ("photo.jsonl", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64), "PNG"),
        ("shape.jsonl", b'{"messages": "hello"}\n' * 12, "list"),
    ],
)
def test_a_bad_file_gets_a_sentence_and_loses_nothing(
    page: Page, app: App, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    good = tmp_path / "good.jsonl"
    turn = {"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Me."}]}
    good.write_text((json.dumps(turn) + "\n") * 3, encoding="utf-8")
    page.goto(f"{app.url}/data")
    settle(page)
    page.locator("input[type=file]").first.set_input_files(good)
    expect(page.get_by_text("3 examples").first).to_be_visible()
    view(page, "Findings").click()
    expect(page.get_by_text(re.compile("at least 10 examples")).first).to_be_visible()

    bad = tmp_path / name
    bad.write_bytes(content)
    menu(page, "Start")
    page.locator("input[type=file]").first.set_input_files(bad)
    expect(page.get_by_text(re.compile(said)).first).to_be_visible()
    settle(page)
    shoot(page, f"bad-{bad.stem}")
    well(page)
    assert "good" in {version.dataset_name for version in _versions(app)}


def _versions(app: App) -> list[object]:
    from lib.dataset import shelf

    ws = Workspace.open(app.home)
    return [version for dataset in shelf.datasets(ws) for version in shelf.versions(ws, dataset.id)]
