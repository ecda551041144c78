from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.dataset.survey.facts import facts_of
from lib.dataset.token_view import LONGEST_SHOWN, Piece, TokenView, token_view
from lib.tokens.billing import example_tokens
from lib.tokens.counting import counter
from tests.dataset import unusual
from tests.dataset.conversations import call, chat, pair, tool
from tests.dataset.shared import shared_file

O200K = "o200k_base"


def every(view: TokenView) -> list[Piece]:
    return list(view.page(0, view.pieces))


def texts(view: TokenView, *, trained: bool) -> str:
    return "".join(piece.text for piece in every(view) if piece.text and piece.trained is trained)


def agrees(data: dict[str, Any], encoding: str = O200K) -> None:
    count = counter(encoding)
    view = token_view(data, encoding)
    assert view.tokens == example_tokens(data, count)
    assert sum(piece.tokens for piece in every(view)) == view.tokens
    if "messages" in data or "prompt" not in data:
        assert view.trained == facts_of(data, count).trained


@pytest.mark.parametrize("encoding", [O200K, "cl100k_base", "etude_4k"])
@pytest.mark.parametrize("name", ["birds208", "dpo12", "drone_tools", "foreign_sharegpt_tools72", "nebius800"])
def test_the_sums_are_those_of_the_bill_on_real_files(name: str, encoding: str) -> None:
    for line in shared_file(f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[:60]:
        agrees(json.loads(line), encoding)


@settings(max_examples=150, deadline=None)
@given(unusual.EXAMPLES)
def test_the_sums_are_those_of_the_bill_whatever_an_example_holds(data: dict[str, Any]) -> None:
    agrees(data)


@settings(max_examples=60, deadline=None)
@given(unusual.EXAMPLES, st.integers(1, 60))
def test_what_is_cut_is_what_is_not_billed(data: dict[str, Any], limit: int) -> None:
    view = token_view(data, O200K, limit)
    assert view.billed == example_tokens(data, counter(O200K), limit)
    assert view.cut == view.tokens - view.billed
    whole = token_view(data, O200K)
    assert view.trained <= whole.trained
    for piece, alone in zip(every(view), every(whole), strict=True):
        assert not alone.cut
        assert (piece.text, piece.tokens, piece.trained) == (alone.text, alone.tokens, alone.trained)


def test_the_answer_is_trained_on_and_nothing_else_is() -> None:
    view = token_view(chat("Who is it?", "It is me.", system="Be short."), O200K)
    assert texts(view, trained=True) == "It is me."
    assert texts(view, trained=False) == "Be short.Who is it?"


def test_an_answer_without_weight_is_masked() -> None:
    data = chat("Who?", "Me.")
    data["messages"] = [*data["messages"], *chat("And?", "You.")["messages"]]
    data["messages"][1]["weight"] = 0
    assert texts(token_view(data, O200K), trained=True) == "You."


def test_the_end_is_cut_and_what_stands_before_it_is_not() -> None:
    view = token_view(chat("a " * 50, "b b b b"), O200K, limit=60)
    flags = [piece.cut for piece in every(view)]
    assert flags == sorted(flags)
    assert sum(piece.tokens for piece in every(view) if piece.cut) == view.cut > 0
    assert view.trained < token_view(chat("a " * 50, "b b b b"), O200K).trained


def test_both_answers_of_a_pair_are_trained_on() -> None:
    assert texts(token_view(pair("Which?", "This.", "That."), O200K), trained=True) == "This.That."


def test_calls_are_trained_on_and_tools_are_read_first() -> None:
    data = {**chat(), "tools": [tool("look_up")]}
    data["messages"][-1] = {"role": "assistant", "content": None, "tool_calls": [call("look_up", "{}")]}
    view = token_view(data, O200K)
    assert texts(view, trained=True) == "look_up{}"
    assert [one.part for one in view.stretches][:3] == ["example", "tools", "message"]


def test_half_a_character_is_shown_as_its_bytes() -> None:
    shown = [piece.text for piece in every(token_view(chat("🦩", "x"), O200K)) if piece.text]
    assert len(shown) > 2
    assert all(text.startswith("\\x") for text in shown[:-1])
    assert "�" not in "".join(shown)


def test_a_page_is_the_same_as_that_part_of_the_whole() -> None:
    view = token_view(chat("one two three four five", "six seven eight"), O200K, limit=12)
    whole = every(view)
    for start in range(len(whole)):
        assert list(view.page(start, start + 3)) == whole[start : start + 3]
    assert not list(view.page(len(whole), len(whole) + 5))


def test_a_text_without_end_is_shown_to_a_bound_and_counted_whole() -> None:
    data = chat("Why? " * (LONGEST_SHOWN // 4), "So.")
    view = token_view(data, O200K)
    assert view.tokens == example_tokens(data, counter(O200K))
    assert view.pieces < view.tokens
    rest = [piece for piece in every(view) if not piece.text and piece.tokens > 1000]
    assert len(rest) == 1
    assert texts(view, trained=True) == "So."


def test_a_legacy_completion_is_trained_on() -> None:
    assert texts(token_view({"prompt": "Ask", "completion": " Answer"}, O200K), trained=True) == " Answer"


@pytest.mark.parametrize(
    "content", [{"text": "no part"}, {"type": "image_url"}, 7, [["deep"]], [{"refusal": "no"}, "b"]]
)
def test_a_strange_content_is_shown_as_it_is_billed(content: Any) -> None:
    agrees({"messages": [{"role": "user", "content": content}, {"role": "assistant", "content": content}]})
