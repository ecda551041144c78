from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from lib.dataset.source.intake import Limits
from lib.errors import UnreadableFile
from tests.dataset.conversations import chat, many
from tests.dataset.source.arrivals import arrive


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_the_elements_of_an_array_are_lines_with_their_numbers(indent: int | str | None) -> None:
    data = [chat("a\nb", "c"), {**chat(), "number": 10**40, "half": "\ud83d"}, *many(2)]
    content = json.dumps(data, indent=indent)
    arrival = arrive(content.encode())
    assert arrival.values == data
    assert arrival.notes == ["not_one_example_a_line"]
    lines = content.split("\n")
    assert arrival.numbers is not None
    assert all(lines[number - 1].strip().startswith(("{", "[{")) for number in arrival.numbers)
    assert len(set(arrival.numbers)) == (1 if indent is None else 4)


@pytest.mark.parametrize(
    "content", ['{"a": 1} {"b": 2}', '{"a": 1}{"b": 2}\n', '{"a": 1} {"b": 2}}\n', '{\n"a": 1},\n{"b":\n2}']
)
def test_objects_one_after_the_other_are_lines(content: str) -> None:
    arrival = arrive(content.encode())
    assert arrival.values == [{"a": 1}, {"b": 2}]
    assert [code for code, _ in arrival.problems] == (["between_examples"] if "}}" in content else [])


@pytest.mark.parametrize("key", ["data", "examples", "train", "rows"])
def test_a_wrapper_around_the_examples_is_taken_off_and_what_else_is_in_it_named(key: str) -> None:
    data = [{"data": [{"x": "]"}]}, {"b": 2}]
    arrival = arrive(json.dumps({"version": [1], key: data, "test": [{"c": 3}]}, indent=1).encode())
    assert arrival.values == data
    (note,) = arrival.source.notes
    assert f"“{key}”" in note.text
    assert "“version”, “test”" in note.why


def test_a_line_with_such_a_key_is_no_wrapper_when_others_follow() -> None:
    lines = [{"data": [{"a": 1}]}, {"data": [{"a": 2}]}]
    assert arrive(b"\n".join(json.dumps(one).encode() for one in lines)).values == lines
    assert arrive(b'{"mine": [{"a": 1}]}').values == [{"mine": [{"a": 1}]}]
    assert arrive(b'{"x": {"data": [{"a": 1}]}}').values == [{"x": {"data": [{"a": 1}]}}]


def test_what_is_no_object_is_named_and_the_rest_comes_in() -> None:
    whole = json.dumps(chat(), indent=2)
    arrival = arrive(f"[{whole},\n{{'single': 1}},\n3, \"text\", {whole}, null, [4]]\nend".encode())
    assert arrival.values == [chat(), chat(), [4]]
    line = whole.count("\n") + 2
    last = 2 * whole.count("\n") + 3
    assert arrival.problems == [
        ("invalid_json", line),
        ("between_examples", line + 1),
        ("between_examples", last),
        ("between_examples", last + 1),
    ]
    assert '“3, "text"' in arrival.source.problems[1].text


def test_an_array_that_is_cut_off_keeps_what_is_whole() -> None:
    content = json.dumps(many(20), indent=1)
    arrival = arrive(content[:-200].encode())
    assert arrival.values == many(20)[: len(arrival.lines)]
    assert len(arrival.lines) > 10
    assert "invalid_json" in dict(arrival.problems)


def test_a_value_that_is_too_long_is_not_read() -> None:
    limits = replace(Limits(), line=100)
    arrival = arrive(json.dumps([{"a": 1}, {"a": "x" * 200}, {"b": 2}], indent=0).encode(), limits=limits)
    assert arrival.values == [{"a": 1}, {"b": 2}]
    assert arrival.problems == [("line_too_long", 5)]
    lines = arrive(b'{"a": 1}\n{"a": "' + b"x" * 200 + b'"}\n\n{"b": 2}', limits=limits)
    assert lines.values == [{"a": 1}, {"b": 2}]
    assert lines.numbers == [1, 4]
    assert lines.problems == [("line_too_long", 2)]
    exact = b'{"a": "' + b"x" * 91 + b'"}'
    assert arrive(exact + b"\n" + exact, limits=limits).untouched


@pytest.mark.parametrize(
    "bomb", ["[" * 100_000, '{"a":' * 50_000, "[" + "{" * 50_000, "[{" + '"a' * 50_000, "[[" * 9 + "{}" * 9]
)
def test_depth_and_quotes_without_end_are_no_danger(bomb: str) -> None:
    with suppress(UnreadableFile):
        assert arrive(bomb.encode()).source.kind == "lines"
    arrival = arrive(f'[{{"a": 1}},\n{bomb}'.encode())
    assert json.loads(arrival.lines[0]) == {"a": 1}
    assert len(arrival.lines) > 1 or arrival.problems
