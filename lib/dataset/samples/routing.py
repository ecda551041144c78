"""An example data set: support tickets and, as JSON, the team and the priority they belong to.

Made by code, so that nobody's tickets are in it. The held-out tickets are what comes in next: most are issues that the
training tickets have too, with other details and urgencies, and some are in words that no training ticket has. Knows
nothing of training.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

SEED = 20261121
TRAINING, HELD_OUT = 240, 60
# Of the held-out tickets, how many are in words that no training ticket has.
OTHER_WORDS, TEAMS = 18, 6
# Of ten tickets, how many have each priority.
PRIORITIES = ("high", "high", "high", "normal", "normal", "normal", "normal", "low", "low", "low")


def make() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(training examples, held-out examples): the same ones at every call, each team equally often in both."""
    training, other, alike = _all()
    known = {_question(example) for example in training}
    new = [example for example in alike if _question(example) not in known]
    held_out = []
    for team in sorted({_team(example) for example in training}):
        for tickets, share in ((other, OTHER_WORDS), (new, HELD_OUT - OTHER_WORDS)):
            held_out += [example for example in tickets if _team(example) == team][: share // TEAMS]
    Random(SEED).shuffle(held_out)
    return training, held_out


def in_other_words() -> list[dict[str, Any]]:
    """60 tickets whose issues and urgencies are in words that no training ticket has: how far the learning reaches."""
    return _all()[1]


def misspelt(answer: str) -> str:
    """The answer with a letter left out of the team's name."""
    told = json.loads(answer)
    return json.dumps({**told, "team": told["team"].replace("ll", "l").replace("pp", "p").replace("un", "u")})


def _all() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Training tickets, tickets in other words, and tickets in words like training's."""
    parts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    random = Random(SEED)
    training = _tickets(parts, "training", TRAINING, random)
    return training, _tickets(parts, "held_out", HELD_OUT, random), _tickets(parts, "training", 2 * HELD_OUT, random)


def _question(example: Mapping[str, Any]) -> str:
    return str(example["messages"][1]["content"])


def _team(example: Mapping[str, Any]) -> str:
    return str(json.loads(example["messages"][2]["content"])["team"])


def _tickets(parts: Mapping[str, Any], side: str, count: int, random: Random) -> list[dict[str, Any]]:
    teams = list(parts["issues"])
    decks: dict[str, list[str]] = {team: [] for team in teams}
    examples = []
    for number in range(count):
        team = teams[number % len(teams)]
        # Every issue is dealt once before one comes again.
        decks[team] = decks[team] or random.sample(parts["issues"][team][side], len(parts["issues"][team][side]))
        priority = random.choice(PRIORITIES)
        sentences = [decks[team].pop(), random.choice(parts["priorities"][priority][side])]
        examples.append(_example(parts, _ticket(sentences, parts, random), team, priority))
    random.shuffle(examples)
    return examples


def _example(parts: Mapping[str, Any], ticket: str, team: str, priority: str) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": parts["system"]},
            {"role": "user", "content": ticket},
            {"role": "assistant", "content": json.dumps({"team": team, "priority": priority})},
        ]
    }


def _ticket(sentences: Sequence[str], parts: Mapping[str, Any], random: Random) -> str:
    """The issue and its urgency as a person writes them: order, greeting, opening, closing and slips vary."""
    body = [sentence for sentence in sentences if sentence]
    if random.random() < 0.25:
        body.reverse()
    if random.random() < 0.4:
        body.insert(0, random.choice(parts["around"]["openings"]))
    if random.random() < 0.5:
        body.insert(0, random.choice(parts["around"]["greetings"]))
    if random.random() < 0.35:
        body.append(random.choice(parts["around"]["closings"]))
    filled = _filled(" ".join(body), parts["lists"], random)
    return _typed(filled, random) if random.random() < 0.2 else filled


def _filled(text: str, lists: Mapping[str, Sequence[str]], random: Random) -> str:
    product, product2 = random.sample(lists["product"], 2)
    values = {name: random.choice(items) for name, items in lists.items()} | {"product": product, "product2": product2}
    order = random.choice(("{}", "#{}", "A-{}", "KM{}")).format(random.randint(10_000, 999_999))
    return text.format(order=order, number=random.randint(3, 40), **values)


def _typed(text: str, random: Random) -> str:
    """The text in haste: small letters, and a letter left out of one word."""
    words = text.lower().split(" ")
    at = random.choice([number for number, word in enumerate(words) if len(word) > 4 and word.isalpha()] or [0])
    gap = random.randrange(1, max(2, len(words[at]) - 1))
    words[at] = words[at][:gap] + words[at][gap + 1 :]
    return " ".join(words)
