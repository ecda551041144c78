"""Examples for reinforcement: messages that end with a question, and any fields that a grader reads.

Knows no grader.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, Rule


def has_messages(case: Case) -> Iterator[Finding]:
    """The example has a list of messages with at least one message."""
    held = case.data.get("messages")
    if not isinstance(held, list) or not held:
        why = "The service answers: Invalid file format. … is missing key 'messages'."
        yield case.finding("error", "missing_messages", "has no list of messages.", why)


def ends_with_a_question(case: Case) -> Iterator[Finding]:
    """The last message is not an answer: the model writes it, and a grader scores it."""
    messages = case.messages
    last = messages[-1] if messages else None
    if isinstance(last, dict) and last.get("role") == "assistant":
        why = "The model answers by itself and is graded; an answer in the data is not used."
        text = "is the last and comes from the assistant."
        yield case.finding("warning", "ends_with_assistant", text, why, message=len(messages) - 1)


def has_no_system_message(case: Case) -> Iterator[Finding]:
    """The instruction comes from the developer, not from the system."""
    for index, entry in enumerate(case.messages):
        if isinstance(entry, dict) and entry.get("role") == "system":
            why = "The service answers: System messages are not supported in 'reinforcement' examples."
            text = "has the role system."
            yield case.finding("error", "system_role", text, why, message=index, fix="system_to_developer")


def belongs_in_the_line(case: Case) -> Iterator[Finding]:
    """Nothing stands in the line that belongs in the job, and something stands there for a grader to read."""
    if "response_format" in case.data:
        why = "The format of answers is set in the job (method.reinforcement.response_format). Here it has no effect."
        text = "contains “response_format”."
        yield case.finding("warning", "response_format_in_line", text, why, fix="drop_response_format")
    if case.messages and not case.data.keys() - OWN_KEYS:
        why = "A grader reads them as {{item.…}}. Without one it sees nothing but the model's answer."
        yield case.finding("info", "no_grader_fields", "has no field beside its messages.", why)


OWN_KEYS = frozenset({"messages", "tools", "parallel_tool_calls", "response_format"})
RULES: tuple[Rule, ...] = (has_messages, ends_with_a_question, has_no_system_message, belongs_in_the_line)
