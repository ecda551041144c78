from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.source.source import open_source
from lib.errors import ArrivalStopped, UnreadableFile
from tests.dataset.conversations import chat, lines_of, many
from tests.dataset.source.arrivals import arrive
from tests.dataset.source.workbooks import xlsx

CHATS = [chat("Grüße\u2028aus\u0085Köln", "Hallo 😀."), chat("a\nb", "\t")]
PLAIN = lines_of(CHATS)
TABLE = "question;answer\r\nGrüße;€ 5\r\n"
ROWS = [{"question": "Grüße", "answer": "€ 5"}]


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN.replace(b"\n", b"\r\n"),
        b"\n \r\n" + PLAIN.replace(b"\n", b"\n\n\t\n"),
        lines_of([{"data": [1, 2]}, {"data": [3]}]),
        lines_of([{"data": [{"a": 1}]}, {"data": [{"a": 1}]}]),
        b'{"broken": \n' + PLAIN,
        b'{"a": "caf\xe9"}\n' + PLAIN,
        b'{"a": NaN}\n{"b": ' + b"9" * 5000 + b'}\n{"b": 1, "b": 2}\n{"c": "\\ud83d"}\n',
        b'{"a": ' + b"[" * 20_000 + b"\n" + PLAIN,
        b"[1, 2]\n[3]\n" + PLAIN,
        b"what is this?\n" + PLAIN,
    ],
)
def test_a_file_of_lines_is_taken_as_it_is(content: bytes) -> None:
    arrival = arrive(content)
    assert arrival.untouched
    assert arrival.source.kind == "lines"
    assert arrival.numbers is None
    assert arrival.notes == arrival.problems == []


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_is_the_same_lines(encoding: str, end: str) -> None:
    text = PLAIN.decode().rstrip().replace("\n", end)
    arrival = arrive(text.encode(encoding))
    assert arrival.values == CHATS
    assert arrival.notes == ([] if encoding == "utf-8-sig" else ["not_utf8"])
    assert arrival.problems == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("name", ["cases.csv", "pasted", "cases.txt"])
def test_a_table_is_one_in_every_encoding_and_by_any_name(encoding: str, name: str) -> None:
    arrival = arrive(TABLE.encode(encoding), name)
    assert arrival.values == ROWS
    assert (arrival.source.kind, arrival.source.columns) == ("table", ("question", "answer"))
    assert arrival.notes == {"utf-8": [], "utf-8-sig": [], "cp1252": ["windows_text"]}.get(encoding, ["not_utf8"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl.gz", gzip.compress(PLAIN)),
        ("two in a row.gz", gzip.compress(PLAIN[:50]) + gzip.compress(PLAIN[50:]) + b"\0\0"),
        ("a.gz", gzip.compress(json.dumps(CHATS, indent=1).encode("utf-16"))),
        ("a.zip", zipped(**{"../../x.jsonl": PLAIN, "__MACOSX/._x.jsonl": b"x", "README.md": b"about"})),
        ("a.zip", zipped(**{"folder/": b"", "/etc/x.json": json.dumps(CHATS).encode(), "about.txt": b"x"})),
    ],
)
def test_an_archive_is_unpacked(name: str, content: bytes) -> None:
    arrival = arrive(content, name)
    assert arrival.values == CHATS
    assert arrival.notes[0] == "decompressed"
    assert arrival.problems == []


