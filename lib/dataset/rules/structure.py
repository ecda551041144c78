"""What an example must be made of: its keys, its messages, its answer.

The rules follow OpenAI's guides, its specification and the messages its server is known to give. What only users report
is a warning. Knows nothing of tools, size and quality.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.dataset.convert.dialects import converted, recognise
from lib.dataset.example import SUPERVISED_KEYS
from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, Rule, shown

UNEXPECTED = "The service answers: Unexpected file format, expected either prompt/completion pairs or chat messages."
A_LIST = 'It is a list such as [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].'
# Keys that people put beside the messages although they belong elsewhere.
REQUEST_KEYS = frozenset(
    {"response_format", "tool_choice", "function_call", "model", "temperature", "top_p", "max_tokens", "n", "stop"}
    | {"max_completion_tokens", "stream", "seed", "logprobs", "reasoning_effort", "store", "metadata"}
)
MESSAGE_KEYS = frozenset({"weight", "role", "content", "name", "tool_calls", "refusal"})
TRAINS_NOTHING = "A model learns from assistant messages only."


def has_messages(case: Case) -> Iterator[Finding]:
    """The example has a list of messages with at least one message."""
    data = case.data
    if "messages" in data:
        if not isinstance(data["messages"], list):
            yield case.finding("error", "messages_not_a_list", "has “messages” that are not a list.", A_LIST)
        elif not data["messages"]:
            why = f"The service needs at least one message. {TRAINS_NOTHING}"
            yield case.finding("error", "no_messages", "has no messages.", why, fix="remove_example")
    elif "prompt" in data and "completion" in data:
        yield case.finding(
            "error",
            "prompt_completion",
            "is a prompt with a completion, the legacy format.",
            "Only babbage-002 and davinci-002 took it, and they are gone. Chat models need “messages”.",
            fix="convert",
        )
    elif (dialect := recognise(data)) is not None:
        yield case.finding(
            "error",
            "foreign_format",
            f"is in the format {dialect.name}, not in that of the services.",
            f"{UNEXPECTED} When it is converted: {dialect.becomes}",
            fix="convert" if converted(data) is not None else None,
        )
    else:
        why = "The service answers: Invalid file format. … is missing key 'messages'."
        yield case.finding("error", "missing_messages", "is missing the key “messages”.", why)


def has_no_extra_keys(case: Case) -> Iterator[Finding]:
    """A supervised example has no key beside those of the format."""
    if "messages" not in case.data:
        return
    for key in case.data:
        if key not in SUPERVISED_KEYS:
            why = f'The service refuses the whole file: Invalid file format. … contains an extra "{shown(key)}".'
            if key in REQUEST_KEYS:
                why += " It belongs to the request when the model is used, not to the training data."
            elif key in MESSAGE_KEYS:
                why += " It belongs to a message, not to the example."
            yield case.finding("error", "extra_key", f"contains an extra “{shown(key)}”.", why, fix="remove_extra_keys")


def has_an_assistant(case: Case) -> Iterator[Finding]:
    """At least one message is the assistant's."""
    messages = case.messages
    if messages and not any(isinstance(entry, dict) and entry.get("role") == "assistant" for entry in messages):
        yield case.finding(
            "error", "no_assistant_message", "has no assistant message.", TRAINS_NOTHING, fix="remove_example"
        )


def ends_with_the_assistant(case: Case) -> Iterator[Finding]:
    """The last message is the assistant's.

    A warning: services are reported to accept files whose examples end otherwise, and one of Nebius' own sample files
    does; what stands after the last answer is paid for and trains nothing.
    """
    messages = case.messages
    roles = [entry.get("role") if isinstance(entry, dict) else None for entry in messages]
    if "assistant" in roles and roles[-1] != "assistant":
        last = len(messages) - 1
        yield case.finding(
            "warning",
            "last_not_assistant",
            f"is the last and comes from {shown(roles[-1])}, not from the assistant.",
            "What follows the last answer is paid for and trains nothing. Some services ask for an answer at the end.",
            message=last,
            fix="drop_messages_after_the_last_answer",
        )


def weighs_something(case: Case) -> Iterator[Finding]:
    """At least one assistant message is trained on: not all of them have the weight 0."""
    answers = [entry for entry in case.messages if isinstance(entry, dict) and entry.get("role") == "assistant"]
    if answers and all(_is_zero(entry.get("weight")) for entry in answers):
        why = "The example would be paid for and train nothing."
        text = "has the weight 0 on every assistant message: nothing is left to train on."
        yield case.finding("error", "nothing_to_train_on", text, why, fix="remove_example")


def _is_zero(weight: object) -> bool:
    return isinstance(weight, (int, float)) and not isinstance(weight, bool) and weight == 0


RULES: tuple[Rule, ...] = (
    has_messages,
    has_no_extra_keys,
    has_an_assistant,
    ends_with_the_assistant,
    weighs_something,
)
