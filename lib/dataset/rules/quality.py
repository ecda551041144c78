"""What a service takes but a model should not learn, and text that a service takes for a mark of its own.

Looks at one example at a time, see repeats.py for what stands twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, TextRule

# The special tokens of the encodings of models that can be tuned. Services refuse them: "Example 6174 message contains
# an invalid token: <|fim_suffix|>".
SPECIAL = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix)\|>")
LIKE_SPECIAL = re.compile(r"<\|[a-z][a-z0-9_]{1,30}\|>")

REFUSAL = re.compile(
    r"\s*(?:I(?:'|’)m (?:very |really )?sorry,? (?:but )?I (?:can(?:'|’)t|cannot|am unable|(?:'|’)?m not able)"
    r"|I (?:can(?:'|’)t|cannot) (?:help|assist|comply|provide)"
    r"|I(?:'|’)m (?:unable|not able) to (?:help|assist|provide)"
    r"|As an AI(?: language)? model)",
    re.IGNORECASE,
)
# What UTF-8 looks like after it was read as Windows-1252 and saved again.
BROKEN_ENCODING = re.compile("Ã[\u00a0-\u00bf]|â€[\u0099-\u009d™œ\u009d˜“”¦]|\ufffd")


def no_special_tokens(case: Case) -> Iterator[Finding]:
    """No text holds what the encoding keeps for itself."""
    for index, text in case.texts:
        if "<|" not in text:
            continue
        for found in dict.fromkeys(SPECIAL.findall(text)):
            why = "The service refuses the file: Example … message contains an invalid token."
            told = f"contains an invalid token: {found}."
            yield case.finding("error", "special_token", told, why, message=index, fix="break_special_tokens")
        for found in dict.fromkeys(LIKE_SPECIAL.findall(text)):
            if not SPECIAL.fullmatch(found):
                why = "It looks like a mark of a chat template. Templates are added by the service, not in the data."
                told = f"contains {found}."
                yield case.finding(
                    "warning", "like_special_token", told, why, message=index, fix="break_special_tokens"
                )


def no_refusal(case: Case) -> Iterator[Finding]:
    """The last answer is not a refusal; a few may be wanted, many teach the model to refuse."""
    index = len(case.messages) - 1
    entry = case.messages[index] if index >= 0 else None
    text = entry.get("content") if isinstance(entry, dict) and entry.get("role") == "assistant" else None
    if isinstance(text, str) and REFUSAL.match(text):
        why = "Refusals are learned quickly. Keep them only where the model should refuse."
        yield case.finding("info", "refusal", "refuses to answer.", why, message=index)


def no_broken_encoding(case: Case) -> Iterator[Finding]:
    """No text shows the marks of an encoding that went wrong."""
    for index, text in case.texts:
        if not text.isascii() and (found := BROKEN_ENCODING.search(text)):
            near = text[max(0, found.start() - 12) : found.end() + 12]
            why = "The model would learn the broken characters. Read the source again as UTF-8."
            told = f"has characters that look broken: “{near}”."
            yield case.finding("warning", "broken_encoding", told, why, message=index)


RULES: tuple[TextRule, ...] = (
    TextRule(no_special_tokens, words=("<|",)),
    TextRule(no_refusal, words=("I'm", "I’m", "I can", "I cannot", "As an AI")),
    TextRule(no_broken_encoding, words=("Ã", "â€", "\ufffd")),
)
