from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lib.dataset.source.intake import Limits
from lib.errors import ArrivalStopped, UnreadableFile
from tests.dataset.conversations import chat
from tests.dataset.source.arrivals import arrive
from tests.dataset.source.workbooks import xls, xlsx


def parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_cells_are_what_people_see_in_them() -> None:
    head = ["question", "answer", "count", "share", "day", "at", "sum", "done"]
    day, at = '<c r="{at}" s="1"><v>45000</v></c>', '<c r="{at}" s="2"><v>45000.5</v></c>'
    total = '<c r="{at}"><f>1+1</f><v>2</v></c>'
    book = xlsx({"A": [head, ["Grüße\nan", " b", 3.0, 0.1 + 0.2, day, at, total, True], ["c", "d"]]})
    arrival = arrive(book, "a.xlsx")
    assert arrival.source.columns == tuple(head)
    first, second = arrival.values
    assert list(first.values()) == ["Grüße\nan", " b", 3, 0.3, "2023-03-15", "2023-03-15 12:00:00", 2, True]
    assert [value for value in second.values() if value] == ["c", "d"]
    assert arrival.numbers == [2, 3]


def test_the_first_visible_sheet_with_cases_is_read_and_the_others_named() -> None:
    rows = [["question", "answer"], ["a", "b"]]
    sheets = {"Cover": [["Welcome"]], "Secret": rows, "Empty": [], "Cases": [["Title"], [], *rows, [], ["c", "d"]]}
    arrival = arrive(xlsx(sheets | {"More": rows}, hidden=["Secret"]), "a.xlsx")
    assert [row["question"] for row in arrival.values] == ["a", "c"]
    assert arrival.numbers == [4, 6]
    assert arrival.notes == ["other_sheets", "rows_above"]
    assert all(name in arrival.source.notes[0].text for name in ("Cover", "Secret", "Empty", "Cases", "More"))
    assert "Title" in arrival.source.notes[1].text


def test_a_cell_beyond_the_headings_is_a_problem_of_its_row() -> None:
    arrival = arrive(xlsx({"A": [["question", "answer"], ["a", "b"], ["c", "d", "stray"]]}), "a.xlsx")
    assert len(arrival.values) == 1
    assert arrival.problems == [("ragged_row", 3)]
    assert "stray" in arrival.source.problems[0].text


def test_an_old_workbook_is_read() -> None:
    arrival = arrive(xls([["question", "answer"], ["Grüße", "b"]]), "a.xls")
    assert arrival.values == [{"question": "Grüße", "answer": "b"}]


def test_a_parquet_table_keeps_what_is_nested_and_leaves_out_what_is_null() -> None:
    messages = [chat()["messages"], [{"role": "assistant", "content": "a", "name": "Kim"}]]
    content = parquet(
        {
            "messages": messages,
            "score": [1.5, None],
            "day": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3, 4, 5), None],
            "price": [Decimal("1.20"), None],
            "raw": [b"\xff", b"a"],
        }
    )
    arrival = arrive(content, "a.parquet")
    assert arrival.values == [
        {
            "messages": messages[0],
            "score": 1.5,
            "day": "2026-01-02",
            "at": "2026-01-02 03:04:05",
            "price": "1.20",
            "raw": "/w==",
        },
        {"messages": messages[1], "raw": "a"},
    ]
    assert arrival.numbers == [1, 2]
    assert arrival.source.columns == ("messages", "score", "day", "at", "price", "raw")


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (xlsx({"A": []}), "a.xlsx", "no sheet with rows"),
        (xlsx({"A": [["question", "answer"]]}), "a.xlsx", "no sheet with rows"),
        (xlsx({"A": [["a"]]})[:-40], "a.xlsx", "damaged or cut off"),
        (parquet({"a": [1]})[:-20], "a.parquet", "damaged or cut off"),
        (parquet({"a": pa.array([], pa.int64())}), "a.parquet", "has no rows"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(content: bytes, name: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words) as caught:
        arrive(content, name)
    assert caught.value.todo


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    book = io.BytesIO(xlsx({"A": [["question", "answer"], ["a", "b"]]}))
    with zipfile.ZipFile(book, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * 3_000_000)
    for limits in (replace(Limits(), ratio_from=1 << 20), replace(Limits(), sheet_expanded=1 << 20)):
        with pytest.raises(UnreadableFile, match="would become more than"):
            arrive(book.getvalue(), "a.xlsx", limits=limits)
    assert len(arrive(book.getvalue(), "a.xlsx").values) == 1


def test_a_workbook_that_would_need_all_memory_is_a_sentence() -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    book = xlsx({"A": [["question", "answer"], ["a", "b"]]}, extra=far)
    with pytest.raises(UnreadableFile, match="more than 1024 MB of memory"):
        arrive(book, "a.xlsx", limits=replace(Limits(), memory=1 << 30))


def test_a_parquet_table_that_grows_without_end_is_refused() -> None:
    content = parquet({"a": ["x" * 1000] * 20_000})
    assert len(content) < 20_000
    with pytest.raises(UnreadableFile, match="would become more than"):
        arrive(content, "a.parquet", limits=replace(Limits(), ratio_from=1 << 20))
    with pytest.raises(UnreadableFile, match="would become more than"):
        arrive(content, "a.parquet", limits=replace(Limits(), expanded=1 << 20))


def test_time_on_the_processor_ends() -> None:
    content = parquet({"a": ["x" * 10] * 3_000_000})
    with pytest.raises(UnreadableFile, match="took more than 1 seconds"):
        arrive(content, "a.parquet", limits=replace(Limits(), seconds=1))


def test_the_process_is_ended_when_the_person_stops() -> None:
    content = parquet({"a": ["x" * 10] * 1_000_000})
    told: list[int] = []
    with pytest.raises(ArrivalStopped):
        arrive(content, "a.parquet", progress=lambda done, _: told.append(done), stopped=lambda: len(told) > 2)
    assert told[-1] < len(content)


def test_the_process_has_no_key_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    from lib.dataset.source import sheets

    seen: list[dict[str, str]] = []
    real = sheets.subprocess.Popen

    def spying(*given: Any, **named: Any) -> Any:
        seen.append(named["env"])
        return real(*given, **named)

    monkeypatch.setattr(sheets.subprocess, "Popen", spying)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    arrive(parquet({"a": ["b"]}), "a.parquet")
    assert "sk-canary" not in str(seen)
    assert len(seen) == 1
