"""Two texts, and which words of each the other does not have. Knows nothing of examples and screens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lib.dataset.alignment import unequal

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
    stretches = list(unequal(left, right, _too_many))
    return (
        _pieces(left, [(begun, ended) for begun, ended, _, _ in stretches]),
        _pieces(right, [(begins, stops) for _, _, begins, stops in stretches]),
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


def _pieces(words: list[str], changed: Iterable[tuple[int, int]]) -> list[Piece]:
    """The words joined to pieces, of which these stretches changed."""
    made: list[Piece] = []
    reached = 0
    for begun, ended in changed:
        made.append(Piece("".join(words[reached:begun]), False))
        made.append(Piece("".join(words[begun:ended]), True))
        reached = ended
    made.append(Piece("".join(words[reached:]), False))
    return [piece for piece in made if piece.text]


def _too_many(old: int, new: int) -> bool:
    return old * new > MOST_ALIGNED
