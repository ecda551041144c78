"""Data: what comes in, how it looks, what is found, and that an edit is saved at once and never overwrites another."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, shelf
from lib.dataset.samples.samples import SAMPLES
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.pages.conftest import OpenPage, words


def chat(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def jsonl(examples: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(example).encode() + b"\n" for example in examples)


@pytest.fixture
def version(workspace: Workspace) -> Version:
    """Twenty good examples."""
    source = jsonl(chat(f"Question {number}?", f"Answer {number}.") for number in range(20))
    return shelf.bring_in(workspace, source, "good.jsonl")


def upload(page: AppTest, source: bytes, name: str) -> AppTest:
    page.get("file_uploader")[0].upload(name, source).run()
    assert not page.exception
    return page


def click(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def look_at(page: AppTest, view: str) -> AppTest:
    page.session_state["data_view"] = view
    page.run()
    assert not page.exception
    return page


def test_an_empty_shelf_offers_a_file_and_the_samples(open_page: OpenPage, workspace: Workspace) -> None:
    page = open_page("data")
    assert page.get("file_uploader")
    for sample in SAMPLES:
        assert sample.title in [button.label for button in page.button]
    assert not shelf.datasets(workspace)


def test_a_sample_comes_in_with_its_part_held_out_and_only_once(open_page: OpenPage, workspace: Workspace) -> None:
    page = click(open_page("data"), SAMPLES[0].title)
    assert "242 training, 61 validation" in words(page)
    click(page, SAMPLES[0].title)
    assert len(shelf.datasets(workspace)) == 1


def test_a_file_is_shown_as_conversations_once_it_is_in(open_page: OpenPage) -> None:
    page = upload(open_page("data"), jsonl([chat("Who is there?", "Nobody.")] * 12), "mine.jsonl")
    assert [text.value for text in page.text][:2] == ["Who is there?", "Nobody."]
    assert "12 examples" in words(page)
    assert not page.error


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("empty.jsonl", b""),
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n" + bytes(200)),
        ("words.txt", b"These are words and no data.\nNot one line of it.\n"),
        ("table.csv", b"one column\nonly\n"),
    ],
)
def test_a_bad_file_is_one_clear_sentence_and_loses_nothing(
    name: str, source: bytes, open_page: OpenPage, workspace: Workspace, version: Version
) -> None:
    page = upload(open_page("data"), source, name)
    assert len(page.error) == 1
    assert [one.latest for one in shelf.datasets(workspace)] == [version.id]
    assert "Question 0?" in words(page)
    assert "Traceback" not in words(page)


def test_next_goes_on_and_says_where_one_is(open_page: OpenPage, version: Version) -> None:
    page = open_page("data")
    assert page.button(key="previous").disabled
    press(page, "next")
    assert "Question 1?" in words(page)
    assert "Example 2 of 20" in words(page)
    assert not page.button(key="previous").disabled


def test_a_line_number_leads_to_its_example(open_page: OpenPage, version: Version) -> None:
    page = open_page("data")
    page.number_input(key="line_0").set_value(20).run()
    assert "Question 19?" in words(page)
    assert page.button(key="next").disabled


def test_edits_become_a_version_with_a_name(open_page: OpenPage, workspace: Workspace, version: Version) -> None:
    page = open_page("data")
    assert "version_name" not in page.session_state
    drafts.change(workspace, version.id, 0, chat("Question 0?", "Short."), 0)
    page.run()
    page.text_input(key="version_name").set_value("Shorter answers")
    click(page, "Save the version")
    newest, first = shelf.versions(workspace, version.dataset_id)
    assert (newest.name, newest.number, first) == ("Shorter answers", 2, version)
    assert not drafts.edits(workspace, newest.id)
    assert "Short." in words(page)


def test_a_removed_dataset_can_be_brought_back(open_page: OpenPage, workspace: Workspace, version: Version) -> None:
    page = click(look_at(open_page("data"), "Versions"), "Remove it")
    assert not shelf.datasets(workspace)
    click(page, "Bring it back")
    assert [one.latest for one in shelf.datasets(workspace)] == [version.id]


def test_hostile_data_stays_text(open_page: OpenPage, workspace: Workspace) -> None:
    hostile = "![x](http://evil.example/x.png) <script>alert(1)</script>"
    shelf.bring_in(workspace, jsonl([chat(hostile, hostile)] * 12), f"{hostile}.jsonl")
    page = open_page("data")
    assert [text.value for text in page.text][:2] == [hostile, hostile]
    for kind in ("markdown", "caption", "error", "warning"):
        assert not [one for one in page.get(kind) if "![x](http" in one.value or "<script>" in one.value]


def test_what_came_in_is_not_covered_by_the_place_where_it_came_in(
    open_page: OpenPage, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: dict[str, str] = {}
    popover = st.popover

    def noted(label: str, **said: Any) -> Any:
        keys[label] = said.get("key", "")
        return popover(label, **said)

    monkeypatch.setattr(st, "popover", noted)
    page = open_page("data")
    before = dict(keys)
    press(page, f"sample_{SAMPLES[1].key}_another")
    after = dict(keys)
    assert after["Bring in"] != before["Bring in"]
    assert after["Save a version"] != before["Save a version"]
    page.run()
    assert keys == after
