from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.convert.conversion import Conversion, Preview, Unconvertible, preview, recognise
from lib.dataset.convert.dialects import DIALECTS
from lib.dataset.convert.roles import ROLES, Roles
from lib.dataset.example import encode
from lib.errors import DataError
from tests.dataset.conversations import chat, many, pair

Data = dict[str, Any]
ALPACA = {"instruction": "a", "input": "", "output": "b"}


@pytest.mark.parametrize(
    ("sample", "table", "name"),
    [
        ([ALPACA] * 3, False, "Alpaca"),
        ([ALPACA] * 3, True, "Alpaca"),
        ([{"question": "a", "answer": "b"}], False, "question and answer"),
        ([{"question": "a", "answer": "b"}], True, "a table"),
        ([{"prompt": [{"role": "user", "content": "a"}], "completion": "b"}], True, "prompt and completion"),
        ([{"messages": json.dumps(chat()["messages"]), "id": "1"}], True, "messages in other words"),
        ([{"Kundenanfrage": "a", "Antwort": "b"}], False, "a table"),
        ([{"whatever": "a", "else": "b"}], True, "a table"),
        ([ALPACA, ALPACA, chat()], False, "Alpaca"),
    ],
)
def test_a_file_is_recognised_by_most_of_its_examples(sample: list[Data], table: bool, name: str) -> None:
    conversion = recognise(sample, table=table)
    assert conversion is not None
    assert conversion.name == name
    assert conversion.becomes.endswith(".")


@pytest.mark.parametrize(
    ("sample", "table"),
    [
        ([], False),
        ([], True),
        (many(3), False),
        (many(3), True),
        ([pair()], False),
        ([{"whatever": "a", "else": "b"}], False),
        ([{"mesages": []}], False),
        ([{"role": "user", "content": "a"}], False),
        ([*many(3), ALPACA], False),
    ],
)
def test_what_needs_no_conversion_or_is_unknown_has_none(sample: list[Data], table: bool) -> None:
    assert recognise(sample, table=table) is None


def test_only_the_first_hundred_are_looked_at() -> None:
    assert recognise([ALPACA] * 100 + many(200)) == Conversion(dialect="Alpaca")


def test_each_example_is_converted_whatever_its_neighbours_are() -> None:
    conversion = Conversion(dialect="Alpaca")
    assert conversion.convert(ALPACA) == chat("a", "b")
    assert conversion.convert(chat()) == chat()
    assert conversion.convert({"question": "a", "answer": "b"}) == chat("a", "b")
    assert conversion.convert({"x": 1}, 7) == Unconvertible("is not in the format Alpaca", 7)


def test_a_row_without_an_answer_says_so_with_its_number() -> None:
    conversion = recognise([{"question": "a", "answer": "b"}], table=True)
    assert conversion is not None
    made = conversion.convert({"question": "a", "answer": ""}, 12)
    assert isinstance(made, Unconvertible)
    assert made.text == "Row 12 has no answer: “answer” is empty."
    assert Unconvertible("has no answer").text == "The example has no answer."


def test_a_preview_shows_what_becomes_of_the_first_and_what_is_lost() -> None:
    held = [ALPACA | {"id": 1}, {"instruction": "a", "output": ""}, ALPACA]
    shown = preview(held, Conversion(dialect="Alpaca"), 2)
    assert shown == (
        Preview(held[0], chat("a", "b"), ("id",)),
        Preview(held[1], None, ("instruction", "output"), "has nothing in “output”"),
    )


def test_too_deep_an_example_is_said() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    assert Conversion(dialect="Alpaca").convert({"instruction": "a", "output": deep}) == Unconvertible(
        "is nested too deeply"
    )


@given(st.lists(st.tuples(st.text(max_size=5), st.sampled_from(ROLES)), max_size=4, unique_by=lambda one: one[0]))
def test_a_conversion_is_kept_as_json(roles: list[Any]) -> None:
    for conversion in (Conversion(roles=Roles(tuple(roles))), *(Conversion(dialect=one.name) for one in DIALECTS)):
        assert Conversion.from_json(json.loads(json.dumps(conversion.as_json()))) == conversion


@pytest.mark.parametrize("kept", [None, 3, {}, {"dialect": "nobody's"}, {"roles": {"a": "king"}}, {"roles": []}])
def test_what_is_no_conversion_is_not_taken_for_one(kept: Any) -> None:
    with pytest.raises(DataError, match="none that is known"):
        Conversion.from_json(kept)


cells = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.integers(), max_size=2)


@given(st.lists(st.dictionaries(st.sampled_from(["question", "Text", "label", "x", "y"]), cells), max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_table_has_a_conversion_that_makes_chats_or_says_why(table: list[Data]) -> None:
    conversion = recognise(table, table=True)
    for data in table if conversion is not None else ():
        made = conversion.convert(data)  # type: ignore[union-attr]
        if isinstance(made, Unconvertible):
            assert made.why
        else:
            assert [entry["role"] for entry in made["messages"]][-2:] == ["user", "assistant"]
            assert encode(made)
