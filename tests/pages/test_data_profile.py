"""Profile: the numbers of the examples as they are now, and the ways from a number to its examples."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lib.dataset import drafts, shelf
from lib.dataset.languages import Language, Languages
from lib.dataset.shelf import Version
from lib.ui import data_profile
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many
from tests.pages.conftest import words
from tests.pages.data_views import checked, click, labels, opened


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling languages takes a second; it has its own tests."""
    found = Languages((Language("English", 0.9, 18),), 2, 20, 50)
    monkeypatch.setattr(data_profile, "languages", lambda *_, **__: found)


def bring_in(ws: Workspace, examples: list[dict[str, Any]], **more: Any) -> Version:
    return shelf.bring_in(ws, lines_of(examples), "cases.jsonl", **more)


def profile() -> AppTest:
    return opened("data_profile", "show(work)")


def figures(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def chart(page: AppTest) -> dict[str, Any]:
    [found] = page.get("plotly_chart")
    held: dict[str, Any] = json.loads(found.proto.spec)
    return held


def test_figures_are_those_of_the_examples(workspace: Workspace) -> None:
    bring_in(workspace, [*many(19), chat("Hello?", "Yes.", system="Be kind.")], validation=[0, 1])
    page = profile()
    assert figures(page)["Examples"] == "20"
    assert figures(page)["Messages"] == "41"
    assert "18 training, 2 validation" in words(page)
    assert "user, assistant in every example" in words(page)
    assert "English 90%" in words(page)
    assert "a sample of 20" in words(page)
    assert [trace["name"] for trace in chart(page)["data"]] == ["Training", "Validation"]


def test_without_validation_nothing_is_said_of_it(workspace: Workspace) -> None:
    bring_in(workspace, many(20))
    page = profile()
    assert "none held out" in words(page)
    assert [trace["name"] for trace in chart(page)["data"]] == ["Training"]
    assert "Labels" not in words(page)
    assert "cut off" not in words(page)


def test_an_edit_shows_and_a_removed_example_is_gone(workspace: Workspace) -> None:
    version = bring_in(workspace, [chat("Odd?", "Very.", system="Be odd."), *many(19)])
    page = profile()
    assert page.dataframe[0].value["System prompt"].tolist() == ["Be odd."]
    drafts.change_all(workspace, version.id, [(0, None, 0)])
    checked(page.run())
    assert figures(page)["Examples"] == "19"
    assert "No example has a system prompt." in words(page)


def test_everything_removed_is_one_sentence(workspace: Workspace) -> None:
    version = bring_in(workspace, many(3))
    drafts.change_all(workspace, version.id, [(place, None, 0) for place in range(3)])
    page = profile()
    assert "nothing to describe" in words(page)
    assert not page.metric


def test_a_role_that_some_have_leads_to_those(workspace: Workspace) -> None:
    bring_in(workspace, [*many(19), chat("Hello?", "Yes.", system="Be kind.")])
    page = profile()
    assert "role_user" not in [button.key for button in page.button]
    click(page, "role_system")
    assert page.session_state["filter_role"] == "system"
    assert page.session_state["data_view"] == "Table"
    assert page.session_state["search"] == ""


def test_the_longest_example_opens(workspace: Workspace) -> None:
    bring_in(workspace, [*many(15), chat("long " * 90, "Yes."), *many(4)])
    page = click(profile(), "Longest_15")
    assert page.session_state["place"] == 15
    assert page.session_state["data_view"] == "Examples"


def test_what_the_model_does_not_read_is_told_and_leads_there(workspace: Workspace) -> None:
    bring_in(workspace, [*many(15), chat("long " * 4000, "Yes.")])
    page = profile()
    assert "1 example longer than the" in words(page)
    click(page, "show_cut")
    assert page.session_state["filter_finding"] == "over_token_limit"


def test_labels_have_their_numbers_on_each_side(workspace: Workspace) -> None:
    bring_in(workspace, [chat(f"Case {n}", "yes" if n % 3 else "no") for n in range(30)], validation=range(3))
    table = profile().dataframe[0].value
    assert table[["Label", "Examples", "Training", "Validation"]].values.tolist() == [
        ["yes", 20, 18, 2],
        ["no", 10, 9, 1],
    ]


def test_hostile_texts_are_never_markdown(workspace: Workspace) -> None:
    hostile = "![x](http://evil.example/x.png) <script>alert(1)</script>"
    bring_in(workspace, [chat(f"{hostile} {n}", json.dumps({hostile: "a"}), system=hostile) for n in range(30)])
    page = profile()
    said = [str(one.value) for one in (*page.markdown, *page.caption)]
    assert not [text for text in said if "![x](http" in text or "<script>" in text]
    assert page.dataframe[1].value["System prompt"].tolist() == [hostile]
    assert not [label for label in labels(page) if "evil" in label]
