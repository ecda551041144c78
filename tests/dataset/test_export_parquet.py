from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.dataset import export_parquet
from lib.dataset.example import encode
from lib.dataset.export_parquet import example_of, write_parquet
from lib.dataset.export_row import Row
from tests.dataset.conversations import call, chat, many, pair
from tests.dataset.shared import shared_file
from tests.dataset.unusual import EXAMPLES


def table_of(data: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    write_parquet([Row(n, encode(one), n == 2) for n, one in enumerate(data, start=1)], path)
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


def test_messages_are_a_list_of_records(tmp_path: Path) -> None:
    first, second = table_of([chat("Why?", "So."), chat("Who?", "She.")], tmp_path / "a.parquet")
    assert (first["line"], first["split"], second["split"]) == (1, "training", "validation")
    assert [(one["role"], one["content"]) for one in first["messages"]] == [("user", "Why?"), ("assistant", "So.")]
    assert first["other"] is None
    assert first["preferred_output"] is None


def test_calls_and_tools_are_json_and_weights_numbers(tmp_path: Path) -> None:
    data = {"messages": [{"role": "assistant", "tool_calls": [call()], "weight": 0}], "tools": [{"type": "function"}]}
    (row,) = table_of([data], tmp_path / "a.parquet")
    assert json.loads(row["messages"][0]["tool_calls"]) == [call()]
    assert (row["messages"][0]["weight"], json.loads(row["tools"])) == (0, data["tools"])


def test_a_pair_has_its_question_as_messages(tmp_path: Path) -> None:
    (row,) = table_of([pair("Which?")], tmp_path / "a.parquet")
    assert row["messages"][0]["content"] == "Which?"
    assert row["non_preferred_output"][0]["content"] == "That."


@given(data=st.lists(EXAMPLES, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_example_comes_back(data: list[dict[str, Any]], tmp_path: Path) -> None:
    back = [example_of(row) for row in table_of(data, tmp_path / "a.parquet")]
    assert [sorted_json(one) for one in back] == [sorted_json(json.loads(encode(one))) for one in data]


def sorted_json(data: dict[str, Any]) -> str:
    """The example as text in which only the order of keys does not count."""
    return json.dumps(data, sort_keys=True)


def test_it_is_written_a_batch_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_parquet, "BATCH_ROWS", 10)
    assert [example_of(row) for row in table_of(many(35), tmp_path / "a.parquet")] == many(35)
    assert pyarrow.parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups == 4
    monkeypatch.setattr(export_parquet, "BATCH_BYTES", 1)
    table_of(many(5), tmp_path / "a.parquet")
    assert pyarrow.parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups == 5


@pytest.mark.parametrize("name", ["toy_chat", "drone_tools", "dpo12", "nebius800", "foreign_sharegpt_tools72"])
def test_real_examples_come_back(name: str, tmp_path: Path) -> None:
    data = [json.loads(line) for line in shared_file(f"{name}.jsonl").read_bytes().splitlines()]
    assert [example_of(row) for row in table_of(data, tmp_path / "a.parquet")] == data
