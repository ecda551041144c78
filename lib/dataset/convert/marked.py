"""One text that holds a whole conversation, with marks between what is asked and what is answered.

Marks are headings such as "### Instruction:" and "### Response:", or those of ChatML. Knows nothing but the text.
"""

from __future__ import annotations

import re

from lib.dataset.convert.fields import Data, Unfit

HEADING = re.compile(
    r"(?<!#)###\s*(System|Instructions?|Input|Context|Question|Prompt|User|Human|Response|Answer|Output|Assistant)"
    r"(?::[ \t]*|[ \t]*(?=\n))",
    re.IGNORECASE,
)
CHATML = re.compile(
    r"<\|im_start\|>\s*(system|user|assistant)\s*\n(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL
)
ANSWERS = frozenset({"response", "answer", "output", "assistant"})
END = re.compile(r"(?:</s>|<\|endoftext\|>|<\|end_of_text\|>|<eos>|### ?End)\s*\Z")


def is_marked(text: str) -> bool:
    """Whether a text has a mark before a question and one before an answer."""
    if "<|im_start|>" in text:
        return "<|im_start|>assistant" in text
    names = {found.group(1).lower() for found in HEADING.finditer(text[: 1 << 20])}
    return bool(names & ANSWERS) and bool(names - ANSWERS)


def conversation(text: str) -> list[Data]:
    """The messages of a marked text. Raises Unfit when it does not end with an answer."""
    messages = _chatml(text) if "<|im_start|>" in text else _headed(text)
    if not messages or messages[-1]["role"] != "assistant":
        raise Unfit("has no answer at its end")
    return messages


def _chatml(text: str) -> list[Data]:
    return [
        {"role": found.group(1), "content": found.group(2).strip()}
        for found in CHATML.finditer(text)
        if found.group(2).strip()
    ]


def _headed(text: str) -> list[Data]:
    parts = HEADING.split(text)
    # The Alpaca template begins with the same sentence in each example: a system message.
    before = parts[0].strip()
    messages: list[Data] = [{"role": "system", "content": before}] if before else []
    for name, said in zip(parts[1::2], parts[2::2], strict=True):
        role = "system" if name.lower() == "system" else "assistant" if name.lower() in ANSWERS else "user"
        words = END.sub("", said).strip() if role == "assistant" else said.strip()
        if not words:
            continue
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n\n{words}"
        else:
            messages.append({"role": role, "content": words})
    return messages
