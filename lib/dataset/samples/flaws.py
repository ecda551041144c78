"""The five flaws that an example data set carries, so that there is something to find: as real files have them.

A duplicate, an example that is also held out, a card number, an example longer than the built-in model reads, and a
wrong answer. Knows the shape of the samples and nothing of the check.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Examples = list[dict[str, Any]]

# Which training examples are spoilt, by their place: early enough that a person comes upon one while leafing through.
WRONG, SECRET, REPEATED, LEAKED = 4, 11, 23, 38
# A number that card networks give for trying forms out; its check digit is right.
CARD = "4111 1111 1111 1111"
LONG_CHARACTERS = 14_000


def planted(training: Examples, held_out: Examples, wrong: Callable[[str], str]) -> tuple[Examples, Examples]:
    """(training, held-out examples) with the flaws; `wrong` spoils an answer. What is given stays as it is.

    Two examples are added to the training ones and one to those held out.
    """
    spoilt = copy.deepcopy(training)
    _spoil(spoilt[WRONG], 2, wrong)
    _spoil(spoilt[SECRET], 1, lambda text: f"{text} The card is {CARD}.")
    thread = _thread([example["messages"][1]["content"] for example in training])
    long = copy.deepcopy(training[LEAKED + 1])
    _spoil(long, 1, lambda text: f"{text}\n\nEverything that was written before:\n{thread}")
    return [*spoilt, copy.deepcopy(training[REPEATED]), long], [*held_out, copy.deepcopy(training[LEAKED])]


def _spoil(example: dict[str, Any], index: int, change: Callable[[str], str]) -> None:
    message = example["messages"][index]
    message["content"] = change(message["content"])


def _thread(texts: list[str]) -> str:
    """A mail thread as it piles up under a question."""
    lines: list[str] = []
    length = 0
    for number, text in enumerate(texts * 10):
        lines.append(f"{'>' * (1 + number % 4)} {text}")
        length += len(lines[-1])
        if length > LONG_CHARACTERS:
            break
    return "\n".join(lines)
