"""A search finds a text however it is written, and never what is no text."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset import search as search_module
from lib.dataset.jsonl import Lines
from lib.dataset.search import as_they_are_now, in_lines, search, texts_of
from tests.dataset.conversations import Data, call, chat, pair, tool


def lines(*raws: bytes | Data) -> Lines:
    return Lines.of([raw if isinstance(raw, bytes) else json.dumps(raw, ensure_ascii=False).encode() for raw in raws])


def found(text: str, *raws: bytes | Data) -> list[int]:
    places: list[int] = in_lines(lines(*raws), text).tolist()
    return places


@pytest.mark.parametrize("ascii_alone", [False, True])
@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Where is my ORDER?", "my order"),
        ("Where is my order?", "MY ORDER"),
        ("Grüße aus Köln", "grüße"),
        ("Die STRASSE", "straße"),
        ("Die Straße", "STRASSE"),
        ("Der Große Fluß", "fluss"),
        ("Привет, мир", "ПРИВЕТ"),
        ("ΟΔΟΣ", "οδος"),
        ("東京タワー", "東京"),
        ("well done 👍🏽", "👍"),
        ("é", "É"),
        ("300 \u212a", "300 k"),
        ("\ufb01nd it", "find"),
        ('He said "no" twice', '"no"'),
        ("one\ntwo", "one\ntwo"),
        ("a/b and a\\b", "a/b"),
        ("a/b and a\\b", "A\\B"),
        ("x", "x"),
    ],
)
def test_a_text_is_found_in_whatever_case_and_however_it_is_written(
    said: str, wanted: str, *, ascii_alone: bool
) -> None:
    held = json.dumps(chat("Nothing of that.", said), ensure_ascii=ascii_alone).encode()
    assert found(wanted, chat("nothing", "here"), held) == [1]


def test_letters_that_need_no_escape_are_found_when_they_have_one() -> None:
    raw = rb'{"messages": [{"role": "user", "content": "\u0048el\u006Co <b\u003e a\/b"}]}'
    for wanted in ("hello", "<b>", "a/b", "lo <b"):
        assert found(wanted, chat("x", "y"), raw) == [1], wanted
    assert found("hello", rb'{"messages": [{"role": "user", "content": "\\u0048el\u006Co"}]}') == [0]
    assert found("help", raw) == []


def test_names_of_keys_and_roles_and_the_signs_of_json_are_never_found() -> None:
    held = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "tools": [tool()]}
    for wanted in ("assistant", "user", "content", "messages", '"role": "user"', "}, {", "function", "properties"):
        assert found(wanted, held, chat("a", "b"), pair("a", "b", "c")) == [], wanted
    assert found("assistant", chat("Call the ASSISTANT.", "b")) == [0]


def test_every_text_of_an_example_is_looked_into() -> None:
    calls = {"messages": [{"role": "assistant", "tool_calls": [call("find_city", '{"city": "M\\u00fcnchen"}')]}]}
    parts = {"messages": [{"role": "user", "content": [{"type": "text", "text": "in a part"}]}]}
    grader = {"messages": [{"role": "user", "content": "x"}], "reference": {"answer": "forty-two"}, "type": "a riddle"}
    examples = (calls, parts, grader, pair("q", "the good one", "the bad one"))
    assert found("münchen", *examples) == [0]
    assert found("find_city", *examples) == [0]
    assert found("IN A PART", *examples) == [1]
    assert found("Forty-Two", *examples) == [2]
    assert found("riddle", *examples) == [2]
    assert found("the bad", *examples) == [3]


def test_the_bytes_of_an_inline_image_are_no_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAAcatAAAA"}}
    assert found("cat", {"messages": [{"role": "user", "content": [image]}]}) == []


def test_a_line_that_cannot_be_read_holds_nothing_and_hides_nothing() -> None:
    assert found("wanted", b'{"messages": wanted', b"\xff wanted", b'"wanted"', chat("wanted", "y")) == [2, 3]


def test_examples_on_both_sides_of_a_block_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "BLOCK_LINES", 3)
    monkeypatch.setattr(search_module, "TOLD_EVERY", 1)
    examples = [chat(f"Question {number}", "even" if number % 2 == 0 else "odd") for number in range(10)]
    told: list[int] = []
    assert in_lines(lines(*examples), "EVEN", told.append).tolist() == [0, 2, 4, 6, 8]
    assert told == [3, 6, 9, 10]


def test_what_progress_raises_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "BLOCK_LINES", 1)
    monkeypatch.setattr(search_module, "TOLD_EVERY", 1)

    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_lines(lines(*[chat()] * 5), "two", stop)


def test_edited_examples_are_searched_as_they_are_now() -> None:
    held = lines(chat("apple", "x"), chat("pear", "x"), chat("apple", "y"))
    now: dict[int, Data | None] = {0: chat("plum", "x"), 1: chat("APPLE", "x"), 2: None, 3: chat("apple pie", "z")}

    def read(positions: object) -> list[bytes | None]:
        assert isinstance(positions, list)
        return [None if now[at] is None else json.dumps(now[at]).encode() for at in positions]

    changed = np.array([True, True, True, True])
    assert search(held, "apple", changed=changed, read=read).tolist() == [1, 3]
    assert search(held, "apple").tolist() == [0, 2]
    assert as_they_are_now(np.array([0, 2], np.int32), "apple", np.array([2]), read).tolist() == [0]


def test_the_bytes_that_are_looked_for_miss_nothing_that_reading_finds() -> None:
    texts = ["ẞ", "ſtrange", "İstanbul", "ŉ", "ǰ", "ŒUVRE", "σς", "ǅ", "ﬃ", "K", "Ǆ", "ᾳ", "ⅷ", "ꙋ"]
    held = lines(
        *(json.dumps(chat("q", f"see {text} there"), ensure_ascii=n % 2 == 0).encode() for n, text in enumerate(texts))
    )
    for at, text in enumerate(texts):
        for wanted in {
            text,
            text.lower(),
            text.upper(),
            text.casefold(),
            f"SEE {text} there",
            f"e {text.casefold()} t",
        }:
            if wanted.casefold() in f"see {text} there".casefold():
                assert at in in_lines(held, wanted).tolist(), wanted


WORDS = ("ss", "Assi", "role", "content", "user", "er", "sys", "tool", "message", "a", "age")
SAID = st.sampled_from(
    ["", "x", "The assistant", "messages", '{"role": "user", "content": "', "Role ß", "user", "ſſ", "\\"]
)
message = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": SAID})
anything = st.recursive(
    SAID | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["role", "content", "Role", "messages", "type", "user"]), inner, max_size=3)
    ),
    max_leaves=6,
)
data = st.fixed_dictionaries(
    {"messages": st.lists(message, max_size=3)}, optional={"extra": anything, "tools": anything}
)


def read_through(held: Lines, wanted: str) -> list[int]:
    """What a search finds that reads every line."""
    folded = wanted.casefold()
    every = [[text.casefold() for text in texts_of(json.loads(raw))] for raw in held.raws()]
    return [at for at, texts in enumerate(every) if any(folded in text for text in texts)]


@given(st.lists(data | anything, min_size=1, max_size=4), st.sampled_from(WORDS), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_words_that_stand_in_every_line_are_found_where_they_are_said(
    examples: list[Any], wanted: str, compact: bool, ascii_alone: bool
) -> None:
    separators = (",", ":") if compact else None
    raws = [json.dumps(one, ensure_ascii=ascii_alone, separators=separators).encode() for one in examples]
    assert found(wanted, *raws) == read_through(Lines.of(raws), wanted)


def test_what_only_looks_like_the_beginning_of_a_message_is_text() -> None:
    assert found("assistant", {"messages": [], "reference": {"Role": "assistant", "Content": "x"}}) == [0]
    assert found("assistant", {"messages": [], "reference": {"role": "assistant"}}) == [0]
    # A role beside a content is one wherever it stands.
    assert found("assistant", {"messages": [], "reference": {"role": "assistant", "content": "x"}}) == []
    assert found("assistant", chat("x", '{"role": "assistant", "content": "')) == [0]
    assert found("assistant", rb'{"messages": [{"ROLE": "assistant", "content": "x"}]}') == [0]


def test_lines_with_a_word_in_their_syntax_alone_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    held, read = lines(*[chat(f"Number {n}?", "Yes.", system="Be brief.") for n in range(9)], chat("Pass?", "No.")), []
    stands_in = search_module.Wanted.stands_in
    monkeypatch.setattr(search_module.Wanted, "stands_in", lambda self, raw: read.append(raw) or stands_in(self, raw))
    assert in_lines(held, "ss").tolist() == [9]
    assert len(read) == 1
