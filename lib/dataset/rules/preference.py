"""Preference pairs (method dpo): an input and two answers of one message each.

The guides name the answers preferred_output and non_preferred_output, OpenAI's specification of 2025-04 *_completion.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.dataset.example import NON_PREFERRED, PREFERRED
from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, Rule, shown
from lib.dataset.rules.entry import entries, parts_of

KEYS = frozenset({"input", *PREFERRED, *NON_PREFERRED})
INPUT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls"})


def has_an_input(case: Case) -> Iterator[Finding]:
    """`input` is an object with messages."""
    held = case.data.get("input")
    if held is None:
        why = "The service answers: Invalid file format. … is missing key 'input'."
        yield case.finding("error", "missing_input", "is missing the key “input”.", why)
    elif not isinstance(held, dict) or not isinstance(held.get("messages"), list) or not held["messages"]:
        why = 'It is {"messages": [ … ]} with at least one message.'
        yield case.finding("error", "bad_input", "has an “input” without messages.", why)


def has_no_extra_keys(case: Case) -> Iterator[Finding]:
    """Neither the pair nor its input has keys beside those of the format."""
    held = case.data.get("input")
    inside = held.keys() - INPUT_KEYS if isinstance(held, dict) else set()
    for key in sorted((case.data.keys() - KEYS) | inside):
        why = "The service refuses the whole file when an example has keys that it does not know."
        text = f"contains an extra “{shown(key)}”."
        yield case.finding("error", "extra_key", text, why, fix="remove_extra_keys")


def has_two_answers(case: Case) -> Iterator[Finding]:
    """Both answers are there under the guides' names, each one assistant message."""
    for names in (PREFERRED, NON_PREFERRED):
        found = next((name for name in names if name in case.data), None)
        if found is None:
            why = "A preference pair needs both answers."
            yield case.finding("error", "missing_answer", f"is missing the key “{names[0]}”.", why)
            continue
        if found != names[0]:
            why = "OpenAI's specification has this name, its guides and Azure's the other. Files with the other work."
            text = f"calls an answer “{found}”; the guides call it “{names[0]}”."
            yield case.finding("warning", "other_name", text, why, fix="rename_answers")
        yield from _one_answer(case, found)


def answers_differ(case: Case) -> Iterator[Finding]:
    """The two answers are not the same."""
    first, second = ([case.data.get(name) for name in names] for names in (PREFERRED, NON_PREFERRED))
    if any(held is not None for held in first) and first == second:
        why = "There is no preference to learn from two equal answers."
        yield case.finding("warning", "equal_answers", "prefers an answer to itself.", why, fix="remove_example")


def asks_last(case: Case) -> Iterator[Finding]:
    """The input ends with something to answer, and holds text only."""
    messages = case.messages
    last = messages[-1] if messages else None
    if isinstance(last, dict) and last.get("role") == "assistant":
        why = "Both answers continue the input, so an answer should not be its last message."
        text = "ends the input and comes from the assistant."
        yield case.finding("warning", "input_ends_with_assistant", text, why, message=len(messages) - 1)
    for entry in entries(case):
        if any("image_url" in part for part in parts_of(entry.data)):
            yield entry.finding(
                "error", "image_in_preference", "holds an image.", "Preference training takes text only."
            )


def _one_answer(case: Case, name: str) -> Iterator[Finding]:
    held = case.data[name]
    good = (
        isinstance(held, list) and len(held) == 1 and isinstance(held[0], dict) and held[0].get("role") == "assistant"
    )
    if not good:
        why = "Training is on one-turn answers: a list with one assistant message."
        yield case.finding("error", "bad_answer", f"has a “{name}” that is not one assistant message.", why)


RULES: tuple[Rule, ...] = (has_an_input, has_no_extra_keys, has_two_answers, answers_differ, asks_last)
