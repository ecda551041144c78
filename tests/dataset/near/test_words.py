from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.near import words
from lib.dataset.near.comparing import likenesses
from lib.dataset.near.signatures import keys_of
from lib.dataset.near.words import LONGEST, said, shingles
from tests.dataset.conversations import call, chat, pair
from tests.dataset.near import plain

# Letters that meet each other: both cases, marks, digits, signs, scripts with and without blanks, halves of pairs.
TEXT = st.text(
    st.sampled_from("aAbBßẞéÉ1２Ａ .,-\n\t'注文カｶทกм Ж\u0301🙂\ud83d\x00\U0002a6d6\U000e0100") | st.characters(),
    max_size=40,
)
TEXTS = st.lists(TEXT, max_size=4)
WORDY = st.lists(st.sampled_from(["one", "Two", "three,", "vier", "注文", "ทก", "x" * 70, "-"]), max_size=30).map(
    " ".join
)


def likeness(left: list[str], right: list[str]) -> float:
    return float(likenesses(shingles([left, right]), np.array([0]), np.array([1]))[0])


@given(st.lists(st.tuples(TEXTS | WORDY.map(lambda text: [text]), TEXTS | WORDY.map(lambda text: [text])), max_size=6))
@settings(max_examples=50)
def test_the_likeness_is_that_of_the_plain_way(couples: list[tuple[list[str], list[str]]]) -> None:
    made = shingles(texts for couple in couples for texts in couple)
    left = np.arange(len(couples)) * 2
    found = likenesses(made, left, left + 1).tolist()
    assert found == pytest.approx([plain.likeness(*couple) for couple in couples])
    assert (made.counts > 0).tolist() == [bool(plain.words(texts)) for couple in couples for texts in couple]


@given(st.lists(TEXTS, max_size=8), st.integers(1, 60))
@settings(max_examples=50)
def test_what_stands_beside_an_example_does_not_matter(examples: list[list[str]], together: int) -> None:
    made = shingles(examples)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "TOGETHER", together)
        assert np.array_equal(shingles(examples).numbers, made.numbers)
    alone = [shingles([texts]) for texts in examples]
    assert made.numbers.tolist() == [number for one in alone for number in one.numbers.tolist()]
    assert made.counts.tolist() == [int(one.counts[0]) for one in alone]
    for column, one in enumerate(alone):
        assert not made.counts[column] or np.array_equal(keys_of(made)[:, column], keys_of(one)[:, 0])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Where is my order?", "where  IS my\n\norder"),
        ("Der Weg, die Straße", "DER WEG (DIE STRAẞE)"),
        ("Заказ №5 где?", "ЗАКАЗ 5 — ГДЕ"),
        ("ｗｈｅｒｅ　ｉｓ　ＩＴ １２", "where is it 12"),
        ("注文番号、は?", "注文 番号 は"),
        ("Thanks a lot 🙂👍🏽!", "thanks a lot"),
        ("Yes.", "yes"),
    ],
)
def test_case_blanks_signs_and_width_do_not_count(left: str, right: str) -> None:
    assert likeness([left], [right]) == 1


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("yes", "no"),
        ("a b", "b a"),
        ("one", "one two"),
        ("a b c", "c b a"),
        ("ab c d", "a bc d"),
        ("12", "1 2"),
        ("", ""),
    ],
)
def test_what_differs_is_not_alike(left: str, right: str) -> None:
    assert likeness([left], [right]) == 0


def test_a_script_without_blanks_is_compared_by_its_characters() -> None:
    text = "お客様のご注文は本日発送されました。到着まで三日ほどお待ちください。よろしくお願いいたします。"
    assert likeness([text], [text.replace("三日", "五日")]) > 0.75
    assert likeness([text], [text[::-1]]) < 0.1
    thai = "คำสั่งซื้อของคุณถูกจัดส่งแล้ววันนี้และจะมาถึงภายในสามวันทำการ"
    assert likeness([thai], [thai.replace("วันนี้", "เมื่อวาน")]) > 0.6


def test_texts_without_end_are_compared_as_far_as_any_model_reads() -> None:
    assert shingles([["a" * (LONGEST + 5)]]).counts[0] == LONGEST // words.LONGEST_WORD - 2
    assert likeness(["a" * 3_000_000], ["A" * 2_000_000]) == 1
    assert likeness(["a" * 100_000], ["b" * 100_000]) == 0
    blob = "".join("QWxsZSBtZWluZQ"[n % 14] + str(n) for n in range(30_000))
    assert likeness([blob], [blob[:-1] + "x"]) > 0.99


def test_the_numbers_are_the_same_in_every_process() -> None:
    """Stored keys are compared with those of a later process: these values may change only with what is stored."""
    made = keys_of(shingles([["Where is my order 48213?", "It left yesterday."], ["注文番号はどこですか"]]))
    assert made[[0, 9, 14]].tolist() == [[1011293858, 2219524321], [2228529427, 3236501498], [1225129819, 2102782689]]


def test_what_is_compared_is_what_user_and_assistant_say() -> None:
    data = chat("Hello?", "Hi.", system="You are a clerk.")
    assert said(data) == ["Hello?", "Hi."]
    parts = [{"type": "text", "text": "See "}, {"type": "image_url", "image_url": {"url": "x"}}, "this"]
    assert said(chat(parts, "Yes.")) == ["See this", "Yes."]  # type: ignore[arg-type]
    assert said(pair("Which?", "This.", "That.")) == ["Which?", "This.", "That."]
    assert said({"prompt": "Two and two?", "completion": "Four"}) == ["Two and two?", "Four"]
    asked = {"role": "assistant", "content": None, "tool_calls": [call("find", '{"x": 1}')]}
    told = {"role": "tool", "content": "a long result", "tool_call_id": "call_1"}
    assert said({"messages": [asked, told]}) == ["", "find", '{"x": 1}']
    legacy = {"role": "assistant", "function_call": {"name": "find", "arguments": "{}"}}
    assert said({"messages": [legacy, {"role": "developer", "content": "Be brief."}]}) == ["", "find", "{}"]


KEYS = (
    *("messages", "role", "content", "tool_calls", "function", "name", "arguments", "function_call", "input"),
    *("prompt", "completion", "preferred_output", "non_preferred_completion", "text", "type"),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["user", "assistant"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(["messages", "input", "prompt", "preferred_output"]), JSON))
@settings(max_examples=50)
def test_no_shape_is_too_strange(data: dict[str, Any]) -> None:
    assert all(isinstance(text, str) for text in said(data))
    assert len(shingles([said(data)]).counts) == 1
