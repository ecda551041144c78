from __future__ import annotations

from typing import Any

import pytest

from lib.dataset.convert.conversion import Conversion
from lib.dataset.convert.dialects import converted
from lib.dataset.convert.pairs import SIDES
from tests.dataset.conversations import pair

Data = dict[str, Any]
USER = {"role": "user", "content": "Which one?"}
GOOD, BAD = {"role": "assistant", "content": "This."}, {"role": "assistant", "content": "That."}
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.mark.parametrize(("better", "worse"), SIDES)
def test_the_two_answers_are_known_by_many_names(better: str, worse: str) -> None:
    assert converted({"prompt": "Which one?", better: "This.", worse: "That."}) == pair()
    # Messages under the guides' own names are the services' format already.
    native = better == "preferred_output"
    assert converted({"input": {"messages": [USER]}, better: [GOOD], worse: [BAD]}) == (None if native else pair())


@pytest.mark.parametrize(
    "foreign",
    [
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "Which one?", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [USER], "chosen": GOOD, "rejected": BAD},
        {"question": "Which one?", "chosen": "This.", "rejected": "That."},
        {"instruction": "Which one?", "input": "", "chosen": "This.", "rejected": "That."},
        {"conversations": [{"from": "human", "value": "Which one?"}], "chosen": {"from": "gpt", "value": "This."}}
        | {"rejected": {"from": "gpt", "value": "That."}},
        {
            "chosen": "\n\nHuman: Which one?\n\nAssistant: This.",
            "rejected": "\n\nHuman: Which one?\n\nAssistant: That.",
        },
        {"input": {"messages": [USER]}, "preferred_completion": [GOOD], "non_preferred_completion": [BAD]},
        {"input": "Which one?", "preferred_output": "This.", "non_preferred_output": "That."},
        {
            "instruction": "Which one?",
            "completions": [
                {"response": "That.", "overall_score": 2},
                {"response": "This.", "overall_score": "9.5"},
                {"response": "Hm.", "overall_score": "N/A"},
            ],
        },
    ],
)
def test_a_pair_is_a_pair_in_all_its_forms(foreign: Data) -> None:
    assert converted(foreign) == pair()


def test_a_whole_conversation_keeps_all_that_was_said_before_the_answers() -> None:
    before = [SYSTEM, USER, {"role": "assistant", "content": "Hm."}, {"role": "user", "content": "Say."}]
    made = converted({"prompt": "Which one?", "chosen": [*before, GOOD], "rejected": [*before, BAD], "score": 3})
    assert made == pair() | {"input": {"messages": before}}
    assert Conversion().preview(
        {"prompt": "Which one?", "chosen": [USER, GOOD], "rejected": [USER, BAD], "score": 3}
    ).left_out == ("score",)


def test_a_system_message_and_tools_belong_to_the_input() -> None:
    made = converted({"system": "Be brief.", "prompt": "Which one?", "chosen": "This.", "rejected": "That."})
    assert made == pair() | {"input": {"messages": [SYSTEM, USER]}}
    tools = [{"type": "function", "function": {"name": "f"}}]
    held = {"messages": [USER], "tools": tools, "parallel_tool_calls": False}
    made = converted({"input": held, "preferred_completion": [GOOD], "non_preferred_completion": [BAD]})
    assert made == pair() | {"input": held}


def test_answers_between_the_best_and_the_worst_are_named() -> None:
    completions = [{"response": text, "score": score} for text, score in (("a", 1), ("b", 2), ("c", 3))]
    foreign = {"instruction": "q", "completions": completions}
    assert Conversion().preview(foreign).left_out == ("answers between the best and the worst (of completions)",)


@pytest.mark.parametrize(
    "foreign",
    [
        {"chosen": "a", "rejected": "b"},
        {"chosen": [], "rejected": []},
        {"prompt": "a", "chosen": "", "rejected": "b"},
        {"prompt": "a", "chosen": [USER], "rejected": [USER]},
        {"prompt": "a", "chosen": [USER, GOOD], "rejected": [SYSTEM, BAD]},
        {"input": {"text": "a"}, "chosen": "a", "rejected": "b"},
        {"instruction": "q", "completions": [{"response": "a", "score": 1}, {"response": "b", "score": 1}]},
        {"instruction": "q", "completions": ["a", "b"]},
    ],
)
def test_what_is_no_pair_is_not_made_into_one(foreign: Data) -> None:
    assert converted(foreign) is None
