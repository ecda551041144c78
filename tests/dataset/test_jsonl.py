from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.example import encode
from lib.dataset.finding import Finding
from lib.dataset.jsonl import Lines, text_lines, value_of
from lib.dataset.jsonl import lines_of as lines_in
from lib.dataset.reading import read as read_any
from lib.dataset.survey.survey import survey
from lib.errors import UnreadableFile
from tests.dataset.conversations import chat, lines_of, many
from tests.dataset.shared import shared_file

LINE = lines_of([chat("Grüße\u2028aus\u0085Köln", "Hallo.")]).rstrip()


@dataclass(frozen=True)
class Read:
    """The examples of a file, and all that reading has to say."""

    lines: Lines
    problems: list[Finding]
    totals: dict[str, int]


def read(content: bytes | Path, name: str) -> Read:
    reading = read_any(content, name)
    surveyed = survey(reading.lines)
    told = [one for raw in surveyed.lines.raws() for one in value_of(raw, 1)[1]]
    problems = [*reading.problems, *surveyed.problems, *told]
    return Read(surveyed.lines, problems, {**reading.totals, **surveyed.totals})


def codes(reading: Read) -> list[str]:
    return [finding.code for finding in reading.problems]


@pytest.mark.parametrize(
    "content",
    [
        LINE,
        LINE + b"\n",
        b"\xef\xbb\xbf" + LINE + b"\r\n",
        b"\n\n  \r\n" + LINE + b"\n\t\n",
        b"  " + LINE + b"  ",
        LINE.decode().encode("utf-16"),
        LINE.decode().encode("utf-16-be"),
        LINE.decode().encode("utf-16-le"),
        LINE.decode().encode("utf-32"),
    ],
)
def test_marks_blanks_line_ends_and_wide_encodings_change_nothing(content: bytes) -> None:
    reading = read(content, "a.jsonl")
    assert [example.data for example in reading.lines] == [chat("Grüße\u2028aus\u0085Köln", "Hallo.")]
    assert codes(reading) == (["not_utf8"] if b"\x00" in content else [])


