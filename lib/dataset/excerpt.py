"""What changed in a text, with a little around it: two long texts that differ in a word are told by that word.

Knows two texts and nothing of what they are.
"""

from __future__ import annotations

from lib.dataset.alignment import common_ends

AROUND = 40
LONGEST = 400
CUT = "…"


def excerpt(before: str, after: str, around: int = AROUND, longest: int = LONGEST) -> tuple[str, str]:
    """The stretch in which two texts differ, as it was and as it is, with up to `around` characters on either side.

    A stretch of more than `longest` characters is cut. What is left out is marked by an ellipsis.
    """
    same, tail = common_ends(before, after)

    def cut(text: str) -> str:
        return _cut(text, same, len(text) - tail, around, longest)

    return cut(before), cut(after)


def _cut(text: str, begun: int, ended: int, around: int, longest: int) -> str:
    first, last = max(begun - around, 0), min(ended + around, len(text))
    held = text[first:last]
    if len(held) > longest:
        held = held[:longest].rstrip() + CUT
    elif last < len(text):
        held += CUT
    return (CUT if first else "") + held
