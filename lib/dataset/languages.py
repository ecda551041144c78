"""Which natural languages are in use, estimated from a sample and without a network.

The words are told by py3langid's model, which is loaded for the question (0.7 seconds, 80 MB) and let go again. What is
code, a number, a label or shorter than a sentence is not told: guessing there is wrong more often than right. Knows no
screen.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lib.dataset.example import Example, content_text
from lib.dataset.jsonl import Lines

NAMES = Path(__file__).with_suffix(".toml")

SAMPLE = 500
SEED = 7

# More text makes no answer surer, less makes it a guess.
LONGEST_TEXT = 2_000
LEAST_LETTERS = 20
# Scripts that write a word in one or two signs say as much in fewer.
LEAST_DENSE_LETTERS = 6
SURE = 0.5

ASIDE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|<[^<>\n]{1,200}>|https?://\S+|\S{1,64}@\S+", re.DOTALL)
# Signs of a line of a program or of JSON, at its end, at its beginning, or within.
CODE = re.compile(
    r"[{};]$|^(?:[{}\]]|\[[\[{\"\d])|[=!]=|=>|\w\(\)"
    r"|^(?:def \w+\(|class \w+[(:]|import \w|from [\w.]+ import|(?:const|let|var) \w+ =|#include)"
)
DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")


class Language(NamedTuple):
    """One language: its English name, in which share of the examples looked at it is used, and in how many."""

    name: str
    share: float
    examples: int


@dataclass(frozen=True, slots=True)
class Languages:
    """What was found, the most used first. An example may use several; in `not_told` of them none could be told.

    `sample` is how many examples were looked at, out of `total`.
    """

    found: tuple[Language, ...]
    not_told: int
    sample: int
    total: int


def languages(lines: Lines, *, sample: int = SAMPLE, seed: int = SEED) -> Languages:
    """The languages in use, from at most `sample` examples; the same ones for the same seed."""
    places = _drawn(len(lines), sample, seed)
    texts = [list(_texts(lines.example(place))) for place in places]
    told = _told(texts)
    counts = Counter(name for names in told for name in names)
    found = [Language(name, count / len(places), count) for name, count in counts.most_common()]
    found.sort(key=lambda one: (-one.examples, one.name))
    return Languages(tuple(found), sum(1 for names in told if not names), len(places), len(lines))


def _drawn(total: int, sample: int, seed: int) -> list[int]:
    """So many different positions, ascending. Raw output of PCG64, which every version of numpy gives alike."""
    if total <= sample:
        return list(range(total))
    places: list[int] = []
    random = np.random.PCG64(seed)
    while len(places) < sample:
        places = list(dict.fromkeys([*places, *(int(one) for one in random.random_raw(sample) % np.uint64(total))]))
    return sorted(places[:sample])


def _told(texts: list[list[str]]) -> list[set[str]]:
    """For each example the names of the languages of its texts."""
    if not any(texts):
        return [set() for _ in texts]
    model, names = _model(), tomllib.loads(NAMES.read_text(encoding="utf-8"))
    codes = [{model.classify(text)[0] for text in one} for one in texts]
    return [{names[code] for code in one if code in names} for one in codes]


def _model() -> Any:
    """Tells the code of a text's language; “und”, which has no name, when it is not sure."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=SURE)


def _texts(example: Example) -> Iterator[str]:
    """What is asked and what is answered, each as one text, where there is enough of it."""
    data = example.data
    messages = [*example.messages, *example.preferred]
    asked = [one.text for one in messages if one.role == "user"] or [_text(data, "prompt")]
    answered = [one.text for one in messages if one.role == "assistant"] or [_text(data, "completion")]
    for texts in (asked, answered):
        plain = _words("\n".join(text[:LONGEST_TEXT] for text in texts))
        letters = sum(map(str.isalpha, plain))
        if letters >= LEAST_LETTERS or (letters >= LEAST_DENSE_LETTERS and DENSE.search(plain)):
            yield plain


def _text(data: Mapping[str, Any], key: str) -> str:
    return content_text(data.get(key))


def _words(text: str) -> str:
    """The text without what belongs to no language."""
    lines = ASIDE.sub(" ", text[: 2 * LONGEST_TEXT]).splitlines()
    return " ".join(" ".join(line for line in lines if not CODE.search(line.strip())).split())[:LONGEST_TEXT]