def test_a_pipe_is_named_instead_of_being_empty(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/null")):
        for look in (lambda path: read(path, "pipe.jsonl"), lambda path: text_lines(path, "pipe.jsonl")):
            with pytest.raises(UnreadableFile, match="is a pipe"):
                look(path)


def test_blocks_together_are_all_lines_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_bytes(lines_of(many(50)) + b'{"long": "' + b"x" * 5000 + b'"}\n' + lines_of(many(7)))
    lines = lines_in(path)
    blocks = list(lines.blocks(20, 1500))
    assert [begun for begun, _ in blocks] == [0, *(ended for _, ended in blocks[:-1])]
    assert blocks[-1][1] == len(lines) == 58
    assert all(ended - begun <= 20 for begun, ended in blocks)
    assert [raw for begun, ended in blocks for raw in lines.block(begun, ended)] == list(lines.raws())
    assert (50, 51) in blocks, "a line longer than a block is one by itself"


@pytest.mark.parametrize(("begun", "ended"), [(0, 30), (3, 3), (5, 4), (2, 7), (1, 29), (29, 30), (30, 30)])
def test_a_stretch_of_lines_is_read_in_blocks_and_exactly(
    begun: int, ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.dataset.jsonl.READ_LINES", 10)
    lines = read(lines_of(many(30)), "a.jsonl").lines
    assert list(lines.raws(begun, ended)) == [encode(data) for data in many(30)[begun:ended]]


def test_chosen_lines_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\n".join([LINE, b"", LINE, LINE]))
    lines = lines_in(path).only(np.asarray([0, 2]))
    assert (len(lines), [lines.number(at) for at in range(2)]) == (2, [1, 4])
    held = Lines.of([b"a", b"", b"ccc"])
    assert [held.raw(at) for at in range(3)] == [b"a", b"", b"ccc"]
    assert len(Lines.of([])) == 0


def test_an_empty_file_has_no_lines_and_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert len(lines_in(path)) == 0
    with pytest.raises(UnreadableFile, match="is empty"):
        text_lines(path, "The file")


def test_lines_know_their_place_in_the_file() -> None:
    reading = read(b"\n" + LINE + b"\r\n\r\n" + LINE + b"\n" + LINE, "a.jsonl")
    assert [reading.lines.number(position) for position in range(3)] == [2, 4, 5]
    assert reading.lines.raw(0) == LINE


def test_a_file_on_disk_is_read_by_the_piece(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_bytes(lines_of(many(50)))
    lines = read(path, path.name).lines
    assert len(lines) == 50
    assert [example.data for example in lines[10:12]] == many(12)[10:]
    assert lines[49].data == many(50)[49]
    assert b"\n".join(lines.raws()) + b"\n" == path.read_bytes()
    with pytest.raises(IndexError):
        lines[50]


def test_old_line_ends_are_line_ends() -> None:
    assert len(read(LINE + b"\r" + LINE, "mac.jsonl").lines) == 2


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_a_json_array_is_read_as_its_elements(indent: int | str | None) -> None:
    data = many(3)
    reading = read(json.dumps(data, indent=indent).encode(), "a.json")
    assert [example.data for example in reading.lines] == data
    assert codes(reading) == ["not_one_example_a_line"]
    assert all(b"\n" not in raw for raw in reading.lines.raws())


def test_objects_over_several_lines_are_read_and_keep_every_digit() -> None:
    data = [{**chat(), "number": 10**40}, chat("a\nb", "c")]
    content = "\n".join(json.dumps(entry, indent=4, ensure_ascii=False) for entry in data).encode()
    reading = read(content, "pretty.json")
    assert [example.data for example in reading.lines] == data
    assert reading.lines.number(0) == 1
    assert reading.lines.number(1) == content.split(b"\n{")[0].count(b"\n") + 2


@pytest.mark.parametrize("content", ['[\n{\n"a":"\\ud83d",\n"b":1}\n]', '{\n"a":"\\ud83d",\n"b":1}\n{\n"c":2\n}'])
def test_half_a_character_in_a_spread_value_does_not_hide_it(content: str) -> None:
    lines = read(content.encode(), "a.json").lines
    assert lines[0].data == {"a": "\ud83d", "b": 1}
    assert b"\n" not in lines.raw(0)


def test_a_broken_element_does_not_take_the_others_along() -> None:
    whole = json.dumps(chat(), indent=2)
    reading = read(f"[{whole},\n{{'single': 1}},\n{whole}]".encode(), "a.json")
    assert len(reading.lines) == 2
    assert codes(reading) == ["not_one_example_a_line", "invalid_json"]


@pytest.mark.parametrize(
    ("line", "code", "column", "hint"),
    [
        (b'{"messages": [],}', "invalid_json", 17, "comma before the closing"),
        (b"{'messages': []}", "invalid_json", 2, "double quotes"),
        (b'{"a": None}', "invalid_json", 7, "null, true, false"),
        (b'{"a": "he said "no""}', "invalid_json", 17, 'written as \\"'),
        (b'{"a": 1} {"b": 2}', "invalid_json", 10, "Two values"),
        (b'{"a": "cut of', "invalid_json", 7, "ends too early"),
        ('{"a": “x”}'.encode(), "invalid_json", 7, "typographic"),
        (b'{"a": NaN}', "invalid_json", 7, "no such number"),
        (b'{"a": 1e999}', "invalid_json", 7, "no such number"),
        (b'{"a": "tab\there"}', "invalid_json", 11, "must be written as"),
        (b'{"a": "caf\xe9"}', "invalid_utf8", 11, "UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "invalid_json", 1, "as text"),
        (b'{"a": ' + b"[" * 100_000, "too_deep", 1, "six levels"),
        (b'{"a": ' + b"[" * 400 + b"]" * 400 + b"}", "too_deep", None, "six levels"),
        (b"[1, 2]", "not_an_object", None, "dictionary"),
        (b"null", "not_an_object", None, "dictionary"),
        (b'"text"', "not_an_object", None, "dictionary"),
    ],
)
def test_a_broken_line_is_named_and_the_rest_is_there(line: bytes, code: str, column: int | None, hint: str) -> None:
    reading = read(LINE + b"\n" + line + b"\n" + LINE, "a.jsonl")
    (finding,) = reading.problems
    assert (finding.code, finding.line, finding.severity) == (code, 2, "error")
    assert hint in finding.why
    assert "Line 2" in finding.text
    assert column is None or f"column {column} " in finding.text
    assert len(reading.lines) == 2
    assert [reading.lines.number(position) for position in range(2)] == [1, 3]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"messages": [], "messages": []}', "repeated_key"),
        (b'{"a": "text with \\": in it", "b": {"c": 1, "c": 2}}', "repeated_key"),
        (b'{"a": "\\ud83d alone"}', "half_character"),
    ],
)
def test_a_strange_line_is_kept_and_told(line: bytes, code: str) -> None:
    reading = read(line + b"\n", "a.jsonl")
    assert [(finding.code, finding.severity) for finding in reading.problems] == [(code, "warning")]
    assert len(reading.lines) == 1
    assert reading.lines.raw(0) == line


def test_what_a_key_held_that_stands_twice_is_told_in_short_and_as_it_can_be_written() -> None:
    long = b'"' + b"x" * 5000 + b'"'
    line = b'{"a": {"b": "\\ud83d", "b": [1,\n 2]}, "c": %s, "c": null, "c": 3}' % long
    [first] = [one for one in read(line.replace(b"\n", b""), "a.jsonl").problems if one.code == "repeated_key"]
    assert first.text == 'Line 1 has the key “b” twice in one object: first "?", then [1, 2].'
    assert first.fix == "keep_last_values"
    assert first.detail[:3] == ("b", '"?"', "[1, 2]")
    key, goes, stays = first.detail[3:]
    assert (key, stays) == ("c", "3")
    assert goes.startswith('"xxx')
    assert len(goes) < 400


@pytest.mark.parametrize(
    "line",
    [b'{"a": "\\": \\\\", "b": 1}', b'{"a" : 1, "b" :2}', b'{"a": "\\ud83d\\ude00"}', b'{"a": "x\\\\\\":"}'],
)
def test_quotes_colons_and_whole_pairs_are_not_taken_for_trouble(line: bytes) -> None:
    assert codes(read(line, "a.jsonl")) == []


def test_a_huge_integer_keeps_its_digits() -> None:
    assert read(b'{"n": ' + b"7" * 60 + b"}", "a.jsonl").lines[0].data["n"] == int("7" * 60)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="could not be opened"):
        read(tmp_path / "gone.jsonl", "gone.jsonl")
    (tmp_path / "empty").touch()
    with pytest.raises(UnreadableFile, match="is empty"):
        read(tmp_path / "empty", "empty")


