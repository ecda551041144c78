"""What is said about labels and answers as a whole: rare labels, uneven ones, answers that should be JSON.

Works on what a survey keeps of the answers (survey/answers.py); reads no example.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.dataset.finding import Finding
from lib.dataset.rules.case import Case, shown
from lib.dataset.survey.answers import ENOUGH_ANSWERS, JSON_ANSWER, LABEL_OCCURS, TEXT_ANSWER, Labels

NEARLY_ALL = 0.8
# Labels are uneven when one of them has so many times the examples of another, and the other hardly any.
UNEVEN = 20
HARDLY_ANY = 0.01

RARE, SINGLE, UNBALANCED, NOT_JSON = "rare_label", "single_label", "unbalanced_labels", "answer_not_json"


@dataclass(frozen=True, slots=True)
class RareLabel:
    """A label that one example alone has. `meant` is the common label that it resembles, None when there is none."""

    position: int
    field: str
    label: str
    meant: str | None

    @property
    def code(self) -> str:
        """The code of the finding."""
        return RARE if self.meant is not None else SINGLE


def rare_labels(labels: Mapping[str, Labels], present: npt.NDArray[np.bool_]) -> Iterator[RareLabel]:
    """Labels that occur once, in fields where labels occur many times."""
    for name, held in labels.items():
        counts = held.counts(present)
        common = [label for label, times in zip(held.names, counts.tolist(), strict=True) if times >= LABEL_OCCURS]
        if not common or counts.sum() < ENOUGH_ANSWERS:
            continue
        for label in np.flatnonzero(counts == 1).tolist():
            position = int(np.flatnonzero((held.ids == label) & present)[0])
            yield RareLabel(position, name, held.names[label], _meant(held.names[label], common))


def rare_finding(case: Case, rare: RareLabel) -> Finding:
    """What is said about the example with a rare label."""
    where = f"“{shown(rare.field)}”" if rare.field else "the answer"
    asked = f" Is “{shown(rare.meant)}” meant?" if rare.meant is not None else ""
    return case.finding(
        "warning" if rare.meant is not None else "info",
        rare.code,
        f"has a label in {where} that no other example has: “{shown(rare.label)}”.{asked}",
        "From one example a model learns no label; a spelling of its own makes it a label of its own.",
        message=len(case.messages) - 1,
        fix="rename_label" if rare.meant is not None else None,
        detail=(rare.field, rare.label, rare.meant) if rare.meant is not None else (),
    )


def uneven(labels: Mapping[str, Labels], present: npt.NDArray[np.bool_]) -> Iterator[Finding]:
    """One finding for each field in which a label has hardly any examples beside another's many."""
    for name, held in labels.items():
        counts = held.counts(present)
        some = np.flatnonzero(counts > 1)
        if len(some) < 2:
            continue
        most, least = some[np.argmax(counts[some])], some[np.argmin(counts[some])]
        if counts[most] < UNEVEN * counts[least] or counts[least] > HARDLY_ANY * counts.sum():
            continue
        where = f" in “{shown(name)}”" if name else ""
        text = (
            f"Labels{where} are uneven: “{shown(held.names[most])}” has {counts[most]:,} examples, "
            f"“{shown(held.names[least])}” has {counts[least]:,}."
        )
        why = "A model answers with the label it has seen most. Add examples of the rare ones, or leave them out."
        yield Finding("warning", UNBALANCED, None, None, text, why)


def not_json(answer: npt.NDArray[np.uint8], present: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The positions of the answers that are no JSON objects, where nearly all are."""
    json, text = ((answer == kind) & present for kind in (JSON_ANSWER, TEXT_ANSWER))
    number, total = int(json.sum()), int(json.sum() + text.sum())
    if total < ENOUGH_ANSWERS or number < NEARLY_ALL * total:
        return np.empty(0, np.int64)
    return np.flatnonzero(text)


def not_json_finding(case: Case, number: int, total: int) -> Finding:
    """What is said about an answer that is no JSON object where `number` of `total` are."""
    why = f"{number:,} of {total:,} answers are JSON objects. A program that reads them fails here."
    last = len(case.messages) - 1
    return case.finding("warning", NOT_JSON, "answers with something else than a JSON object.", why, message=last)


def _meant(label: str, common: list[str]) -> str | None:
    small = {one.strip().lower(): one for one in common}
    near = difflib.get_close_matches(label.strip().lower(), list(small), n=1, cutoff=0.75)
    return small[near[0]] if near and small[near[0]] != label else None
