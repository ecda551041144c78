from __future__ import annotations

import json

import pytest

from tests.dataset.source.arrivals import arrive

LINE = '{"a": "ä😀"}\n'


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_half_of_a_character_becomes_an_escape_in_json_and_a_mark_in_a_table(encoding: str) -> None:
    text = LINE + '{"a": "\ud83d"}\n{"b": "\ude00\ud83d"}\n'
    arrival = arrive(text.encode(encoding, "surrogatepass"))
    assert arrival.lines[1] == b'{"a": "\\ud83d"}'
    assert arrival.values[2] == {"b": "\ude00\ud83d"}
    assert arrival.problems == []
    table = arrive("question;answer\n\ud83d;b\n".encode(encoding, "surrogatepass"), "a.csv")
    assert table.values == [{"question": "\ufffd", "answer": "b"}]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_broken_half_at_the_end_is_a_problem_of_its_line(encoding: str, cut: int) -> None:
    content = (LINE * 2 + '{"a": "x').encode(encoding)
    arrival = arrive(content[:-cut])
    assert [json.loads(line) for line in arrival.lines[:2]] == [{"a": "ä😀"}] * 2
    whole = cut % (4 if "32" in encoding else 2) == 0
    assert arrival.problems == ([] if whole else [("broken_character", 3)])


def test_what_is_no_character_is_replaced_and_told() -> None:
    arrival = arrive(LINE.encode("utf-32-le") * 2 + b"\xff\xff\xff\xff" + LINE.encode("utf-32-le"))
    assert arrival.problems == [("broken_character", 3)]
    assert [json.loads(line) for line in arrival.lines[:2]] == [{"a": "ä😀"}] * 2
    assert arrival.lines[2].decode() == "\ufffd" + LINE.strip()


def test_a_character_is_not_torn_at_the_end_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib.dataset.source.text.BLOCK", 6)
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        arrival = arrive((LINE * 3).encode(encoding))
        assert arrival.values == [{"a": "ä😀"}] * 3
        assert arrival.problems == []


def test_wide_text_of_other_letters_is_known_without_a_mark() -> None:
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le"):
        text = json.dumps({"messages": "漢字" * 500}, ensure_ascii=False)
        assert arrive(text.encode(encoding)).values == [{"messages": "漢字" * 500}]
