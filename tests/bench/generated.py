"""Chat examples for measuring: about a kilobyte each, in a dozen scripts, with code, tables, emoji, a quarter escaped.

Nobody's text: the words are put together from pieces of the o200k_base encoding, which knows the words of many
languages, and come as often as in real text (a few all the time, most hardly ever), so that no cache is warmer than it
would be. One example in fifty is said twice.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lib.tokens.encodings import load

MOST_WORDS = 30_000
LEAST_WORDS = 150
LATIN_SHARE = 0.65
REPEATED = 50
ESCAPED = 0.25

CODE = 'def total(rows):\n    return sum(row["price"] * row["count"] for row in rows if row["count"] > 0)\n'
TABLE = "| order | when | sum |\n| --- | --- | ---: |\n| 48213 | 2026-03-14 | 1,284.50 |\n"
SYSTEMS = (
    "You answer customers of a small shop, briefly and politely.",
    "You sort incoming mail. Answer with the department alone.",
    "You translate product texts and keep the tone of the original.",
    "You are a patient teacher of mathematics who never gives the result away.",
)

# Words, and where each ends on the scale from 0 to 1 on which they are drawn.
Vocabulary = tuple[list[str], npt.NDArray[np.float64]]


def write_examples(path: Path, examples: int, seed: int = 7) -> Path:
    """Write that many supervised examples to `path`, the same ones for the same seed."""
    random = np.random.default_rng(seed)
    latin, *others = _vocabularies()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        line = ""
        for number in range(examples):
            if number % REPEATED != REPEATED - 1 or not line:
                kind = random.random(4)
                vocabulary = latin if kind[3] < LATIN_SHARE else others[int(kind[2] * len(others))]
                line = json.dumps(_example(vocabulary, kind, random), ensure_ascii=bool(kind[2] < ESCAPED))
            file.write(line + "\n")
    return path


@cache
def _vocabularies() -> tuple[Vocabulary, ...]:
    """A vocabulary for each script that the encoding has enough words of; Latin first."""
    pieces: defaultdict[str, list[str]] = defaultdict(list)
    for token in load("o200k_base").token_byte_values():
        text = token.decode("utf-8", "ignore").strip()
        if len(text) > 1 and text.isalpha() and text.encode() in token:
            pieces[unicodedata.name(text[0], "?").split()[0]].append(text)
    random = np.random.default_rng(1)
    held = sorted(pieces.values(), key=len, reverse=True)
    return tuple(_vocabulary(found, random) for found in held if len(found) >= LEAST_WORDS)


def _vocabulary(pieces: list[str], random: np.random.Generator) -> Vocabulary:
    """Words of one piece or two, each drawn as often as the word of its rank in real text."""
    count = min(MOST_WORDS, 3 * len(pieces))
    drawn = random.integers(0, len(pieces), (count, 2)).tolist()
    joined = random.random(count) < 0.35
    words = [
        pieces[first] + (pieces[second] if two else "") for (first, second), two in zip(drawn, joined, strict=True)
    ]
    often = 1 / np.arange(2, count + 2)
    return words, np.cumsum(often / often.sum())


def _example(vocabulary: Vocabulary, kind: npt.NDArray[np.float64], random: np.random.Generator) -> dict[str, object]:
    messages = [{"role": "system", "content": SYSTEMS[int(kind[0] * len(SYSTEMS))]}]
    for _ in range(1 + (kind[1] < 0.3)):
        for role, most in (("user", 58), ("assistant", 40)):
            text = _text(vocabulary, int(random.integers(10, most)), random)
            if kind[1] > 0.9:
                text += "\n" + CODE
            elif kind[1] > 0.8:
                text += "\n" + TABLE
            elif kind[1] > 0.7:
                text += " 🙂 👍🏽"
            messages.append({"role": role, "content": text})
    return {"messages": messages}


def _text(vocabulary: Vocabulary, count: int, random: np.random.Generator) -> str:
    words, ends = vocabulary
    said = [words[at] for at in np.searchsorted(ends[:-1], random.random(count)).tolist()]
    said[0] = said[0].capitalize()
    if count > 20:
        said[10] += ","
        said[18] += "."
    return " ".join(said) + "."
