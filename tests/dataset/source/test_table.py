from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lib.dataset.source.intake import Limits
from lib.errors import UnreadableFile
from tests.dataset.source.arrivals import Arrival, arrive


def table(text: str, name: str = "a.csv") -> Arrival:
    return arrive(text.encode(), name)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_cells_hold_separators_quotes_and_line_breaks(delimiter: str) -> None:
    arrival = table('question|answer\r\n"Größe|\r\nund ""Maß""?"|Groß.\r\n\r\nNoch?|Ja.'.replace("|", delimiter), "x")
    assert arrival.values == [
        {"question": f'Größe{delimiter}\r\nund "Maß"?', "answer": "Groß."},
        {"question": "Noch?", "answer": "Ja."},
    ]
    assert arrival.numbers == [2, 5]
    assert arrival.problems == []


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('question,answer\n"he said \\"hi\\", twice",b\n', {"question": 'he said "hi", twice', "answer": "b"}),
        ('question,answer\n"C:\\dir\\",b\n', {"question": "C:\\dir\\", "answer": "b"}),
        ('question, answer\n"a", "b, c"\n', {"question": "a", "answer": "b, c"}),
        ("sep=;\nquestion;answer\na,x;b,y\n", {"question": "a,x", "answer": "b,y"}),
        ("question,answer,\na,b,\n", {"question": "a", "answer": "b"}),
        ("question\tanswer\na, or, b\tc, or, d\n", {"question": "a, or, b", "answer": "c, or, d"}),
    ],
)
def test_tables_are_read_as_programs_write_them(text: str, row: dict[str, str]) -> None:
    arrival = table(text, "a.tsv" if "\t" in text else "a.csv")
    assert arrival.values == [row]
    assert arrival.problems == []


def test_headings_that_are_empty_or_twice_are_made_different_and_that_is_told() -> None:
    arrival = table("question,question,,b,\n1,2,3,4,\n")
    assert arrival.source.columns == ("question", "question (2)", "column 3", "b")
    assert arrival.notes == ["headings_changed"]


@pytest.mark.parametrize("first", ["It broke at once,repairs", "a story of 2026,1", "2026-01-02,x"])
def test_a_first_row_that_is_a_case_is_no_heading(first: str) -> None:
    arrival = table(f"{first}\nAnother one,repairs\nA third,2\n")
    assert arrival.source.columns == ("column 1", "column 2")
    assert len(arrival.values) == 3
    assert arrival.notes == ["no_headings"]
    assert table("text,label\nAnother one,label\n").notes == []


def test_rows_that_do_not_fit_are_named_and_the_rest_comes_in() -> None:
    text = 'question,answer\na,b\nc,d,e\nf\n"g ""h"" i",j\n"k "l" m",n\n"o,p\nq,r\n'
    arrival = table(text)
    assert [row["question"] for row in arrival.values] == ["a", 'g "h" i', "q"]
    assert arrival.numbers == [2, 5, 8]
    assert arrival.problems == [("ragged_row", 3), ("ragged_row", 4), ("broken_row", 6), ("broken_row", 7)]
    assert arrival.source.problems[0].text == "Line 3 has 3 cells, but there are 2 columns: “c | d | e”."
    assert '“"o,p”' in arrival.source.problems[3].text


def test_a_spoilt_letter_costs_its_row_only() -> None:
    content = "question,answer\nGrüße,ä\nx,é\n".encode() + b"caf\xe9,b\n" + "y,ß\n".encode()
    arrival = arrive(content, "a.csv")
    assert [row["question"] for row in arrival.values] == ["Grüße", "x", "y"]
    assert arrival.problems == [("invalid_utf8", 4)]
    assert "E9" in arrival.source.problems[0].text
    assert "café" in arrival.source.problems[0].text


def test_quotes_that_are_never_closed_cost_no_more_than_they_may() -> None:
    limits = replace(Limits(), cell=2000)
    broken = '"never,closed\n' * 3000
    arrival = arrive(f"question,answer\na,b\n{broken}c,d\n".encode(), "a.csv", limits=limits)
    assert arrival.values[0] == {"question": "a", "answer": "b"}
    assert set(dict(arrival.problems)) <= {"broken_row", "rest_not_read", "ragged_row"}


def test_a_line_without_end_is_not_loaded() -> None:
    limits = replace(Limits(), cell=1000)
    content = b"question,answer\na,b\n" + b"x," * 5000 + b"\nc,d\n"
    arrival = arrive(content, "a.csv", limits=limits)
    assert [row["question"] for row in arrival.values] == ["a", "c"]
    assert arrival.problems == [("line_too_long", 3)]
    long_cell = b'question,answer\n"' + b"x\n" * 1500 + b'",b\nc,d\n'
    assert {"question": "c", "answer": "d"} in arrive(long_cell, "a.csv", limits=limits).values


def test_names_of_columns_do_not_blow_up_the_rows() -> None:
    limits = replace(Limits(), ratio=5, ratio_from=10_000)
    with pytest.raises(UnreadableFile, match="would become more"):
        arrive(("question," + "x" * 199 + "\n" + "a,b\n" * 1000).encode(), "a.csv", limits=limits)


def test_headings_that_cannot_be_read_are_one_sentence() -> None:
    with pytest.raises(UnreadableFile, match=r"headings of a\.csv cannot be read"):
        table('"question"x,answer\na,b\n')


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.text(',;\t|"\n\r\\ a', max_size=6)


@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\r\n", "\n"]),
)
@settings(max_examples=100, deadline=None)
def test_what_a_program_writes_comes_back(
    rows: list[tuple[str, str]], delimiter: str, encoding: str, quotes: int, end: str
) -> None:
    assume(any(cell.strip() for row in rows for cell in row))
    # Python's writer puts no quotes around a carriage return where lines end without one.
    assume(quotes == csv.QUOTE_ALL or end == "\r\n" or not any("\r" in cell for row in rows for cell in row))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quotes, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([("question", "answer"), *rows])
    arrival = arrive(out.getvalue().encode(encoding), "a.csv")
    assert [tuple(row.values()) for row in arrival.values] == [row for row in rows if any(map(str.strip, row))]
    assert arrival.problems == []
