from __future__ import annotations

from typing import Any

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.editing.system_prompt import Mode, set_system, set_system_in_all
from lib.errors import DataError
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, pair

WITHOUT, WITH, NEW = chat(), chat(system="Old."), chat(system="New.")


@pytest.mark.parametrize(
    ("data", "mode", "after"),
    [
        (WITHOUT, "add", NEW),
        (WITHOUT, "replace", WITHOUT),
        (WITHOUT, "both", NEW),
        (WITH, "add", WITH),
        (WITH, "replace", NEW),
        (WITH, "both", NEW),
        ({"messages": []}, "both", {"messages": []}),
        ({"messages": "none"}, "both", {"messages": "none"}),
        ({"prompt": "a", "completion": "b"}, "both", {"prompt": "a", "completion": "b"}),
    ],
)
def test_a_prompt_goes_where_the_mode_says(data: dict[str, Any], mode: Mode, after: dict[str, Any]) -> None:
    assert set_system(data, "New.", mode) == after


def test_the_input_of_a_pair_gets_it() -> None:
    made = set_system(pair(), "New.", "add")
    assert made["input"]["messages"][0] == {"role": "system", "content": "New."}
    assert {**made, "input": None} == {**pair(), "input": None}


def test_reinforcement_gets_it_from_the_developer() -> None:
    data = {"messages": [{"role": "user", "content": "a"}], "answer": 1}
    made = set_system(data, "New.", "add")
    assert made["messages"][0] == {"role": "developer", "content": "New."}
    assert set_system(made, "Newer.", "replace")["messages"][0] == {"role": "developer", "content": "Newer."}


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(DataError, match="is empty"):
        set_system(chat(), " \n", "both")


def test_all_examples_get_it_in_one_step(ws: Workspace) -> None:
    held = shelf.bring_in(ws, lines_of([WITHOUT, NEW, WITH]), "a.jsonl")
    drafts.remove(ws, held.id, 2, 0)
    number = drafts.change_all(ws, held.id, set_system_in_all(drafts.walk(ws, held.id), "New.", "both"))
    assert number == 1, "neither the one that has it already nor the removed one"
    assert [one.example and one.example.data for one in drafts.current(ws, held.id, 0, 3)] == [NEW, NEW, None]