def test_many_broken_lines_are_counted_and_few_are_kept() -> None:
    reading = read(LINE + b"\n" + b"{broken\n" * 1000, "a.jsonl")
    assert reading.totals == {"invalid_json": 1000}
    assert len(reading.problems) == 200
    assert len(reading.lines) == 1


@pytest.mark.parametrize(
    ("name", "examples"), [("toy_chat", 5), ("birds208", 208), ("nebius800", 800), ("drone_tools", 103), ("dpo12", 12)]
)
def test_real_files_are_read_to_the_last_byte(name: str, examples: int) -> None:
    path = shared_file(f"{name}.jsonl")
    reading = read(path, path.name)
    assert (len(reading.lines), codes(reading)) == (examples, [])
    assert [example.data for example in reading.lines] == [json.loads(raw) for raw in path.read_bytes().splitlines()]


blank = st.sampled_from([b"", b"\n", b" \n", b"\r\n", b"\t\r\n"])
ending = st.sampled_from([b"\n", b"\r\n"])
text = st.text(st.characters(codec="utf-8"), max_size=30)
examples = st.lists(st.dictionaries(text, text | st.integers() | st.lists(text, max_size=3), max_size=3), max_size=8)


@given(examples, st.lists(blank, min_size=8, max_size=8), ending, st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_stands_between_them_all_objects_are_read(
    data: list[dict[str, Any]], blanks: list[bytes], line_end: bytes, ascii_only: bool, last_end: bool
) -> None:
    data = [{"first": 1}, *data]
    content = b""
    for entry, before in zip(data, [b"", *blanks], strict=False):
        content += before + json.dumps(entry, ensure_ascii=ascii_only).encode() + line_end
    reading = read(content if last_end else content.rstrip(b"\r\n"), "a.jsonl")
    assert [example.data for example in reading.lines] == data
    for position, entry in enumerate(data):
        line = content.split(b"\n")[reading.lines.number(position) - 1]
        assert json.loads(line) == entry


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_reading_fail_otherwise_than_with_a_sentence(content: bytes) -> None:
    with suppress(UnreadableFile):
        reading = read(content, "noise")
        assert all(isinstance(example.data, dict) for example in reading.lines)


@given(
    st.lists(st.sampled_from([b'{"a":1}', b"{", b"}", b"[", b"]", b'"', b"\n", b"\r", b",", b"\\", b" "]), max_size=40)
)
@settings(max_examples=300, deadline=None)
def test_no_brackets_and_quotes_make_reading_fail(pieces: list[bytes]) -> None:
    with suppress(UnreadableFile):
        read(b"".join(pieces), "noise")


@given(examples, st.sampled_from([None, 0, 2]), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_array_and_every_pretty_print_is_read_as_its_objects(
    data: list[dict[str, Any]], indent: int | None, ascii_only: bool, in_array: bool
) -> None:
    data = [{"first": 1, "second": [1]}, *data]
    if in_array:
        content = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    else:
        content = "\n".join(json.dumps(entry, indent=indent, ensure_ascii=ascii_only) for entry in data)
    reading = read(content.encode(), "a.json")
    assert [example.data for example in reading.lines] == data
    assert all(b"\n" not in raw for raw in reading.lines.raws())
