"""Findings by kind: what is said first, what a repair shows, changes and leaves alone, and that it can be undone."""

from __future__ import annotations

from typing import Any

import pytest

from lib.dataset import drafts
from lib.dataset.desk import Desk
from lib.dataset.shelf import Version
from lib.ui.plain import plain
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, many
from tests.pages.conftest import words
from tests.pages.data_lists import bring_in, labels, look_at, press, seen, titles

MAIL = "Write to jane.roe@mailbox.org today."


@pytest.fixture
def flawed(workspace: Workspace) -> Version:
    """Fifteen good examples, and after them: two with an extra key, an e-mail address, a role nobody knows."""
    extra = [{**chat(f"Extra {n}?", "Yes."), "note": n} for n in range(2)]
    wizard = {"messages": [{"role": "wizard", "content": "Abracadabra"}, *chat("Who?", "Me.")["messages"]]}
    return bring_in(workspace, [*many(15), *extra, chat(MAIL, "Done."), wizard])


def data_of(ws: Workspace, version: Version) -> list[Any]:
    entries = drafts.current(ws, version.id, 0, version.examples)
    return [None if entry.example is None else entry.example.data for entry in entries]


def test_good_data_says_so_in_one_sentence(workspace: Workspace) -> None:
    bring_in(workspace, many(12))
    page = look_at("Findings")
    assert "Nothing found. Every example follows the rules of the services." in words(page)
    assert "names of people and places are not" in words(page)
    assert not page.get("expander")
    assert not page.button


def test_kinds_stand_in_place_of_lines_errors_first(workspace: Workspace, flawed: Version) -> None:
    page = look_at("Findings")
    assert titles(page) == ["Extra keys · 2 examples", "Unknown roles · 1 example", "E-mail addresses · 1 example"]
    assert "The service refuses the whole file" in words(page)
    assert "Example 16" not in words(page)
    assert not drafts.last_revision(workspace, flawed.id)


def test_what_is_about_the_whole_file_comes_first_and_opens_no_example(workspace: Workspace) -> None:
    bring_in(workspace, many(3))
    page = look_at("Findings")
    assert "10" in page.text[0].value
    assert not {"Show", "Edit it"} & set(labels(page))
    assert "Nothing found" not in words(page)


def test_an_open_kind_shows_ten_examples_a_page(workspace: Workspace) -> None:
    bring_in(workspace, [{**data, "note": 1} for data in many(25)])
    page = look_at("Findings", kind_extra_key=True)
    told = [text.value for text in page.text]
    assert len(told) == 10
    assert told[0].startswith("Example 1 ")
    page.session_state["page_extra_key_3"] = 3
    told = [text.value for text in seen(page.run()).text]
    assert len(told) == 5
    assert told[0].startswith("Example 21 ")


def test_a_repair_shows_what_changes_and_changes_that_example_alone(workspace: Workspace, flawed: Version) -> None:
    before = data_of(workspace, flawed)
    page = look_at("Findings", kind_email=True)
    assert "jane" in words(page)
    assert plain("[e-mail]") in next(one.value for one in page.markdown if one.value.startswith(":green[+"))
    assert not drafts.last_revision(workspace, flawed.id)
    press(page, "one_email_18_0")
    after = data_of(workspace, flawed)
    assert [at for at in range(len(before)) if before[at] != after[at]] == [17]
    assert "jane" not in str(after[17])
    assert "E-mail addresses" not in str(titles(page))
    assert "Repaired example 18." in words(page)


def test_repairing_all_of_a_kind_is_one_step_and_its_undo_takes_back_that_step(
    workspace: Workspace, flawed: Version
) -> None:
    before = data_of(workspace, flawed)
    page = look_at("Findings", kind_extra_key=True)
    assert "**Changes 2 examples**, in one step that can be undone." in words(page)
    press(page, "do_extra_key")
    after = data_of(workspace, flawed)
    assert [at for at in range(len(before)) if before[at] != after[at]] == [15, 16]
    assert drafts.history(workspace, flawed.id).steps == 1
    assert "Extra keys: repaired 2 examples." in words(page)
    press(page, "undo_repair")
    assert data_of(workspace, flawed) == before
    assert "repaired 2 examples" not in words(page)
    assert "Extra keys · 2 examples" in titles(page)


def test_undo_is_not_offered_for_what_was_done_since(workspace: Workspace, flawed: Version) -> None:
    page = look_at("Findings", kind_extra_key=True)
    press(page, "do_extra_key")
    drafts.remove(workspace, flawed.id, 0, 0)
    seen(page.run())
    assert "Undo" not in labels(page)
    assert "repaired 2 examples" not in words(page)


