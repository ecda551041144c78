"""Bringing in on the page: a clean file is simply there, anything else is asked about, and nothing else changes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import FileUploader

from lib.dataset import export_csv, shelf
from lib.dataset.arrival import arrival as arriving
from lib.dataset.arrival.arrival import Arrival
from lib.dataset.arrival.gathered import gathered
from lib.dataset.arrival.opened import TRIED
from lib.dataset.example import encode
from lib.dataset.export_row import Row
from lib.dataset.shelf import Version
from lib.ui import data_under_way
from lib.ui.data_conversion import EACH
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many, pair
from tests.pages.conftest import OpenPage, words

ALPACA = [{"instruction": f"Say {n}", "input": "", "output": f"{n}.", "source": "x"} for n in range(12)]
ROWS = "".join(f"{n},Where is {n}?,shipping,Sent on day {n}\n" for n in range(12))
TABLE = f"no,text,team,note\n{ROWS}".encode()


@pytest.fixture
def version(workspace: Workspace) -> Version:
    """Twenty good examples."""
    return shelf.bring_in(workspace, lines_of([chat(f"Old {number}?") for number in range(20)]), "old.jsonl")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests may be busy."""
    monkeypatch.setattr(data_under_way, "PATIENCE_SECONDS", 20.0)


pytestmark = pytest.mark.usefixtures("patient")


