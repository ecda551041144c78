"""Which method an example is for, against the method of the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lib.dataset.example import Method, method_of
from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case

# So many examples tell the method of a file.
LOOKED_AT_FIRST = 100

ANSWERS = {
    ("dpo", "supervised"): "The service answers: Invalid file format. … is missing key 'messages'.",
    ("dpo", "reinforcement"): "The service answers: Invalid file format. … is missing key 'messages'.",
    ("supervised", "dpo"): "The service answers: … is in the fine-tune-chat format, but the specified fine-tuning job "
    "is not using 'supervised' as the training method (provided method=dpo).",
}
KINDS = {
    "dpo": "a preference pair",
    "supervised": "a conversation with an answer",
    "reinforcement": "a question for a grader",
}


def method_of_most(examples: Iterable[dict[str, object]]) -> Method:
    """The method that most of these examples have the shape of; supervised when there are none."""
    shapes = Counter(method_of(data) for data in examples)
    return shapes.most_common(1)[0][0] if shapes else "supervised"


def misplaced(case: Case) -> Finding | None:
    """An error when the example is a preference pair in a file of conversations, or the other way round."""
    shape = method_of(case.data)
    pairs = {shape, case.method} & {"dpo"}
    if shape == case.method or not pairs or not case.data.keys() & {"messages", "input", "preferred_output"}:
        return None
    why = ANSWERS.get((shape, case.method), "All examples of a file must be for one method.")
    text = f"is {KINDS[shape]}, but the method is {case.method}."
    return case.finding("error", "wrong_method", text, f"{why} Choose the method {shape}, or take it out.")
