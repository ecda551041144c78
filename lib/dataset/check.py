"""The check: one pass over the examples, every rule, findings in bounded memory.

It is meant to be right both ways: no error about what a service accepts, no silence about what it refuses. What only
users report, or what costs quality, is a warning. Knows no model: its limit and its encoding come from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from lib.dataset.example import Method
from lib.dataset.finding import Finding, Findings
from lib.dataset.jsonl import Lines
from lib.dataset.rules import messages, preference, quality, reinforcement, secrets, structure, tools
from lib.dataset.rules.answers import Answers
from lib.dataset.rules.belonging import LOOKED_AT_FIRST, method_of_most, misplaced
from lib.dataset.rules.case import Case, Rule, TextRule
from lib.dataset.rules.repeats import Repeats
from lib.dataset.rules.size import LEAST_EXAMPLES, cut, too_few
from lib.tokens.billing import example_tokens
from lib.tokens.counting import Count

__all__ = ["Finding", "Report", "check", "examine"]

SHAPE_RULES: dict[Method, tuple[Rule, ...]] = {
    "supervised": structure.RULES + messages.RULES + tools.RULES,
    "dpo": preference.RULES + messages.RULES + tools.RULES,
    "reinforcement": reinforcement.RULES + messages.RULES + tools.RULES,
}
TEXT_RULES: tuple[TextRule, ...] = quality.RULES + secrets.RULES
PLAIN_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `ok` means no error. `tokens_per_epoch` is what is billed for the training examples.

    At most 200 findings of a code are kept; `totals` has the number of all of them, by code.
    """

    ok: bool
    method: Method
    examples: int
    tokens_per_epoch: int | None
    findings: tuple[Finding, ...]
    totals: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The report as the command line prints it."""
        return {
            "ok": self.ok,
            "examples": self.examples,
            "tokens_per_epoch": self.tokens_per_epoch,
            "findings": [finding.as_json() for finding in self.findings],
        }


def check(
    lines: Lines,
    *,
    method: Method | None = None,
    limit: int | None = None,
    count: Count | None = None,
    problems: Sequence[Finding] = (),
    totals: Mapping[str, int] | None = None,
    validation: Collection[int] = (),
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Check all examples of a file.

    `method` is recognised when it is not given. `limit` is how many tokens of an example the model reads, `count`
    counts with its encoding; without `count` no tokens are counted. `problems` and `totals` come from reading the file.
    `validation` are the positions held out: they are checked but neither billed nor counted as training examples.
    `progress` is called with the number of examples done, now and then.
    """
    found = Findings()
    found.include(problems, totals if totals is not None else _by_code(problems))
    method = method or method_of_most(example.data for example in lines[:LOOKED_AT_FIRST])
    repeats, answers = Repeats(validation), Answers()
    billed = 0
    for position in range(len(lines)):
        case = Case.of(lines.example(position).data, method, position, lines.number(position))
        tokens = example_tokens(case.data, count) if count else 0
        for finding in chain(examine(case), repeats.see(case)):
            found.add(finding)
        answers.see(case)
        if count and limit is not None and tokens > limit:
            found.add(cut(case, tokens, limit, count))
        if position not in validation:
            billed += tokens if limit is None else min(tokens, limit)
        if progress and position % 1000 == 999:
            progress(position + 1)
    for finding in answers.end():
        found.add(finding)
    training = len(lines) - len(validation)
    if training < LEAST_EXAMPLES:
        found.add(too_few(training))
    kept = found.kept()
    return Report(
        ok=not any(finding.severity == "error" for finding in kept),
        method=method,
        examples=len(lines),
        tokens_per_epoch=billed if count else None,
        findings=kept,
        totals=found.totals(),
    )


def examine(case: Case) -> Iterator[Finding]:
    """Findings about one example by itself."""
    if (finding := misplaced(case)) is not None:
        yield finding
        return
    if not _is_plain(case):
        for rule in SHAPE_RULES[case.method]:
            yield from rule(case)
    joined = "\n".join(text for _, text in case.texts)
    for text_rule in TEXT_RULES:
        if text_rule.may_find(joined):
            yield from text_rule.rule(case)


def _is_plain(case: Case) -> bool:
    """Whether this is a conversation of plain texts that ends with an answer: no rule of shape has anything to say."""
    data = case.data
    if case.method != "supervised" or len(data) != 1 or not isinstance(data.get("messages"), list):
        return False
    for entry in data["messages"]:
        if not isinstance(entry, dict) or len(entry) != 2 or entry.get("role") not in PLAIN_ROLES:
            return False
        content = entry.get("content")
        if not isinstance(content, str) or not content or content.isspace():
            return False
    return bool(data["messages"]) and data["messages"][-1]["role"] == "assistant"


def _by_code(findings: Sequence[Finding]) -> dict[str, int]:
    codes = [finding.code for finding in findings]
    return {code: codes.count(code) for code in codes}
