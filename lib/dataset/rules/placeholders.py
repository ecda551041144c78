"""What somebody meant to fill in and did not, and the phrases that chat models are known by.

Only what is trained on is looked through for gaps such as [Your Name]: a question may well ask for a form. Texts with
code are looked through for filler text alone, because code has such marks of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib.dataset.example import content_text
from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, TextRule, shown
from lib.dataset.rules.entry import Entry, entries

FILLER = re.compile(r"[Ll]orem ipsum|LOREM IPSUM")
# Two words in capitals for work left undone, put together here because this file has none left.
UNDONE = ("TO" + "DO", "FIX" + "ME")
GAP = re.compile(
    r"\[(?:Your|your|YOUR|Insert|insert|INSERT|Company|Customer|Client|Recipient)(?:['’]s)?[ _][^\[\]\n]{1,40}\]"
    r"|\[(?:Name|NAME|Date|DATE|Address|ADDRESS|Company|COMPANY)\]"
    r"|<(?:Your|your|YOUR|Insert|insert|INSERT)[ _-][^<>\n]{1,40}>"
    rf"|\b(?:{'|'.join(UNDONE)})(?::|\b(?=\s*$))|\[(?:{'|'.join(UNDONE)})\]"
)
GAP_WORDS = (
    *(f"{bracket}{word}" for bracket in "[<" for word in ("Your", "your", "YOUR", "Insert", "insert", "INSERT")),
    *(f"[{word}" for word in ("Company", "Customer", "Client", "Recipient", "Name]", "NAME]", "Date]", "DATE]")),
    *("[Address]", "[ADDRESS]", "[COMPANY]", *UNDONE),
)
FIELD = re.compile(r"\{\{\s?[A-Za-z_][\w .-]{0,40}\}\}")
CODE = re.compile(r"```|\{%|</|=>|\bdef |\bfunction\b")

PHRASE = re.compile(
    r"\b[Aa]s an (?:AI|artificial intelligence)(?: language)?(?: model| assistant)?\b"
    r"|\bmy (?:knowledge|training)(?: data)? cut-?off|\bmy last (?:knowledge|training) (?:update|cut-?off)"
    r"|\b(?:trained|developed|created|made) by OpenAI\b|\bI(?:['’]m| am) ChatGPT\b"
)


def nothing_to_fill_in(case: Case) -> Iterator[Finding]:
    """No answer has a gap that was to be filled in, and no text has filler or a template's field."""
    for entry in entries(case):
        text = content_text(entry.data.get("content"))
        found = FILLER.search(text)
        if found is None and not CODE.search(text):
            found = FIELD.search(text) or (GAP.search(text) if is_learned(entry) else None)
        if found:
            why = "The model would learn to write it, or to be asked with it."
            told = f"has something that was to be filled in: “{shown(found.group())}”."
            yield entry.finding("warning", "placeholder", told, why)


def no_phrase_of_a_machine(case: Case) -> Iterator[Finding]:
    """No answer speaks of itself as somebody else's model."""
    for entry in entries(case):
        found = PHRASE.search(content_text(entry.data.get("content"))) if is_learned(entry) else None
        if found:
            why = "It comes from the model that wrote the answer. Yours would learn to say it of itself."
            told = f"has a phrase that chat models are known by: “{shown(found.group())}”."
            yield entry.finding("warning", "boilerplate", told, why)


def is_learned(entry: Entry) -> bool:
    """Whether a model learns to write this: an answer that is trained on, or the preferred one of a pair."""
    return entry.role == "assistant" and entry.data.get("weight") != 0 and not entry.answer.startswith("non_preferred")


RULES: tuple[TextRule, ...] = (
    TextRule(nothing_to_fill_in, words=("orem ipsum", "OREM IPSUM", "{{", *GAP_WORDS)),
    TextRule(
        no_phrase_of_a_machine,
        words=(
            "s an AI",
            "s an artificial intelligence",
            "my knowledge",
            "my training",
            "my last ",
            "by OpenAI",
            "ChatGPT",
        ),
    ),
)
