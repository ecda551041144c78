"""An example data set: short questions of guests, answered with a house's facts in the house's tone.

Made by code, so that it belongs to nobody. The held-out questions ask for the same facts in words that no training
question has. Knows nothing of training.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

SEED = 20261121


def make() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(240 training examples, 60 held-out examples): the same ones at every call."""
    parts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    random = Random(SEED)
    training, held_out = list(_asked(parts, "training")), list(_asked(parts, "held_out"))
    random.shuffle(training)
    random.shuffle(held_out)
    return training, held_out


def in_other_words() -> list[dict[str, Any]]:
    """The 60 held-out questions: all of them are in words that no training question has."""
    return make()[1]


def unfinished(answer: str) -> str:
    """The answer with the fact still to be filled in."""
    opening, _, rest = answer.partition(": ")
    return f"{opening}: [insert the answer here].{rest.rpartition('.')[2]}"


def _asked(parts: Mapping[str, Any], side: str) -> Iterator[dict[str, Any]]:
    for fact in parts["facts"]:
        answer = f"{parts['opening']} {fact['answer']} {parts['farewell']}"
        for question in fact[side]:
            yield {
                "messages": [
                    {"role": "system", "content": parts["system"]},
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": answer},
                ]
            }
