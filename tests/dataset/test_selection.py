"""What is chosen from a desk, against a plain look at every example."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lib.dataset import drafts, shelf
from lib.dataset.desk import Desk
from lib.dataset.selection import ANY, EVERYTHING, ORDERS, OTHER, Filter, Order, select
from lib.dataset.shelf import Version
from lib.tokens.batch import batch_counter
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many


@pytest.fixture
def version(ws: Workspace) -> Version:
    examples = [
        *many(12),
        chat("Who?", "Me.", system="Be brief."),
        {**chat("What?", "That."), "extra": 1},
        chat("A much longer question that takes many more tokens than any other one here does.", "Yes."),
        {"messages": [{"role": "wizard", "content": "x"}, *chat()["messages"]]},
    ]
    return shelf.bring_in(ws, lines_of(examples), "some.jsonl", validation=[0, 3])


@pytest.fixture
def desk(ws: Workspace, version: Version) -> Desk:
    return Desk(ws, version, counter=batch_counter("o200k_base"))


def chosen(desk: Desk, wanted: Filter = EVERYTHING, order: Order = "line", limit: int | None = None) -> list[int]:
    places: list[int] = select(desk, wanted, order, limit=limit).tolist()
    return places


def test_nothing_asked_for_is_everything_in_its_order(desk: Desk) -> None:
    assert chosen(desk) == list(range(16))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(finding="extra_key"), [13]),
        (Filter(finding="unknown_role"), [15]),
        (Filter(finding="duplicate"), []),
        (Filter(finding="no such kind"), []),
        (Filter(role="system"), [12]),
        (Filter(role=OTHER), [15]),
        (Filter(split="validation"), [0, 3]),
        (Filter(split="training", role="system"), [12]),
        (Filter(split="validation", role="system"), []),
        (Filter(messages=(3, None)), [12, 15]),
        (Filter(messages=(4, None)), []),
        (Filter(tokens=(26, None)), [14]),
        (Filter(edited=True), []),
        (Filter(removed=True), []),
        (Filter(label=("", "no such label")), []),
    ],
)
def test_only_what_is_asked_for_is_chosen(desk: Desk, wanted: Filter, expected: list[int]) -> None:
    assert chosen(desk, wanted) == expected


def test_any_finding_is_every_kind(desk: Desk) -> None:
    found = {int(at) for places in desk.assessed.found().values() for at in places}
    assert {13, 15} <= found
    assert chosen(desk, Filter(finding=ANY)) == sorted(found)


def test_a_limit_makes_findings_and_cuts_tokens(desk: Desk) -> None:
    assert chosen(desk, Filter(finding="over_token_limit"), limit=25) == [14]
    assert chosen(desk, Filter(finding="over_token_limit")) == []
    assert chosen(desk, Filter(tokens=(26, None)), limit=25) == []


def test_a_text_is_looked_for_among_what_holds_it(desk: Desk) -> None:
    holding = np.array([3, 12, 14, 999], np.int32)
    assert select(desk, Filter(text="x"), holding=holding).tolist() == [3, 12, 14]
    assert select(desk, Filter(text="x", split="training"), holding=holding).tolist() == [12, 14]


def test_edits_and_removals_are_followed(ws: Workspace, version: Version, desk: Desk) -> None:
    drafts.change(ws, version.id, 2, chat("Now with a system message", "Yes.", system="Be kind."), 0)
    drafts.remove(ws, version.id, 12, 0)
    added = drafts.add(ws, version.id, chat("New?", "New."))
    desk.follow()
    assert chosen(desk, Filter(edited=True)) == [2, added]
    assert chosen(desk, Filter(removed=True)) == [12]
    assert chosen(desk, Filter(role="system")) == [2]
    assert chosen(desk, Filter(split="training"))[-1] == added
    assert 12 not in chosen(desk, Filter(split="training"))
    assert chosen(desk) == list(range(added + 1))


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_sorts_stably_and_loses_nobody(ws: Workspace, version: Version, desk: Desk, order: Order) -> None:
    drafts.remove(ws, version.id, 14, 0)
    desk.follow()
    columns = desk.assessed.columns
    values: dict[str, Any] = {
        "tokens": columns.tokens,
        "messages": columns.messages,
        "length": columns.size,
        "line": np.arange(16),
    }
    name = {"most_tokens": "tokens", "most_messages": "messages", "longest": "length"}.get(order, order)
    sign = 1 if name == order else -1
    expected = sorted(set(range(16)) - {14}, key=lambda at: (sign * int(values[name][at]), at))
    found = chosen(desk, order=order)
    assert [at for at in found if at != 14] == expected
    assert found.index(14) == (14 if order == "line" else 15)


def test_a_label_is_that_of_its_field(ws: Workspace) -> None:
    answers = ["yes", "no"] * 15 + ["perhaps"]
    made = shelf.bring_in(ws, lines_of([chat(f"Is it {n}?", answer) for n, answer in enumerate(answers)]), "a.jsonl")
    desk = Desk(ws, made)
    assert chosen(desk, Filter(label=("", "no"))) == list(range(1, 30, 2))
    assert chosen(desk, Filter(label=("", "perhaps"))) == [30]
    assert chosen(desk, Filter(label=("other field", "no"))) == []
    drafts.change(ws, made.id, 30, chat("Is it 30?", "no"), 0)
    desk.follow()
    assert chosen(desk, Filter(label=("", "perhaps"))) == []
    assert chosen(desk, Filter(label=("", "no")))[-1] == 30
