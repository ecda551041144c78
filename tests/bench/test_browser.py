"""What a click costs in a real browser, against an empty page of the same app; and how much is sent first."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from lib.dataset import shelf
from lib.workspace.database import Workspace
from tests.bench.generated import write_examples
from tests.road.conftest import ROOT, App, browser, settle

__all__ = ["browser"]

# A page of Etude with nothing on it but a button.
EMPTY = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from lib.ui import frame

frame.navigation()
frame.context()
frame.heading("Empty", "There is nothing on this page.")
st.button("Next", key="next")
"""
SIZES = (1_000, 100_000, 1_000_000)
CLICKS = 40
MOST_AGAINST_EMPTY, MOST_AGAINST_FEW = 2.0, 1.4
MOST_FIRST = 100_000

# Remembers when the server last said something.
LISTEN = """
window.lastHeard = 0;
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
    constructor(...given) {
        super(...given);
        this.addEventListener('message', () => { window.lastHeard = performance.now(); });
    }
};
"""
# Milliseconds from a click until the browser has painted the last thing that changed after it.
CLICK = """
async (selector) => {
    let painted = 0;
    const paint = () => requestAnimationFrame(() => requestAnimationFrame(() => { painted = performance.now(); }));
    const watch = new MutationObserver(paint);
    watch.observe(document.body, {attributes: true, childList: true, subtree: true, characterData: true});
    const begun = performance.now();
    document.querySelector(selector).click();
    for (let now = begun; now < begun + 20000; now = performance.now()) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        const last = Math.max(window.lastHeard, painted);
        if (window.lastHeard > begun && now - last > 300) {
            watch.disconnect();
            return last - begun;
        }
    }
    throw new Error('the page does not come to rest');
}
"""


@pytest.fixture
def apps(tmp_path: Path) -> Iterator[list[App]]:
    """Apps that were started, to be stopped at the end."""
    started: list[App] = []
    yield started
    for app in started:
        app.stop()


def _clicks(page: Page, selector: str) -> float:
    """The median of some clicks, in milliseconds."""
    taken: list[float] = [page.evaluate(CLICK, selector) for _ in range(CLICKS)]
    return statistics.median(taken[1:])


def _listening(browser: Browser) -> Page:
    page = browser.new_page()
    page.add_init_script(LISTEN)
    return page


def _started(app: App, apps: list[App]) -> App:
    apps.append(app)
    app.start()
    return app


@pytest.mark.bench
@pytest.mark.timeout(1800)
def test_a_click_costs_little_more_than_on_an_empty_page(tmp_path: Path, browser: Browser, apps: list[App]) -> None:
    script = tmp_path / "empty.py"
    script.write_text(EMPTY)
    empty = _started(App(tmp_path / "none", tmp_path / "empty.log", script=str(script)), apps)
    page = _listening(browser)
    page.goto(empty.url)
    settle(page)
    page.wait_for_selector(".st-key-next button")
    floor = _clicks(page, ".st-key-next button")
    page.close()
    next_: dict[int, float] = {}
    first: dict[int, int] = {}
    for examples in SIZES:
        home = tmp_path / f"home-{examples}"
        path = write_examples(tmp_path / f"{examples}.jsonl", examples)
        shelf.bring_in(Workspace.open(home), path, path.name)
        path.unlink()
        app = _started(App(home, tmp_path / f"{examples}.log"), apps)
        page = browser.new_page()
        # The first visit surveys the file; it is not what is measured.
        page.goto(f"{app.url}/data")
        page.wait_for_selector(".st-key-next button", timeout=600_000)
        page.close()
        page = _listening(browser)
        received: list[int] = []
        page.on("websocket", lambda socket, into=received: socket.on("framereceived", lambda f: into.append(len(f))))
        page.goto(f"{app.url}/data")
        page.wait_for_selector(".st-key-next button")
        settle(page)
        page.wait_for_timeout(1000)
        first[examples] = sum(received)
        next_[examples] = _clicks(page, ".st-key-next button")
        page.close()
        print(
            f"\n{examples:>9,} examples: next {next_[examples]:.0f} ms (empty page {floor:.0f} ms, "
            f"{next_[examples] / floor:.2f} times); {first[examples]:,} bytes sent first"
        )
    assert next_[100_000] <= MOST_AGAINST_EMPTY * floor
    assert next_[SIZES[-1]] <= MOST_AGAINST_FEW * next_[SIZES[0]]
    assert max(first.values()) <= MOST_FIRST