def test_a_repair_of_what_was_changed_meanwhile_overwrites_nothing(workspace: Workspace, flawed: Version) -> None:
    page = look_at("Findings", kind_email=True)
    drafts.change(workspace, flawed.id, 17, chat("Mine.", "Own."), 0)
    press(page, "one_email_18_0")
    assert "Nothing was overwritten" in page.error[0].value
    assert data_of(workspace, flawed)[17] == chat("Mine.", "Own.")


def test_what_has_no_repair_offers_to_edit_it(workspace: Workspace, flawed: Version) -> None:
    page = look_at("Findings", kind_unknown_role=True)
    [button] = [one for one in page.button if one.label in ("Edit it", "Show")]
    assert button.label == "Edit it"
    assert not [label for label in labels(page) if "Repair" in label]
    seen(button.click().run())
    assert "Opened: 18" in words(page)
    assert not drafts.last_revision(workspace, flawed.id)


def test_a_leak_is_repaired_in_training(workspace: Workspace) -> None:
    made = bring_in(workspace, [chat("Same?", "a"), *many(12), chat("Same?", "b")], validation=[13])
    page = look_at("Findings", kind_leak=True)
    assert "those held out stay" in words(page)
    assert "Removes example 1." in words(page)
    press(page, "one_leak_14_None")
    assert [at for at, data in enumerate(data_of(workspace, made)) if data is None] == [0]
    assert "Removed example 1." in words(page)
    assert not titles(page)


def test_examples_that_a_repair_cannot_mend_are_counted(workspace: Workspace) -> None:
    roles = ["human", "wizard"]
    made = bring_in(
        workspace,
        [*many(12), *({"messages": [{"role": one, "content": "x"}, *chat()["messages"]]} for one in roles)],
    )
    before = data_of(workspace, made)
    page = look_at("Findings", kind_unknown_role=True)
    press(page, "do_unknown_role")
    assert "repaired 1 example. 1 example stayed" in words(page)
    after = data_of(workspace, made)
    assert after[12]["messages"][0]["role"] == "user"
    assert after[13] == before[13]


def test_a_kind_is_shown_in_the_table_alone(workspace: Workspace, flawed: Version) -> None:
    page = look_at("Findings", kind_extra_key=True, search="left over", filter_edited=True)
    press(page, "table_extra_key")
    assert list(page.dataframe[0].value["Line"]) == [16, 17]
    assert page.text_input(key="search").value == ""


def test_a_finding_in_an_example_repairs_it_there(workspace: Workspace, flawed: Version) -> None:
    page = look_at("Examples", place=15)
    assert "Example 16" in words(page)
    assert not {"Show", "Edit it"} & set(labels(page))
    press(page, "one_extra_key_16_None")
    assert [one for one in data_of(workspace, flawed) if "note" in one] == [{**chat("Extra 1?", "Yes."), "note": 1}]


def test_near_duplicates_of_a_large_file_are_looked_for_when_asked(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.dataset.assessment.LOOKED_THROUGH", 5)
    monkeypatch.setattr("lib.dataset.desk.LOOKED_THROUGH", 5)
    long = "Please tell me at which counter of the great hall the train to the north of the island leaves this evening"
    bring_in(workspace, [*many(12), chat(f"{long}.", "Nine."), chat(f"{long}!", "Nine.")])
    page = look_at("Findings")
    assert not titles(page)
    press(page, "look_for_near_findings")
    assert titles(page) == ["Near duplicates · 1 example"]
    assert "look_for_near_findings" not in [button.key for button in page.button]


def test_hostile_text_stays_text(workspace: Workspace) -> None:
    hostile = "![x](http://evil.example/x.png) :red[a] <script>"
    bring_in(workspace, [{**chat(hostile, hostile), hostile: hostile}, *many(12)])
    page = look_at("Findings", kind_extra_key=True)
    for kind in ("markdown", "caption"):
        assert not [one for one in page.get(kind) if "![x](http" in one.value or "<script>" in one.value]


def test_drawing_findings_takes_a_page_of_them_whatever_there_are(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(workspace, [{**data, "note": 1} for data in many(60)])
    page = look_at("Findings", kind_extra_key=True)
    asked: list[int] = []
    findings = Desk.findings

    def noted(self: Desk, positions: Any, limit: int | None = None) -> Any:
        asked.extend(positions)
        return findings(self, positions, limit)

    monkeypatch.setattr(Desk, "findings", noted)
    seen(page.run())
    assert asked == list(range(10))
