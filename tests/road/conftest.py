"""A real app in a real browser: Streamlit as `make run` starts it, Debian's Chromium, an empty workspace."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "screenshots"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'

expect.set_options(timeout=30_000)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class App:
    """One Streamlit process over one workspace; `kill` is SIGKILL, `start` starts another on the same workspace."""

    home: Path
    log: Path
    script: str = "app.py"
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start it and return the seconds until it answered."""
        self.port = free_port()
        environment = {**os.environ, "ETUDE_HOME": str(self.home)}
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
            environment.pop(name, None)
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", self.script),
                    *("--server.port", str(self.port), "--server.headless", "true", "--server.fileWatcherType", "none"),
                ],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return time.monotonic() - begun
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - begun < 60, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: the app has no chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def engine_pid(self) -> int | None:
        """The process id of the embedded service, as its address file tells."""
        import json

        with suppress(OSError, ValueError):
            return int(json.loads((self.home / "engine" / "address.json").read_text())["pid"])
        return None

    def stop(self) -> None:
        """Stop the app and the embedded service that it started."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        pid = self.engine_pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An app over an empty workspace, started."""
    running = App(tmp_path / "home", tmp_path / "app.log")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; without one the browser tests are skipped, and say so."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: install it, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def outside() -> list[str]:
    """Every address that the page asked for and that is not the app itself: must stay empty."""
    return []


@pytest.fixture
def page(browser: Browser, app: App, outside: list[str]) -> Iterator[Page]:
    """A tab of 1280 × 720 that notes every request to the outside."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    tab = context.new_page()
    tab.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((app.url, app.url.replace("http", "ws"), "data:", "blob:"))
            else outside.append(request.url)
        ),
    )
    yield tab
    context.close()


def settle(page: Page) -> None:
    """Wait until the script has run to its end and nothing is being shown that is about to change."""
    page.wait_for_selector(READY)


def shoot(page: Page, name: str, before: Callable[[], None] = lambda: None) -> None:
    """Screenshots of the page as it is, light and dark, wide and narrow, into the folder that git ignores."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in ((1280, 720), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            before()
            page.wait_for_timeout(400)  # the theme fades in
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 720})