def upload(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    uploader = page.get("file_uploader")[0]
    assert isinstance(uploader, FileUploader)
    uploader.set_value([(name, content, "") for name, content in files]).run()
    assert not page.exception
    return page


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def expanders(page: AppTest) -> str:
    return "\n".join(str(getattr(one, "label", "")) for one in page.get("expander"))


def click(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def names(workspace: Workspace) -> list[str]:
    return sorted(one.name for one in shelf.datasets(workspace))


def only(workspace: Workspace) -> Version:
    [dataset] = shelf.datasets(workspace)
    return shelf.version(workspace, dataset.latest)


def test_a_clean_file_is_simply_there(open_page: OpenPage, workspace: Workspace) -> None:
    page = upload(open_page("data"), ("mine.jsonl", lines_of(many(12))))
    assert "What is 0 and one?" in words(page)
    assert not {"Cancel", "Stop", "Close"} & set(labels(page))
    assert not page.error
    assert "could not be read" not in expanders(page)
    assert only(workspace).examples == 12


def test_lines_that_cannot_be_understood_are_asked_about_first(open_page: OpenPage, workspace: Workspace) -> None:
    page = upload(open_page("data"), ("half.jsonl", lines_of(many(10)) + b"{broken <b>\n[1]\n"))
    assert "2 lines of half\\.jsonl cannot be understood" in words(page)
    assert "Line 11, column 2" in words(page)
    assert "{broken <b>" in words(page)
    assert not shelf.datasets(workspace)
    click(page, "Bring in the other 10")
    assert only(workspace).examples == 10
    assert "Bring in the other 10" not in labels(page)
    assert "2 lines of the file could not be read" in expanders(page)
    assert "Line 11, column 2" in words(page)


def test_cancel_brings_nothing_in_and_leaves_what_was_there(
    open_page: OpenPage, workspace: Workspace, version: Version
) -> None:
    page = upload(open_page("data"), ("half.jsonl", lines_of(many(10)) + b"{broken\n"))
    assert "Old 0?" in words(page)
    click(page, "Cancel")
    assert "cannot be understood" not in words(page)
    assert "Old 0?" in words(page)
    assert [one.latest for one in shelf.datasets(workspace)] == [version.id]


def test_another_tools_format_is_previewed_and_converted(open_page: OpenPage, workspace: Workspace) -> None:
    page = upload(open_page("data"), ("alpaca.json", json.dumps(ALPACA).encode()))
    assert "in another format: Alpaca" in words(page).replace("\\", "")
    assert "Say 0" in words(page)
    assert "“source” \\(12 times\\)" in words(page)
    assert not shelf.datasets(workspace)
    click(page, "Bring in 12 examples")
    assert json.loads(next(shelf.open_lines(workspace, only(workspace)).raws())) == chat("Say 0", "0.")
    assert "source" in words(page)


def test_another_tools_format_may_stay_as_it_is(open_page: OpenPage, workspace: Workspace) -> None:
    click(upload(open_page("data"), ("alpaca.jsonl", lines_of(ALPACA))), "Leave as written")
    assert next(shelf.open_lines(workspace, only(workspace)).raws()) == lines_of(ALPACA).splitlines()[0]


def test_a_table_is_previewed_with_roles_that_can_be_changed(open_page: OpenPage, workspace: Workspace) -> None:
    page = upload(open_page("data"), ("cases.csv", TABLE))
    roles = {one.label: one for one in page.selectbox if "role_" in str(one.key)}
    assert list(roles) == ["no", "text", "team", "note"]
    assert roles["no"].value == "ignored"
    roles["text"].set_value("question").run()
    for column, role in {"team": "ignored", "note": "answer"}.items():
        next(one for one in page.selectbox if one.label == column).set_value(role).run()
    assert "Sent on day 0" in [text.value for text in page.text]
    click(page, "Bring in 12 examples")
    first = json.loads(next(shelf.open_lines(workspace, only(workspace)).raws()))
    assert first == chat("Where is 0?", "Sent on day 0")


def test_a_mapping_that_makes_no_example_cannot_be_chosen(open_page: OpenPage, workspace: Workspace) -> None:
    page = upload(open_page("data"), ("cases.csv", b"question,answer\n" + b"Who?,Me.\n" * 12))
    next(one for one in page.selectbox if one.label == "answer").set_value("ignored").run()
    [button] = [one for one in page.button if one.label.startswith("Bring in 12")]
    assert button.disabled
    assert "has no answer" in words(page).replace("\\", "")
    assert not shelf.datasets(workspace)


def test_rows_beyond_the_preview_are_asked_about_once_they_are_known(open_page: OpenPage, workspace: Workspace) -> None:
    rows = "".join(f"Where is {n}?,shipping\n" for n in range(TRIED + 5))
    page = upload(open_page("data"), ("cases.csv", f"question,answer\n{rows}no answer,\n".encode()))
    click(page, f"Bring in {TRIED + 6:,} lines")
    assert "1 line of cases\\.csv cannot be understood" in words(page)
    click(page, f"Bring in the other {TRIED + 5:,}")
    assert only(workspace).examples == TRIED + 5


def test_several_files_come_in_together_or_each_by_itself(open_page: OpenPage, workspace: Workspace) -> None:
    files = (("a.jsonl", lines_of(many(10))), ("b.jsonl", lines_of([pair()] * 11)), ("c.txt", b"%PDF-1.7"))
    page = upload(open_page("data"), *files)
    assert "They hold conversations and preference pairs" in words(page)
    assert "c\\.txt is a PDF document" in words(page)
    assert page.radio[0].value == EACH
    click(page, "Bring in 21 examples")
    assert names(workspace) == ["a", "b"]


def test_files_of_one_kind_come_in_as_one(open_page: OpenPage, workspace: Workspace) -> None:
    page = upload(open_page("data"), ("a.jsonl", lines_of(many(10))), ("b.jsonl", lines_of(many(20)[10:])))
    click(page, "Bring in 20 examples")
    assert names(workspace) == ["a and 1 more"]
    assert only(workspace).examples == 20


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("empty.jsonl", b""),
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(200)),
        ("words.txt", b"These are words and no data.\nNot one line of it.\n"),
        ("deep.json", b"[" * 200_000),
        ("null.jsonl", b"null\n" * 3),
        ("bom.jsonl", b"\xef\xbb\xbf"),
        ("../../etc/passwd.zip", b"PK\x03\x04nothing"),
    ],
)
def test_a_bad_file_is_one_sentence_that_can_be_closed(
    name: str, source: bytes, open_page: OpenPage, workspace: Workspace, version: Version
) -> None:
    page = upload(open_page("data"), (name, source))
    assert len(page.error) == 1
    assert "mistake" not in page.error[0].value
    assert "Old 0?" in words(page)
    assert [one.latest for one in shelf.datasets(workspace)] == [version.id]
    click(page, "Close")
    assert not page.error


def test_the_next_file_takes_the_place_of_an_error(open_page: OpenPage) -> None:
    page = upload(open_page("data"), ("empty.jsonl", b""))
    upload(page, ("mine.jsonl", lines_of(many(12))))
    assert not page.error
    assert "What is 0 and one?" in words(page)


def test_a_bad_file_on_the_first_page_is_said_there(open_page: OpenPage) -> None:
    page = upload(open_page("start"), ("empty.jsonl", b""))
    assert "empty" in page.error[0].value


def test_what_is_pasted_comes_in_and_nothing_is_a_sentence(open_page: OpenPage, workspace: Workspace) -> None:
    page = click(open_page("data"), "Bring in what is pasted")
    assert "Nothing is pasted yet" in page.error[0].value
    page.text_area[0].set_value(lines_of(many(10)).decode())
    click(page, "Bring in what is pasted")
    assert only(workspace).examples == 10
    assert names(workspace) == ["Pasted examples"]


