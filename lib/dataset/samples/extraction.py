"""An example data set: orders for a plant nursery and, as JSON, what they tell, copied from the text.

Made by code, so that nobody's orders are in it. The held-out orders are what comes in next: all have other names,
plants, towns, dates and numbers than the training orders, and half are in words that no training order has. Knows
nothing of training.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

SEED = 20261121
TRAINING, HELD_OUT = 240, 60
# Of the held-out orders, how many are in words that no training order has.
OTHER_WORDS = 30
FIELDS = ("name", "item", "quantity", "city", "date")
MOST = 60
# Every fourth number is kept for the orders that are held out.
NUMBER_STEP = 4

Order = dict[str, str | int | None]


def make() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(training examples, held-out examples): the same ones at every call."""
    training, other, alike = _all()
    held_out = [*other[:OTHER_WORDS], *alike[: HELD_OUT - OTHER_WORDS]]
    Random(SEED).shuffle(held_out)
    return training, held_out


def in_other_words() -> list[dict[str, Any]]:
    """60 orders with other values and in words that no training order has: how far the learning reaches."""
    return _all()[1]


def unclosed(answer: str) -> str:
    """The answer without the brace at its end, so that no program can read it."""
    return answer.removesuffix("}")


def _all() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Training orders, orders in other words, and orders in training's words; the last two with other values."""
    parts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    random = Random(SEED)
    sides = (("training", "training", TRAINING), ("held_out", "held_out", HELD_OUT), ("training", "held_out", HELD_OUT))
    training, other, alike = (_orders(parts, *side, random) for side in sides)
    return training, other, alike


def _orders(parts: Mapping[str, Any], words: str, values: str, count: int, random: Random) -> list[dict[str, Any]]:
    """`count` orders in the words of one side with the values of one side, no two alike."""
    deck = _Deck(parts["values"][values], values == "held_out", random)
    examples: dict[str, dict[str, Any]] = {}
    while len(examples) < count:
        order = deck.order()
        text = _text(parts["sentences"][words], parts["greetings"], order, random)
        examples[text] = {
            "messages": [
                {"role": "system", "content": parts["system"]},
                {"role": "user", "content": text},
                {"role": "assistant", "content": json.dumps(order)},
            ]
        }
    return list(examples.values())


class _Deck:
    """The values of one side. Every value is dealt once before one comes again."""

    def __init__(self, values: Mapping[str, list[str]], is_held_out: bool, random: Random) -> None:
        numbers = [number for number in range(2, MOST) if (number % NUMBER_STEP == NUMBER_STEP - 1) is is_held_out]
        self._values: dict[str, list[Any]] = {**values, "quantity": numbers}
        self._rest: dict[str, list[Any]] = {name: [] for name in self._values}
        self._random = random

    def order(self) -> Order:
        """The values of the next order. One order in six leaves its town or its day out."""
        name = f"{self._deal('first')} {self._deal('last')}"
        order: Order = {
            "name": name,
            "item": f"{self._deal('plant')} {self._deal('form')}",
            "quantity": self._deal("quantity"),
            "city": self._deal("city"),
            "date": self._deal("date"),
        }
        if self._random.random() < 1 / 6:
            order[self._random.choice(("city", "date"))] = None
        return order

    def _deal(self, name: str) -> Any:
        if not self._rest[name]:
            self._rest[name] = self._random.sample(self._values[name], len(self._values[name]))
        return self._rest[name].pop()


def _text(sentences: Mapping[str, list[str]], greetings: list[str], order: Order, random: Random) -> str:
    """The order as a person writes it: one sentence for all or one for each, in any order, with a remark at times."""
    told = [name for name in ("city", "date") if order[name] is not None]
    if len(told) == 2 and random.random() < 1 / 3:
        body = [random.choice(sentences["whole"])]
    else:
        random.shuffle(told)
        body = [random.choice(sentences[name]) for name in told]
        body.insert(random.choice((0, 0, 0, 1)), random.choice(sentences["order"]))
    if random.random() < 1 / 3:
        body.insert(random.randrange(len(body) + 1), random.choice(sentences["remark"]))
    if random.random() < 1 / 2:
        body.insert(0, random.choice(sentences["opening"]))
    else:
        body.append(random.choice(sentences["signature"]))
    if random.random() < 1 / 2:
        body.insert(0, random.choice(greetings))
    text = " ".join(body).format(**order)
    return text[0].upper() + text[1:]
