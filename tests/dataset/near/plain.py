"""Likeness the plain way, word by word, to hold the fast way to."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from lib.dataset.near.words import END_OF_LETTERS, IN_A_ROW, LONGEST_WORD, UNSPACED

Words = tuple[str, ...]


def words(texts: Sequence[str]) -> list[str]:
    """The words of an example."""
    found: list[str] = []
    word = ""
    for letter in "\n".join(texts) + "\n":
        alone = any(first <= ord(letter) <= last for first, last in UNSPACED)
        inside = unicodedata.category(letter)[0] in "LMN" and ord(letter) < END_OF_LETTERS
        if word and (alone or not inside or len(word) == LONGEST_WORD):
            found.append(word)
            word = ""
        if inside and alone:
            found.append(folded(letter))
        elif inside:
            word += folded(letter)
    return found


def folded(letter: str) -> str:
    """The letter as it is compared."""
    forms = (unicodedata.normalize("NFKC", letter).casefold(), letter.casefold(), letter.lower())
    return next((form for form in forms if len(form) == 1), letter)


def groups(texts: Sequence[str]) -> set[Words]:
    """All groups of three words in a row; of one or two words these alone."""
    said = words(texts)
    if 0 < len(said) < IN_A_ROW:
        return {tuple(said)}
    return {tuple(said[at : at + IN_A_ROW]) for at in range(len(said) - IN_A_ROW + 1)}


def likeness(left: Sequence[str], right: Sequence[str]) -> float:
    """The share of the groups that both have."""
    one, other = groups(left), groups(right)
    return len(one & other) / max(1, len(one | other))
