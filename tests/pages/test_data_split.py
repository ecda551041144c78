"""Split: what would be held out is shown before it is saved, and what belongs together is never torn apart."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, shelf
from lib.dataset.shelf import Version
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many
from tests.pages.conftest import words
from tests.pages.data_views import click, labels, opened

LONG = "Please tell me at which counter of the great hall the train to the north of the island leaves this evening"


def bring_in(ws: Workspace, examples: list[dict[str, Any]], **more: Any) -> Version:
    return shelf.bring_in(ws, lines_of(examples), "cases.jsonl", **more)


def split() -> AppTest:
    return opened("data_split", "show(work)")


def newest(ws: Workspace, version: Version) -> Version:
    return shelf.versions(ws, version.dataset_id)[0]


def test_a_suggestion_stands_there_and_nothing_is_saved_by_looking(workspace: Workspace) -> None:
    version = bring_in(workspace, many(200))
    page = split()
    assert "Nothing is held out" in words(page)
    assert "Would hold out **20 examples** (10%)" in words(page)
    assert page.button(key="hold_out").label == "Hold out 20 examples"
    assert "hold_none" not in [button.key for button in page.button]
    assert newest(workspace, version) == version


def test_what_is_shown_is_what_is_saved(workspace: Workspace) -> None:
    version = bring_in(workspace, many(200))
    page = split()
    page.number_input(key="share").set_value(25)
    page.number_input(key="split_seed").set_value(11).run()
    assert "**50 examples**" in words(page)
    click(page, "hold_out")
    made = newest(workspace, version)
    assert (made.number, len(made.validation), made.name) == (2, 50, "25% held out, seed 11")
    assert not shelf.version(workspace, version.id).validation
    assert page.button(key="hold_out").disabled


def test_a_number_can_be_asked_for(workspace: Workspace) -> None:
    version = bring_in(workspace, many(200))
    page = split()
    page.selectbox(key="split_by").set_value("Number").run()
    page.number_input(key="split_number_190").set_value(33).run()
    click(page, "hold_out")
    assert len(newest(workspace, version).validation) == 33


def test_few_examples_are_all_needed_for_training(workspace: Workspace) -> None:
    bring_in(workspace, many(12))
    page = split()
    assert "at least 20 examples" in words(page)
    assert not labels(page)


def test_labels_are_held_out_each_in_its_share_unless_not_wanted(workspace: Workspace) -> None:
    version = bring_in(workspace, [chat(f"Case {n}", "rare" if n % 10 == 0 else "common") for n in range(200)])
    page = split()
    assert page.dataframe[0].value[["Label", "Training", "Validation"]].values.tolist() == [
        ["common", 162, 18],
        ["rare", 18, 2],
    ]
    page.selectbox(key=f"split_labels_{version.id}").set_value(1).run()
    assert not page.dataframe


def test_the_same_prompt_stays_on_one_side_and_that_is_said(workspace: Workspace) -> None:
    version = bring_in(workspace, [chat(f"Question {n // 2}", f"Answer {n}.") for n in range(100)])
    page = click(split(), "hold_out")
    out = set(newest(workspace, version).validation)
    assert out
    assert {place ^ 1 for place in out} == out
    assert "100 examples in 50 groups" in words(page)


def test_removed_and_added_examples_are_where_they_belong(workspace: Workspace) -> None:
    version = bring_in(workspace, many(40))
    drafts.change_all(workspace, version.id, [(place, None, 0) for place in range(10)])
    for number in range(20):
        drafts.add(workspace, version.id, chat(f"Added {number}?", "Yes."))
    page = split()
    page.selectbox(key="split_by").set_value("Number").run()
    page.number_input(key="split_number_40").set_value(40).run()
    click(page, "hold_out")
    made = newest(workspace, version)
    assert (made.examples, len(made.validation)) == (50, 40)
    assert max(made.validation) < 50
    held = shelf.open_lines(workspace, made)
    assert sum(held.example(place).messages[0].text.startswith("Added") for place in made.validation) >= 10


def test_a_split_can_be_taken_back(workspace: Workspace) -> None:
    version = bring_in(workspace, many(40), validation=range(10))
    page = split()
    assert "**10 examples** (25%) held out" in words(page)
    click(page, "hold_none")
    assert not newest(workspace, version).validation
    assert "Nothing is held out" in words(page)


def test_all_with_one_prompt_cannot_be_split_and_the_reason_is_told(workspace: Workspace) -> None:
    bring_in(workspace, [chat("Always the same?", f"Answer {n}.") for n in range(40)])
    page = split()
    assert "No part can be held out" in words(page)
    assert "the largest group has 40" in words(page)
    assert not labels(page)


def test_near_duplicates_that_were_not_looked_for_are_looked_for_when_asked(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.dataset.assessment.LOOKED_THROUGH", 5)
    monkeypatch.setattr("lib.dataset.desk.LOOKED_THROUGH", 5)
    bring_in(workspace, [*many(40), chat(f"{LONG}.", "Nine."), chat(f"{LONG}!", "Nine.")])
    page = split()
    assert "Near duplicates were not looked for" in words(page)
    assert "no two have the same prompt or are equal." in words(page)
    click(page, "look_for_near_split")
    assert "Near duplicates were not looked for" not in words(page)
    assert "look_for_near_split" not in [button.key for button in page.button]
    assert "2 examples in 1 group" in words(page)


def test_near_duplicates_that_are_known_are_not_offered_again(workspace: Workspace) -> None:
    bring_in(workspace, many(40))
    assert "look_for_near_split" not in [button.key for button in split().button]
