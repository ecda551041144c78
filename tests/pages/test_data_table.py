"""The table and what it is filtered by: a page at a time, exactly what is asked for, and nothing read beyond it."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from lib.dataset import drafts
from lib.dataset.desk import Desk
from lib.dataset.shelf import Version
from lib.ui import data_filter, data_table
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, many, pair
from tests.pages.conftest import words
from tests.pages.data_lists import bring_in, labels, look_at, seen


@pytest.fixture
def version(workspace: Workspace) -> Version:
    """Twenty examples; the first two are held out, the last has a system message and an extra key."""
    last = {**chat("The last one?", "It is.", system="Be brief."), "note": 1}
    return bring_in(workspace, [*many(19), last], validation=[0, 1])


def rows(page: Any) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = page.dataframe[0].value.to_dict("records")
    return held


def lines(page: Any) -> list[int]:
    return [row["Line"] for row in rows(page)]


def test_a_row_says_what_there_is_to_know(workspace: Workspace, version: Version) -> None:
    first, *_, last = rows(look_at("Table"))
    assert (first["Line"], first["Split"], first["Messages"]) == (1, "validation", 2)
    assert (first["First question"], first["Last answer"]) == ("What is 0 and one?", "1.")
    assert list(first["Findings"]) == []
    assert (last["Line"], last["Split"], last["Messages"], last["Edited"]) == (20, "training", 3, "")
    assert list(last["Findings"]) == ["1 error"]
    assert last["Tokens"] > first["Tokens"] > 0


def test_only_a_hundred_rows_are_read_and_travel(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_in(workspace, many(250))
    read: list[int] = []
    entries = Desk.entries

    def noted(self: Desk, positions: Any) -> Any:
        read.extend(positions)
        return entries(self, positions)

    monkeypatch.setattr(Desk, "entries", noted)
    page = look_at("Table")
    assert lines(page) == list(range(1, 101))
    assert read == list(range(100))
    assert "250 examples" in words(page)
    assert page.get("pagination")


def test_edited_and_removed_examples_say_so(workspace: Workspace, version: Version) -> None:
    drafts.change(workspace, version.id, 3, chat("New?", "New."), 0)
    drafts.remove(workspace, version.id, 4, 0)
    held = rows(look_at("Table"))
    assert [row["Line"] for row in held if row["Edited"]] == [4]
    assert [row["Line"] for row in held if row["Split"] == "removed"] == [5]
    assert held[3]["First question"] == "New?"


def test_a_pair_shows_its_preferred_answer(workspace: Workspace) -> None:
    bring_in(workspace, [pair(f"Which, {n}?", f"Good {n}.", "Bad.") for n in range(12)])
    assert rows(look_at("Table"))[0]["Last answer"] == "Good 0."


def test_a_label_in_json_has_a_column_of_its_own_name(workspace: Workspace) -> None:
    answers = ['{"Line": "a"}', '{"Line": "b"}'] * 12
    bring_in(workspace, [chat(f"Case {n}", answer) for n, answer in enumerate(answers)])
    first = rows(look_at("Table"))[0]
    assert (first["Line"], first["Label: Line"]) == (1, "a")


def test_a_search_finds_and_can_be_taken_back(workspace: Workspace, version: Version) -> None:
    page = look_at("Table")
    page.text_input(key="search").set_value("THE LAST").run()
    assert lines(seen(page)) == [20]
    page.text_input(key="search").set_value("assistant").run()
    assert "No example holds “assistant”." in words(seen(page))
    assert not page.dataframe
    seen(next(one for one in page.button if one.label == "Show all examples").click().run())
    assert len(lines(page)) == 20


def test_a_long_search_can_be_stopped_and_is_then_taken_back(
    workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    def long(lines: Any, text: str, told: Any) -> Any:
        told(1)
        st.stop()

    monkeypatch.setattr("lib.ui.data_search.in_lines", long)
    page = look_at("Table")
    page.text_input(key="search").set_value("THE LAST").run()
    assert "Stop" in [button.label for button in page.button]
    page.button(key="stop_search").click().run()
    assert page.text_input(key="search").value == ""
    assert "Stop" not in [button.label for button in page.button]


def test_a_search_follows_an_edit(workspace: Workspace, version: Version) -> None:
    page = look_at("Table", search="something new")
    assert not page.dataframe
    drafts.change(workspace, version.id, 7, chat("Something NEW?", "Yes."), 0)
    assert lines(seen(page.run())) == [8]


@pytest.mark.parametrize(
    ("held", "expected", "chip"),
    [
        ({"filter_finding": "extra_key"}, [20], "Extra keys"),
        ({"filter_finding": "any"}, [20], "With any finding"),
        ({"filter_role": "system"}, [20], "With role system"),
        ({"filter_split": "validation"}, [1, 2], "Validation"),
        ({"filter_messages_from": 3}, [20], "3 messages or more"),
        ({"filter_messages_from": 2, "filter_messages_to": 2, "filter_split": "validation"}, [1, 2], "2 to 2 messages"),
    ],
)
def test_a_filter_shows_what_it_asks_for_and_a_button_takes_it_away(
    workspace: Workspace, version: Version, held: dict[str, Any], expected: list[int], chip: str
) -> None:
    page = look_at("Table", **held)
    assert lines(page) == expected
    assert chip in labels(page)
    while removable := [one for one in page.button if (one.key or "").startswith("without_")]:
        seen(removable[0].click().run())
    assert len(lines(page)) == 20


def test_filters_are_chosen_in_the_popover_and_stay_when_it_closes(workspace: Workspace, version: Version) -> None:
    page = look_at("Table", filter=True)
    page.selectbox(key="filter_role").set_value("system").run()
    assert lines(seen(page)) == [20]
    page.session_state["filter"] = False
    assert lines(seen(page.run())) == [20]
    page.session_state["data_view"] = "Findings"
    seen(page.run())
    page.session_state["data_view"] = "Table"
    assert lines(seen(page.run())) == [20]


def test_what_no_example_is_any_more_can_still_be_taken_away(workspace: Workspace, version: Version) -> None:
    page = look_at("Table", filter=True, filter_finding="duplicate", filter_label=("gone", "label"))
    assert "No example is all that is asked for." in words(page)
    assert {"Exact duplicates", "gone: label"} <= set(labels(page))


def test_the_order_is_that_of_the_examples_too(workspace: Workspace, version: Version) -> None:
    page = look_at("Table")
    page.selectbox(key="order").set_value("most_messages").run()
    assert lines(seen(page))[:3] == [20, 1, 2]
    page.session_state["data_view"] = "Examples"
    assert f"Chosen: {[19, *range(19)]}" in words(seen(page.run()))


def test_the_edited_and_the_removed_are_found(workspace: Workspace, version: Version) -> None:
    drafts.change(workspace, version.id, 3, chat("New?", "New."), 0)
    drafts.remove(workspace, version.id, 4, 0)
    assert lines(look_at("Table", filter_edited=True)) == [4]
    assert lines(look_at("Table", filter_removed=True)) == [5]


def test_a_choice_is_worked_out_once_for_each_state(
    workspace: Workspace, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    select = data_filter.select

    def noted(*given: Any, **named: Any) -> Any:
        asked.append(given[1:])
        return select(*given, **named)

    monkeypatch.setattr(data_filter, "select", noted)
    page = look_at("Table", filter_split="training")
    seen(page.run())
    assert len(asked) == 1
    drafts.remove(workspace, version.id, 4, 0)
    assert 5 not in lines(seen(page.run()))
    assert len(asked) == 2


def test_hostile_text_stays_text(workspace: Workspace) -> None:
    hostile = "![x](http://evil.example/x.png)"
    bring_in(workspace, [chat(f"Case {n}", f'{{"{hostile}": "{"ab"[n % 2]}"}}') for n in range(24)])
    page = look_at("Table", search=f"{hostile} nowhere", filter_label=(hostile, "a"), filter=True)
    assert not [one for one in page.get("markdown") if "![x](http" in one.value]
    assert not [label for label in labels(page) if "![x](http" in label]


def test_a_chosen_cell_opens_its_example(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    monkeypatch.setattr(data_table.data_work, "open_example", opened.append)
    held: dict[str, Any] = {"table": {"selection": {"rows": [], "columns": [], "cells": [(2, "Tokens")]}}}
    monkeypatch.setattr(data_table.st, "session_state", held)
    data_table._open([4, 8, 15])
    held["table"]["selection"]["cells"] = []
    data_table._open([4, 8, 15])
    assert opened == [15]


def test_the_place_in_any_order() -> None:
    import numpy as np

    assert data_filter.at(np.array([3, 5, 9], np.int32), 5) == 1
    assert data_filter.at(np.array([3, 5, 9], np.int32), 6) == 2
    assert data_filter.at(np.array([3, 5, 9], np.int32), 99) == 2
    assert data_filter.at(np.array([9, 3, 5], np.int32), 5) == 2
