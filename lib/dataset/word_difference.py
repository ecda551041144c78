"""Two texts, and which words of each the other does not have. Knows nothing of examples and screens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
# Aligning words takes the product of their numbers; beyond it the whole stretch counts as changed.
MOST_ALIGNED = 250_000
CUT = " … "


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text. `changed` says that the other text does not have it here."""

    text: str
    changed: bool


def marked(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces that, joined, are the texts again."""
    left, right = WORDS.findall(before), WORDS.findall(after)
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    tail = 0
    while tail < min(len(left), len(right)) - start and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    ends = len(left) - tail, len(right) - tail
    steps: list[tuple[str, int, int, int, int]] = [("equal", 0, start, 0, start)]
    if (ends[0] - start) * (ends[1] - start) > MOST_ALIGNED:
        steps.append(("replace", start, ends[0], start, ends[1]))
    else:
        matcher = SequenceMatcher(None, left[start : ends[0]], right[start : ends[1]], autojunk=False)
        for kind, begun, ended, begins, stops in matcher.get_opcodes():
            steps.append((kind, start + begun, start + ended, start + begins, start + stops))
    steps.append(("equal", ends[0], len(left), ends[1], len(right)))
    return (
        _pieces((kind == "equal", left[begun:ended]) for kind, begun, ended, _, _ in steps),
        _pieces((kind == "equal", right[begins:stops]) for kind, _, _, begins, stops in steps),
    )


def around(pieces: list[Piece], context: int = 80) -> list[Piece]:
    """The same pieces, with at most `context` characters before and after what changed, and … for the rest."""
    made = []
    for at, piece in enumerate(pieces):
        text, first, last = piece.text, at == 0, at == len(pieces) - 1
        if not piece.changed and len(text) > context * (1 if first or last else 2) + len(CUT):
            head = "" if first else text[:context]
            text = f"{head}{CUT}{'' if last else text[-context:]}"
        made.append(Piece(text, piece.changed))
    return made


def _pieces(stretches: Iterable[tuple[bool, list[str]]]) -> list[Piece]:
    made: list[Piece] = []
    for equal, words in stretches:
        if not words:
            continue
        if made and made[-1].changed is not equal:
            made[-1] = Piece(made[-1].text + "".join(words), not equal)
        else:
            made.append(Piece("".join(words), not equal))
    return made
