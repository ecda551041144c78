from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib.dataset.check import check
from lib.dataset.convert.conversion import Conversion
from lib.dataset.example import encode
from lib.dataset.export_csv import write_csv
from lib.dataset.export_parquet import write_parquet
from lib.dataset.export_row import Row
from lib.dataset.finding import Findings
from lib.dataset.jsonl import Lines
from lib.dataset.reading import converted, read
from tests.dataset.conversations import chat, lines_of, many, pair

ALPACA = {"instruction": "Say", "output": "So.", "source": "x"}


def told(*raws: bytes, conversion: Conversion, folder: Path) -> tuple[list[bytes], list[tuple[str, int | None]]]:
    """The lines that are written, and what is told of the others."""
    found = Findings()
    lines = converted(Lines.of(raws), conversion, folder / "out.jsonl", found)
    return list(lines.raws()), [(one.code, one.line) for one in found.kept()]


def test_the_keys_of_a_table_without_a_place_are_told_with_how_often_they_stand_there() -> None:
    rows = b"".join(b"%d,Where is %d?,Here,%s\n" % (n, n, b"x" if n < 3 else b"") for n in range(12))
    reading = read(b"id,question,answer,remark\n" + rows, "a.csv")
    [finding] = reading.problems
    assert (finding.code, finding.severity, finding.line) == ("keys_left_out", "info", None)
    assert finding.text == "No place in the examples: “id” (12 times), “remark” (3 times)."
    assert check(reading.lines, problems=reading.problems, totals=reading.totals).ok


def test_a_table_with_a_place_for_everything_has_nothing_told() -> None:
    rows = b"".join(b"Where is %d?,Here\n" % n for n in range(12))
    assert read(b"question,answer\n" + rows, "a.csv").problems == ()


def test_a_repeated_key_is_told_of_a_line_that_is_converted_and_once_of_one_that_is_not(tmp_path: Path) -> None:
    native = encode(chat())[:-1] + b', "tools": [], "tools": []}'
    raws = [b'{"instruction": "a", "instruction": "b", "output": "c"}', native]
    lines, problems = told(*raws, conversion=Conversion("Alpaca"), folder=tmp_path)
    assert [json.loads(raw) for raw in lines] == [chat("b", "c"), {**chat(), "tools": []}]
    assert lines[1] == native
    # What keeps its bytes is told by whoever reads them.
    assert problems == [("repeated_key", 1)]


def test_what_makes_no_example_is_told_and_its_keys_are_not(tmp_path: Path) -> None:
    raws = [encode({**ALPACA, "output": ""}), b"{oops", encode(ALPACA)]
    lines, problems = told(*raws, conversion=Conversion("Alpaca"), folder=tmp_path)
    assert [json.loads(raw) for raw in lines] == [chat("Say", "So.")]
    assert problems == [("keys_left_out", None), ("row_left_out", 1), ("invalid_json", 2)]


def test_what_json_cannot_say_makes_no_example_and_breaks_nothing(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    tools = "[{'name': 'f', 'parameters': {'most': %s}}]"
    raws = [encode({"conversations": turns, "tools": tools % number}) for number in ("1e999", "1")]
    lines, problems = told(*raws, conversion=Conversion("ShareGPT"), folder=tmp_path)
    assert (len(lines), problems) == (1, [("row_left_out", 1)])


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_our_own_export_is_read_as_the_examples_that_were_exported(form: str, tmp_path: Path) -> None:
    for number, examples in enumerate((many(12), [pair(f"Which {n}?") for n in range(12)])):
        path = tmp_path / f"{number}.{form}"
        rows = (Row(n, encode(data), n > 10) for n, data in enumerate(examples, start=1))
        if form == "csv":
            write_csv(rows, path, "dpo" if number else "supervised")
        else:
            write_parquet(rows, path)
        reading = read(path, path.name)
        assert [json.loads(raw) for raw in reading.lines.raws()] == examples
        assert reading.problems == ()


def test_lines_that_are_examples_are_read_as_they_stand() -> None:
    reading = read(lines_of(many(10)), "a.jsonl")
    assert (reading.conversion, reading.problems, len(reading.lines)) == (None, (), 10)