def test_a_table_or_a_workbook_in_an_archive_is_read_too() -> None:
    assert arrive(zipped(**{"cases.csv": TABLE.encode()}), "cases.zip").values == ROWS
    book = xlsx({"A": [["question", "answer"], ["Grüße", "€ 5"]]})
    assert arrive(zipped(**{"cases.xlsx": book}), "cases.zip").values == ROWS
    assert arrive(gzip.compress(book), "cases.gz").values == ROWS


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.jsonl", "is empty"),
        (b" \r\n\t", "a.jsonl", "is empty"),
        (b"\xef\xbb\xbf", "a.jsonl", "is empty"),
        (gzip.compress(b""), "a.gz", "is empty"),
        (b"just some text\nand more of it", "a.txt", "looks like plain text"),
        (b"<html>", "a.json", "web page"),
        (b"%PDF-1.7", "a.pdf", "PDF"),
        (b"BZh91AY", "a.bz2", "bzip2"),
        (bytes(range(256)) * 10, "a.jsonl", "binary"),
        (b"[]", "a.json", "holds no objects"),
        (b'{"data": []}', "a.json", "holds no objects"),
        (b"question,answer\n", "a.csv", "no rows"),
        (b"one\ntwo\n", "a.csv", "one column"),
        (zipped(), "a.zip", "without a data file"),
        (zipped(**{"a.png": b"x"}), "a.zip", "it holds “a.png”"),
        (zipped(**{"a.jsonl": b"x", "b.jsonl": b"y"}), "a.zip", "2 data files: “a.jsonl”, “b.jsonl”"),
        (zipped(**{"a.gz": gzip.compress(PLAIN)}), "a.zip", "inside an archive"),
        (gzip.compress(gzip.compress(PLAIN)), "a.gz", "inside an archive"),
        (gzip.compress(zipped(**{"a.jsonl": PLAIN})), "a.gz", "inside an archive"),
        (zipped(**{"word/document.xml": b"", "[Content_Types].xml": b""}), "a.docx", "without a data file"),
        (b"PK\x03\x04 nothing", "a.zip", "damaged or cut off"),
        (b"PAR1 nothing", "a.parquet", "Parquet table that cannot be read"),
        (b"\xd0\xcf\x11\xe0 nothing", "a.xls", "no spreadsheet"),
    ],
)
def test_what_is_no_data_is_one_sentence(content: bytes, name: str, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        arrive(content, name)


def test_what_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null"), tmp_path):
        with pytest.raises(UnreadableFile, match="not a file"):
            open_source(path, "pipe", tmp_path)
    with pytest.raises(UnreadableFile, match="could not be opened"):
        open_source(tmp_path / "gone", "gone", tmp_path)


@pytest.mark.parametrize("name", ["../../x.csv", "/etc/x.csv", "a\0b.csv", "x" * 5000 + ".csv", "", "a\nb‮.csv"])
def test_names_are_shown_and_nothing_else(name: str) -> None:
    assert arrive(TABLE.encode(), name).values == ROWS
    with pytest.raises(UnreadableFile) as caught:
        arrive(b"%PDF", name)
    assert len(caught.value.what) < 200
    assert caught.value.what.isprintable()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PLAIN, "a.jsonl"),
        (b"\xef\xbb\xbf" + PLAIN, "a.jsonl"),
        (PLAIN.decode().encode("utf-16"), "a.jsonl"),
        (json.dumps(many(3), indent=1).encode(), "a.json"),
        (TABLE.encode(), "a.csv"),
        (gzip.compress(json.dumps(many(3)).encode()), "a.gz"),
        (zipped(**{"a.jsonl": PLAIN}), "a.zip"),
        (xlsx({"A": [["question", "answer"], ["a", "b"]]}), "a.xlsx"),
    ],
)
def test_an_arrival_can_be_stopped_at_any_time_and_leaves_nothing(content: bytes, name: str) -> None:
    looks = 0

    def stopped() -> bool:
        nonlocal looks
        looks += 1
        return looks > most

    for most in range(4):
        looks = 0
        # A small file has arrived before it is asked so often; then nobody has stopped it.
        with suppress(ArrivalStopped):
            arrive(content, name, stopped=stopped)
            assert 0 < looks <= most


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (lines_of(many(5000)), "a.jsonl"),
        (json.dumps(many(5000)).encode("utf-16"), "a.json"),
        (gzip.compress(("question;answer\n" + "a;b\n" * 20_000).encode()), "a.csv.gz"),
        (xlsx({"A": [["question", "answer"], *[["a", "b"]] * 300]}), "a.xlsx"),
    ],
)
def test_progress_goes_forward_from_nothing_to_all(content: bytes, name: str) -> None:
    told: list[tuple[int, int]] = []
    arrive(content, name, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert {total for _, total in told} == {len(content)}
    assert told[-1][0] == len(content)
    assert len(told) < 1000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
objects = st.lists(
    st.dictionaries(st.sampled_from(["a", "messages", 'b"', "\u2028"]), values, min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


def array(held: list[Any]) -> str:
    return json.dumps(held, ensure_ascii=False)


WRITINGS = (
    lambda held: "\n".join(json.dumps(one) for one in held),
    lambda held: "\r\n".join(json.dumps(one, ensure_ascii=False) for one in held) + "\r\n",
    array,
    lambda held: json.dumps(held, indent=2),
    lambda held: "\n".join(json.dumps(one, indent="\t") for one in held),
    lambda held: " ".join(json.dumps(one) for one in held),
    lambda held: json.dumps({"version": "1", "data": held, "more": {"x": [1]}}),
)


@given(
    objects, st.sampled_from(WRITINGS), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_comes_back(held: list[Any], write: Any, encoding: str, packed: bool) -> None:
    content = write(held).encode(encoding)
    arrival = arrive(gzip.compress(content, 1) if packed else content)
    assert arrival.values == held
    assert arrival.problems == []
