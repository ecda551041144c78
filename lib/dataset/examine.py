"""All rules about one example by itself. What takes other examples to be seen is in likeness.py, labels.py, near.py."""

from __future__ import annotations

from collections.abc import Iterator

from lib.dataset.example import Method
from lib.dataset.finding import Finding
from lib.dataset.rules import messages, preference, quality, reinforcement, secrets, structure, tools
from lib.dataset.rules.belonging import misplaced
from lib.dataset.rules.case import Case, Rule, TextRule

SHAPE_RULES: dict[Method, tuple[Rule, ...]] = {
    "supervised": structure.RULES + messages.RULES + tools.RULES,
    "dpo": preference.RULES + messages.RULES + tools.RULES,
    "reinforcement": reinforcement.RULES + messages.RULES + tools.RULES,
}
TEXT_RULES: tuple[TextRule, ...] = quality.RULES + secrets.RULES


def examine(case: Case) -> Iterator[Finding]:
    """Findings about one example by itself."""
    if (finding := misplaced(case)) is not None:
        yield finding
        return
    for rule in SHAPE_RULES[case.method]:
        yield from rule(case)
    for rule in quality.ANSWER_RULES:
        yield from rule(case)
    joined = "\n".join(text for _, text in case.texts)
    for text_rule in TEXT_RULES:
        if text_rule.may_find(joined):
            yield from text_rule.rule(case)
