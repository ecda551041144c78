"""Two answers to one question, one better than the other, in the forms that other tools write.

Chosen and rejected as texts, as messages or as whole conversations; transcripts; answers with scores.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lib.dataset.convert.fields import Data, Fields, Unfit, is_empty, text_of
from lib.dataset.convert.names import SYSTEMS
from lib.dataset.convert.turns import messages_of, tools_of, with_system

# (better, worse), as they are called.
SIDES = (
    ("chosen", "rejected"),
    ("chosen_messages", "rejected_messages"),
    ("chosen_response", "rejected_response"),
    ("response_chosen", "response_rejected"),
    ("chosen_answer", "rejected_answer"),
    ("preferred_completion", "non_preferred_completion"),
    ("preferred_output", "non_preferred_output"),
    ("preferred", "rejected"),
    ("preferred", "dispreferred"),
)
ASKED = ("prompt", "question", "query", "input", "messages", "conversations", "conversation", "context")
SCORES = ("overall_score", "score", "rating", "fine_grained_score")
TRANSCRIPT = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


def pair(better: str, worse: str) -> Callable[[Fields], Data]:
    """The conversion of examples whose answers are called so."""

    def convert(fields: Fields) -> Data:
        good = _side(fields, better)
        bad = _side(fields, worse)
        if len(bad) > 1 and good[:-1] != bad[:-1]:
            raise Unfit("has two answers to different conversations")
        prompt = _prompt(fields)
        if len(good) > 1 and prompt != good[:-1]:
            # A conversation most often holds the prompt already; what it does not hold stands before it.
            said = [entry.get("content") for entry in good]
            prompt = [entry for entry in prompt if entry.get("content") not in said] + good[:-1]
        if not prompt:
            raise Unfit("has two answers but no question")
        prompt = with_system(fields.take(*SYSTEMS), prompt)
        asked: Data = {"messages": prompt}
        tools = fields.take("tools")
        held = fields.look("input")
        if isinstance(held, dict) and not is_empty(held.get("tools")):
            tools = held["tools"]
        if tools:
            asked["tools"] = tools_of(tools)
        if isinstance(held, dict) and isinstance(held.get("parallel_tool_calls"), bool):
            asked["parallel_tool_calls"] = held["parallel_tool_calls"]
        return {"input": asked, "preferred_output": [good[-1]], "non_preferred_output": [bad[-1]]}

    return convert


def scored(fields: Fields) -> Data:
    """One question with several answers that have scores (UltraFeedback): the best of them against the worst."""
    answers = [one for one in fields.must("completions") if isinstance(one, dict)]
    rated = [(score, one) for one in answers if (score := _score(one)) is not None and _answer(one)]
    if not rated:
        raise Unfit("has no two answers with scores")
    best, worst = max(rated, key=lambda one: one[0]), min(rated, key=lambda one: one[0])
    if best[0] == worst[0]:
        raise Unfit("has no two answers of different scores")
    if len(rated) > 2:
        fields.leave_out(["answers between the best and the worst"], "of completions")
    prompt = messages_of(fields.must("instruction", "prompt", "question"), fields, "instruction", text_is="user")
    return {
        "input": {"messages": with_system(fields.take(*SYSTEMS), prompt)},
        "preferred_output": [{"role": "assistant", "content": _answer(best[1])}],
        "non_preferred_output": [{"role": "assistant", "content": _answer(worst[1])}],
    }


def _side(fields: Fields, name: str) -> list[Data]:
    """One answer, with what was said before it when that is part of it."""
    held = fields.must(name)
    said = _transcript(held) if isinstance(held, str) else []
    messages = said or messages_of(held, fields, name)
    if not messages or messages[-1]["role"] != "assistant":
        raise Unfit(f"has no answer at the end of “{name}”")
    # What is trained on in a pair is always the answer: a weight says nothing there.
    return [{key: value for key, value in entry.items() if key != "weight"} for entry in messages]


def _prompt(fields: Fields) -> list[Data]:
    if not is_empty(fields.look("instruction")):
        asked = text_of(fields.take("instruction"))
        more = fields.take("input")
        return [{"role": "user", "content": f"{asked}\n\n{text_of(more)}" if more else asked}]
    held = fields.take(*ASKED)
    if held is None:
        return []
    if isinstance(held, str) and (said := _transcript(held)):
        return said
    if isinstance(held, dict) and "messages" not in held and not any(key in held for key in ("role", "from")):
        raise Unfit("has a question that is no text and no list of messages")
    return messages_of(held, fields, "the question", text_is="user")


def _transcript(text: str) -> list[Data]:
    """The messages of a text such as "Human: … Assistant: …"; none when it is no transcript."""
    parts = TRANSCRIPT.split(text)
    if len(parts) < 3 or parts[0].strip():
        return []
    roles = {"Human": "user", "Assistant": "assistant"}
    said = zip(parts[1::2], parts[2::2], strict=True)
    return [{"role": roles[speaker], "content": words.strip()} for speaker, words in said if words.strip()]


def _score(answer: Data) -> float | None:
    for name in SCORES:
        try:
            return float(answer[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _answer(answer: Data) -> str:
    held = next((answer[key] for key in ("response", "completion", "text", "content") if answer.get(key)), "")
    return text_of(held)
