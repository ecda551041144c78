from __future__ import annotations

import socket
import tomllib
from functools import cache
from typing import Any

import pytest

from lib.dataset import languages as module
from lib.dataset.jsonl import Lines
from lib.dataset.languages import NAMES, Language, languages
from lib.dataset.reading import read
from tests.dataset.conversations import chat, lines_of, pair

GERMAN = chat("Wo ist meine Bestellung? Ich warte seit drei Wochen darauf.", "billing")
ENGLISH = chat(
    "Where is my order? I have been waiting for three weeks.", "It was sent this morning, please be patient."
)
JAPANESE = chat("注文した商品がまだ届いていません。", "ok")
CODE = chat("def total(rows):\n    return sum(rows) == 0;\n", '{"total": 3, "reason": "none"}')


LOADED = cache(module._model)


@pytest.fixture(autouse=True)
def without_network_and_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection may be wanted. The model is loaded for each question; for all tests together once is enough."""

    def refused(*_: object) -> None:
        raise AssertionError("a connection was wanted")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(module, "_model", LOADED)


def opened(examples: list[dict[str, Any]]) -> Lines:
    return read(lines_of(examples), "a.jsonl").lines


def test_languages_are_named_with_their_share_of_the_examples() -> None:
    found = languages(opened([ENGLISH] * 5 + [GERMAN] * 3 + [JAPANESE, CODE]))
    assert found.found == (Language("English", 0.5, 5), Language("German", 0.3, 3), Language("Japanese", 0.1, 1))
    assert (found.not_told, found.sample, found.total) == (1, 10, 10)


def test_an_example_that_translates_uses_both_languages() -> None:
    example = chat(GERMAN["messages"][0]["content"], ENGLISH["messages"][0]["content"])
    assert {one.name: one.examples for one in languages(opened([example])).found} == {"English": 1, "German": 1}


@pytest.mark.parametrize(
    "example",
    [
        CODE,
        chat("Hello", "billing"),
        chat("1234 5678 9012 3456 7890", "…"),
        chat("```\nthis is a long text inside of a fence and it is meant as code\n```", "https://example.org/a/b/c/d"),
        chat("", ""),
        {"messages": None},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
    ],
)
def test_what_is_no_sentence_is_not_told(example: dict[str, Any]) -> None:
    found = languages(opened([example] * 3))
    assert found.found == ()
    assert found.not_told == 3


def test_a_sentence_that_begins_like_a_program_is_told() -> None:
    asked = "if i order today, when does the parcel arrive?\nfor my sister it took two weeks"
    assert [one.name for one in languages(opened([chat(asked, "ok")])).found] == ["English"]


def test_pairs_and_legacy_lines_are_told_too() -> None:
    good = "Vielen Dank, das Paket ist heute angekommen und alles war in Ordnung."
    assert languages(opened([pair("Which one?", good, "x")])).found == (Language("German", 1.0, 1),)
    assert languages(opened([{"prompt": good, "completion": "x"}])).found == (Language("German", 1.0, 1),)


def test_only_a_sample_is_looked_at_and_it_is_the_same_one_again() -> None:
    lines = opened([ENGLISH, GERMAN] * 40)
    first = languages(lines, sample=30, seed=1)
    assert (first.sample, first.total, sum(one.examples for one in first.found)) == (30, 80, 30)
    assert languages(lines, sample=30, seed=1) == first
    assert [languages(lines, sample=30, seed=n).found for n in range(2, 6)] != [first.found] * 4


def test_every_language_that_the_model_knows_has_a_name() -> None:
    names, labels = tomllib.loads(NAMES.read_text()), set(LOADED().labels)
    assert labels - names.keys() == {"zxx"}
    assert names.keys() <= labels
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize("sign", ["a@", "<", "`", "{", " ", "\n", "```"])
def test_a_million_of_one_sign_do_not_stall(sign: str) -> None:
    assert languages(opened([chat(sign * 500_000, sign * 500_000)])).not_told == 1
