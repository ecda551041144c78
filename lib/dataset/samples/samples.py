"""The example data sets that come with Etude, for whoever wants to try the whole road before bringing a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib.dataset.samples import extraction, routing, tone
from lib.dataset.samples.flaws import planted
from lib.dataset.samples.marking import Marks, by_field, by_tone


@dataclass(frozen=True, slots=True)
class Sample:
    """One example data set. `make` gives (training examples, held-out examples), the same ones at every call;
    `in_other_words` 60 questions none of which is in words of training; `spoil` makes a wrong answer of a right one;
    `mark` says what is right about an answer, given the right one first.
    """

    key: str
    title: str
    description: str
    make: Callable[[], tuple[list[dict[str, Any]], list[dict[str, Any]]]]
    in_other_words: Callable[[], list[dict[str, Any]]]
    spoil: Callable[[str], str]
    mark: Callable[[str, str], Marks]

    def flawed(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The same examples with five flaws that the check finds (see flaws.py)."""
        return planted(*self.make(), self.spoil)


SAMPLES = (
    Sample(
        "routing",
        "Ticket routing",
        "Support tickets become JSON: the team and the priority. With five flaws to find.",
        routing.make,
        routing.in_other_words,
        routing.misspelt,
        by_field,
    ),
    Sample(
        "tone",
        "House tone",
        "Guests' short questions, answered with the house's facts in its own tone. With five flaws to find.",
        tone.make,
        tone.in_other_words,
        tone.unfinished,
        by_tone,
    ),
    Sample(
        "extraction",
        "Order extraction",
        "Orders in plain words become JSON: name, item, quantity, town and date, copied. With five flaws to find.",
        extraction.make,
        extraction.in_other_words,
        extraction.unclosed,
        by_field,
    ),
)


def find(key: str) -> Sample:
    """The sample with this key; KeyError when there is none."""
    return {sample.key: sample for sample in SAMPLES}[key]
