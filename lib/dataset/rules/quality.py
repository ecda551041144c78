"""What a service takes but a model should not learn, and text that a service takes for a mark of its own.

Looks at one example at a time; placeholders are in placeholders.py, broken characters in encoding.py. Refusals are told
by their English wording.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from lib.dataset.example import content_text
from lib.dataset.finding import Finding
from lib.dataset.rules import encoding, placeholders
from lib.dataset.rules.case import Case, Rule, TextRule, shown
from lib.dataset.rules.entry import Entry, answers, entries

# The special tokens of the encodings of models that can be tuned. Services refuse them: "Example 6174 message contains
# an invalid token: <|fim_suffix|>".
SPECIAL = re.compile(r"<\|(?:endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix)\|>")
LIKE_SPECIAL = re.compile(r"<\|[a-z][a-z0-9_]{1,30}\|>")

REFUSAL = re.compile(
    r"\s{0,20}(?:(?:Sorry|I(?:['’]m| am) (?:very |really |so |truly )?(?:sorry|afraid)|I apologi[sz]e|Unfortunately)"
    r"[,.]? (?:but )?(?:that )?(?:as an? [\w ]{2,40}, )?)?"
    r"(?:I (?:can(?:['’]t|not| not)|won['’]t(?: be able to)?|am (?:unable|not able) to)"
    r"|I['’]m (?:unable|not able) to) "
    r"(?:help|assist|comply|provide|do|fulfil|fulfill|answer|discuss|create|generate|support|share|give|write|engage"
    r"|offer|continue|participate|respond)\b"
)
# Most letters of an answer that stand in a question by chance: a name, a phrase, one of several choices.
BY_CHANCE = 60
A_SIGN = re.compile(r"[^\W_]")


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
    for entry in last_answers(case):
        if REFUSAL.match(content_text(entry.data.get("content"))):
            why = "Refusals are learned quickly. Keep them only where the model should refuse."
            yield entry.finding("info", "refusal", "refuses to answer.", why)


def answer_says_something(case: Case) -> Iterator[Finding]:
    """The last answer has more than punctuation. A single letter, a number and a sign such as + or 👍 are answers."""
    for entry in last_answers(case):
        text = content_text(entry.data.get("content"))
        if text.strip() and says_nothing(text):
            why = "The example is paid for, and teaches the model to answer with nothing."
            yield entry.finding("warning", "says_nothing", f"says nothing: “{shown(text)}”.", why, fix="remove_example")


def answer_is_not_given_away(case: Case) -> Iterator[Finding]:
    """A long answer does not stand word for word in the question."""
    messages = case.messages
    for entry in last_answers(case):
        before = messages[: entry.index] if entry.index is not None else messages
        asked = next((one for one in reversed(before) if isinstance(one, dict) and one.get("role") == "user"), None)
        question = content_text(asked.get("content")) if asked else ""
        if given_away(question, content_text(entry.data.get("content"))):
            why = "It teaches to copy. Right where it should quote, wrong where an answer slipped into the question."
            yield entry.finding("info", "answer_in_prompt", "stands word for word in the question.", why)


def says_nothing(text: str) -> bool:
    """Whether a text has only blanks, punctuation and control characters: no letter, digit or symbol of any script."""
    if A_SIGN.search(text):
        return False
    return all(unicodedata.category(sign)[0] in "PZC" for sign in text)


def given_away(question: str, answer: str) -> bool:
    """Whether an answer too long for chance stands in the question as it is."""
    return len(answer) >= BY_CHANCE and answer.strip() in question


def last_answers(case: Case) -> Iterator[Entry]:
    """The last message when it is the assistant's, and the preferred answer of a pair."""
    if case.method == "dpo":
        yield from (entry for entry in answers(case) if entry.answer.startswith("preferred"))
        return
    last = len(case.messages) - 1
    yield from (entry for entry in entries(case) if entry.index == last and entry.role == "assistant")


RULES: tuple[TextRule, ...] = (
    TextRule(no_special_tokens, words=("<|",)),
    TextRule(
        no_refusal,
        words=("I can't", "I can’t", "I cannot", "I can not", "I won't", "I won’t", "unable to", "not able to"),
    ),
    *placeholders.RULES,
    *encoding.RULES,
)
# Rules about answers that no word and no shape announces: they look at every example, plain or not.
ANSWER_RULES: tuple[Rule, ...] = (answer_says_something, answer_is_not_given_away)