def test_a_file_on_this_machine_comes_in_by_its_path(open_page: OpenPage, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    path.write_bytes(lines_of(many(10)))
    page = open_page("data")
    page.text_input[0].set_value(str(tmp_path / "none.jsonl"))
    click(page, "Bring in this file")
    assert "There is no such file" in page.error[0].value
    assert not shelf.datasets(workspace)
    page.text_input[0].set_value(f' "{path}" ')
    click(page, "Bring in this file")
    assert names(workspace) == ["large"]
    assert path.exists()


def test_a_file_that_is_there_already_is_chosen_and_copied_only_when_wanted(
    open_page: OpenPage, workspace: Workspace, version: Version
) -> None:
    page = upload(open_page("data"), ("mine.jsonl", lines_of(many(12))))
    assert "on the shelf already" not in words(page)
    upload(page, ("again.jsonl", lines_of(many(12))))
    assert "is on the shelf already" in words(page)
    assert names(workspace) == ["mine", "old"]
    click(page, "Bring it in again")
    assert names(workspace) == ["mine", "mine", "old"]
    assert "is on the shelf already" not in words(page)


def test_our_own_table_comes_back_without_a_question(open_page: OpenPage, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    examples = [{**chat(f"={n}"), "id": n} for n in range(12)]
    export_csv.write_csv((Row(n, encode(data), n > 10) for n, data in enumerate(examples, start=1)), path, "supervised")
    page = upload(open_page("data"), ("out.csv", path.read_bytes()))
    assert "10 training, 2 validation" in words(page)
    assert [json.loads(raw) for raw in shelf.open_lines(workspace, only(workspace)).raws()] == examples


def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let arrivals wait before they check, until what is returned is called."""
    going_on = threading.Event()

    def held(plan: Any, target: Path, counter: Any, pace: Any, *more: Any) -> Any:
        pace.begin("Checking", 1, "lines")
        while not going_on.wait(0.01):
            pace.at(1, 2)
        return gathered(plan, target, counter, pace, *more)

    monkeypatch.setattr(arriving, "gathered", held)
    monkeypatch.setattr(data_under_way, "PATIENCE_SECONDS", 0.05)
    return going_on.set


def test_a_long_arrival_shows_how_far_it_is_and_can_be_stopped(
    open_page: OpenPage, workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(monkeypatch)
    page = upload(open_page("data"), ("mine.jsonl", lines_of(many(12))))
    assert "Stop" in labels(page)
    assert "Old 0?" in words(page)
    monkeypatch.setattr(data_under_way, "PATIENCE_SECONDS", 20.0)
    click(page, "Stop")
    page.run()
    assert "Stop" not in labels(page)
    assert [one.latest for one in shelf.datasets(workspace)] == [version.id]
    assert not list((workspace.home / "arriving").iterdir())


def test_a_reload_finds_what_is_under_way_and_offers_what_came_of_it(
    open_page: OpenPage, workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.set_setting("chosen_version", version.id)
    go_on = hold(monkeypatch)
    upload(open_page("data"), ("mine.jsonl", lines_of(many(12))))
    reloaded = open_page("data")
    assert "Stop" in labels(reloaded)
    go_on()
    [arrival] = data_under_way._arrivals_of(str(workspace.home)).all()
    assert isinstance(arrival, Arrival)
    assert arrival.wait(20).phase == "done"
    reloaded.run()
    assert "mine\\.jsonl has come in" in words(reloaded)
    assert "Old 0?" in words(reloaded)
    click(reloaded, "Show it")
    assert "What is 0 and one?" in words(reloaded)
    assert "has come in" not in words(reloaded)


def test_the_window_that_began_it_shows_what_came_in_at_its_end(
    open_page: OpenPage, workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = hold(monkeypatch)
    page = upload(open_page("data"), ("mine.jsonl", lines_of(many(12))))
    go_on()
    [arrival] = data_under_way._arrivals_of(str(workspace.home)).all()
    arrival.wait(20)
    page.run()
    assert "What is 0 and one?" in words(page)
    assert "Show it" not in labels(page)


def test_hostile_names_and_contents_stay_text(open_page: OpenPage, workspace: Workspace) -> None:
    hostile = "![x](http://evil.example/x.png) <script>alert(1)</script>"
    rows = [{"instruction": hostile, "output": hostile, hostile: hostile}] * 12
    page = upload(open_page("data"), (f"{hostile}.jsonl", lines_of(rows)))
    click(page, "Bring in 12 examples")
    for kind in ("markdown", "caption", "error", "warning", "subheader"):
        assert not [
            one for one in page.get(kind) if re.search(r"!\[x\]\(http|<script>", str(getattr(one, "value", "")))
        ]
    assert hostile in [text.value for text in page.text]
