from __future__ import annotations

import pytest

from lib.dataset.convert.fields import Unfit
from lib.dataset.convert.marked import conversation, is_marked

ALPACA = "Below is an instruction.\n\n### Instruction:\nAdd them\n\n### Input:\n1 2\n\n### Response:\n3"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ALPACA, [("system", "Below is an instruction."), ("user", "Add them\n\n1 2"), ("assistant", "3")]),
        ("### Human: a### Assistant: b### Human: c### Assistant: d", ["user", "assistant", "user", "assistant"]),
        ("### Question\na\n### Answer\nb<|endoftext|>", [("user", "a"), ("assistant", "b")]),
        (
            "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n",
            [("system", "s"), ("user", "a"), ("assistant", "b")],
        ),
        ("<|im_start|>user\na\n<|im_start|>assistant\nb", [("user", "a"), ("assistant", "b")]),
        (
            "### Instruction:\n#### Input: no mark\n### Response: b",
            [("user", "#### Input: no mark"), ("assistant", "b")],
        ),
    ],
)
def test_marks_part_what_is_said(text: str, said: list[object]) -> None:
    assert is_marked(text)
    made = [(message["role"], message["content"]) for message in conversation(text)]
    assert said in (made, [role for role, _ in made])


@pytest.mark.parametrize("text", ["plain", "### Instruction:\nalone", "# Response\n", "### Responses vary\n", ""])
def test_a_text_without_both_marks_is_not_one(text: str) -> None:
    assert not is_marked(text)


def test_a_text_that_ends_with_a_question_has_no_answer() -> None:
    with pytest.raises(Unfit, match="no answer"):
        conversation("### Response:\na\n### Instruction:\nb")
