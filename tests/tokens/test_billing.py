from __future__ import annotations

import json
from typing import Any

import pytest

from lib.tokens.billing import example_tokens, message_tokens
from lib.tokens.counting import counter
from tests.dataset.conversations import call, chat, pair, tool
from tests.dataset.shared import shared_file


def words(text: str) -> int:
    """A counter that can be followed by eye: a token is a word."""
    return len(text.split())


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shared_file(name).read_text(encoding="utf-8").splitlines()]


def test_an_example_costs_one_and_each_message_three_with_role_and_content() -> None:
    assert example_tokens(chat("a b c", "d"), words) == 1 + (3 + 1 + 3) + (3 + 1 + 1)


def test_a_long_example_is_billed_to_the_limit() -> None:
    assert example_tokens(chat("a " * 100, "d"), words, limit=50) == 50


def test_a_masked_message_is_billed_all_the_same() -> None:
    data = chat()
    plain = example_tokens(data, words)
    data["messages"][-1]["weight"] = 0
    assert example_tokens(data, words) == plain


@pytest.mark.parametrize(
    ("message", "tokens"),
    [
        ({"role": "user", "content": [{"type": "text", "text": "a b"}, {"type": "image_url"}]}, 3 + 1 + 2 + 85),
        ({"role": "assistant", "content": None, "tool_calls": [call("f", "{} x")]}, 3 + 1 + 1 + 2),
        ({"role": "user", "name": "ann", "content": "a"}, 3 + 1 + 1 + 2),
        ({"role": 7, "content": {"a": 1}, "tool_calls": "no"}, 3),
        ("no message", 0),
    ],
)
def test_what_a_message_costs(message: Any, tokens: int) -> None:
    assert message_tokens(message, words) == tokens


def test_tools_count_as_text_of_their_own() -> None:
    with_tools = {**chat(), "tools": [tool()]}
    assert example_tokens(with_tools, words) > example_tokens(chat(), words)


def test_a_pair_counts_its_prompt_once_and_both_answers() -> None:
    assert example_tokens(pair("a b", "c", "d e"), words) == 1 + (3 + 1 + 2) + (3 + 1 + 1) + (3 + 1 + 2)


def test_a_legacy_pair_counts_both_texts() -> None:
    assert example_tokens({"prompt": "a b", "completion": " c"}, words) == 1 + 3


def test_toy_chat_agrees_with_the_figures_of_the_cookbook() -> None:
    count = counter("cl100k_base")
    # The cookbook's estimate is two more for each example than what is billed.
    tokens = [example_tokens(data, count) + 2 for data in rows("toy_chat.jsonl")]
    assert (min(tokens), max(tokens), sum(tokens) / 5) == (26, 8032, 1648.4)
    assert sum(min(number, 4096) for number in tokens) == 4306


def test_drone_tools_costs_what_openai_billed() -> None:
    count = counter("cl100k_base")
    billed = sum(example_tokens(data, count, limit=16_385) for data in rows("drone_tools.jsonl"))
    assert billed == 48_661
    assert 3 * billed == 145_983
