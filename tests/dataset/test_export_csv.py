from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.dataset.example import Method, encode
from lib.dataset.export_csv import COLUMNS, example_of, shielded, unshielded, write_csv
from lib.dataset.export_row import Row
from tests.dataset.conversations import call, chat, pair
from tests.dataset.shared import shared_file
from tests.dataset.unusual import EXAMPLES

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table_of(data: list[dict[str, Any]], path: Path, method: Method = "supervised") -> list[dict[str, str]]:
    write_csv([Row(n, encode(one), n == 2) for n, one in enumerate(data, start=1)], path, method)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_says_what_was_said_in_the_order_it_is_read(tmp_path: Path) -> None:
    first, second = table_of([chat("Why?", "So.", system="Be brief."), chat("Who, then?", "She.")], tmp_path / "a.csv")
    assert list(first.values()) == ["1", "training", "Be brief.", "Why?", "So.", "", ""]
    assert list(second.values()) == ["2", "validation", "", "Who, then?", "She.", "", ""]
    content = (tmp_path / "a.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf"), "without a mark Excel takes ü for Ã¼"
    assert content.count(b"\r\n") == 3


def test_what_columns_cannot_say_is_readable_and_whole(tmp_path: Path) -> None:
    data = {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "tool_calls": [call()]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
            {"role": "user", "content": [{"type": "text", "text": "This?"}, {"type": "image_url", "image_url": {}}]},
            {"role": "assistant", "content": "Sunny.", "weight": 0},
        ]
    }
    (row,) = table_of([data], tmp_path / "a.csv")
    assert row["question"] == "This?\n[image]"
    assert row["answer"] == "Sunny."
    assert row["earlier"] == 'user: Weather?\n\nassistant: [look_up {"what": "weather"}]\n\ntool: sun'
    assert json.loads(row["example"]) == data


def test_both_answers_of_a_pair_have_a_column(tmp_path: Path) -> None:
    (row,) = table_of([pair("Which?", "This.", "That.")], tmp_path / "a.csv", "dpo")
    assert (row["question"], row["preferred"], row["rejected"], row["example"]) == ("Which?", "This.", "That.", "")
    assert example_of(row) == pair("Which?", "This.", "That.")


@pytest.mark.parametrize("sign", DANGEROUS)
def test_no_cell_begins_as_a_formula_does(sign: str, tmp_path: Path) -> None:
    said = f'{sign}HYPERLINK("x")'
    (row,) = table_of([chat(said, f"''{said}", system=f"{sign}")], tmp_path / "a.csv")
    assert not [cell for cell in row.values() if cell.startswith(DANGEROUS)]
    assert example_of(row) == chat(said, f"''{said}", system=f"{sign}")


@given(st.text(alphabet="'=+-@\t\r\nab ", max_size=6) | st.text(max_size=6))
def test_shielding_can_be_undone(text: str) -> None:
    cell = shielded(text)
    assert not cell.startswith(DANGEROUS)
    assert unshielded(cell) == text


@given(data=st.lists(EXAMPLES, min_size=1, max_size=4), method=st.sampled_from(sorted(COLUMNS)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_example_comes_back(data: list[dict[str, Any]], method: Method, tmp_path: Path) -> None:
    rows = table_of(data, tmp_path / "a.csv", method)
    assert [encode(example_of(row)) for row in rows] == [json_again(one) for one in data]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(DANGEROUS)]


def json_again(data: dict[str, Any]) -> bytes:
    """The example as it is once it was a line."""
    return encode(json.loads(encode(data)))


@pytest.mark.parametrize("name", ["toy_chat", "birds208", "nebius800", "pirate10"])
def test_real_examples_come_back_row_by_row(name: str, tmp_path: Path) -> None:
    data = [json.loads(line) for line in shared_file(f"{name}.jsonl").read_bytes().splitlines()]
    rows = table_of(data, tmp_path / "a.csv")
    assert [example_of(row) for row in rows] == data
