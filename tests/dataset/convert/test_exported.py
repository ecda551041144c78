from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.dataset.convert.conversion import Conversion, Unconvertible, recognise
from lib.dataset.convert.exported import EXPORTED
from lib.dataset.convert.exported import PARQUET as COLUMNS
from lib.dataset.example import Method, encode
from lib.dataset.export_csv import write_csv
from lib.dataset.export_row import Row
from lib.dataset.source.source import open_source
from tests.dataset.conversations import call, chat, pair, tool
from tests.dataset.shared import shared_file

Data = dict[str, Any]
TOOLS = {"messages": [*chat()["messages"][:1], {"role": "assistant", "tool_calls": [call()]}], "tools": [tool()]}


def came_back(data: list[Data], folder: Path, method: Method) -> list[Any]:
    write_csv([Row(n, encode(one), n == 2) for n, one in enumerate(data, start=1)], folder / "a.csv", method)
    source = open_source(folder / "a.csv", "a.csv", folder)
    assert source.problems == ()
    rows = [json.loads(line) for line in source.path.read_bytes().splitlines()]
    conversion = recognise(rows, table=True)
    assert conversion == Conversion(dialect=EXPORTED)
    assert all(conversion.preview(row).left_out == () for row in rows)
    return [conversion.convert(row) for row in rows]


@pytest.mark.parametrize(
    ("data", "method"),
    [
        ([chat("Why?", "So.", system="s"), chat("=1+1", "'- b"), chat("\u200b a", " b \n"), TOOLS], "supervised"),
        ([chat("Why?", ""), chat("", "So.")], "supervised"),
        ([pair(), pair("a\r\n,;", "b", "@c")], "dpo"),
    ],
)
def test_what_was_exported_comes_back_as_it_was(data: list[Data], method: Method, tmp_path: Path) -> None:
    assert came_back(data, tmp_path, method) == data


@pytest.mark.parametrize("name", ["toy_chat", "birds208", "drone_tools", "pirate10"])
def test_real_examples_come_back_as_they_were(name: str, tmp_path: Path) -> None:
    data = [json.loads(line) for line in shared_file(f"{name}.jsonl").read_bytes().splitlines()]
    assert came_back(data, tmp_path, "supervised") == data


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"example": "{broken"}, "cannot be read"),
        ({"example": "[]"}, "no object in “example”"),
    ],
)
def test_a_row_that_was_spoilt_says_so(change: Data, why: str) -> None:
    row = dict.fromkeys(("line", "split", "system", "question", "answer", "earlier", "example"), "x") | {"example": ""}
    made = Conversion(dialect=EXPORTED).convert(row | change)
    assert isinstance(made, Unconvertible)
    assert why in made.why


def test_a_table_without_one_of_the_columns_says_so() -> None:
    row = dict.fromkeys(("line", "split", "system", "question", "earlier", "example"), "x")
    made = Conversion(dialect=EXPORTED).convert(row)
    assert made == Unconvertible("has not all columns that it was exported with")


PARQUET = {"line": 1, "split": "training", "messages": [{"role": "user", "content": "a"}]}


def test_a_parquet_table_of_ours_is_known_by_its_columns_and_no_other_is() -> None:
    assert recognise([PARQUET], table=True, columns=COLUMNS) == Conversion(dialect=EXPORTED)
    assert recognise([PARQUET], table=True, columns=[*COLUMNS, "more"]) is None
    assert recognise([PARQUET]) is None


def test_a_row_of_parquet_is_the_example_without_its_place() -> None:
    made = Conversion(dialect=EXPORTED).preview(PARQUET)
    assert (made.after, made.left_out) == ({"messages": PARQUET["messages"]}, ())


def test_an_example_that_says_no_place_stays_as_it_is() -> None:
    assert Conversion(dialect=EXPORTED).convert({**chat(), "id": 1}) == {**chat(), "id": 1}


@pytest.mark.parametrize(
    "damage",
    [
        {"messages": ["a"]},
        {"messages": "a"},
        {"messages": [{"role": "assistant", "tool_calls": "[oops"}]},
        {"messages": None, "input": "{}"},
        {"tools": "[oops"},
        {"other": "[]"},
        {"other": 1},
    ],
)
def test_a_row_of_parquet_that_was_spoilt_says_so(damage: Data) -> None:
    made = Conversion(dialect=EXPORTED).convert(PARQUET | damage)
    assert made == Unconvertible("holds an example that was damaged since it was exported")
