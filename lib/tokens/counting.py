"""Counts the tokens of a text, whatever the text is.

tiktoken is the authority for every count. What it cannot stand is kept from it: text that looks like a special token is
counted as ordinary text, half of a character pair counts as the replacement character, and very long blanks are counted
in pieces. Knows nothing of messages and bills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

from lib.tokens.encodings import load

Count = Callable[[str], int]

# tiktoken 0.14 panics at about 1,000,750 blanks in a row, and a long word takes longer than its length. So a longer
# text is counted in pieces. Before a blank after a word the cut changes no count; where there is none it falls on a
# multiple of 128, the length of the longest token, so that only a word without end can count a token more or less.
LONGEST_PIECE = 512_000

# System prompts and role names come back in every example; long texts hardly ever do.
REMEMBERED_TEXTS = 4096
REMEMBERED_LENGTH = 1000


def counter(encoding_name: str) -> Count:
    """A function from a text to its number of tokens in this encoding. Raises EncodingUnavailable."""
    encoding = load(encoding_name)

    def tokens(text: str) -> int:
        if len(text) <= LONGEST_PIECE:
            return len(encoding.encode_ordinary(text))
        return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))

    remembered = lru_cache(maxsize=REMEMBERED_TEXTS)(tokens)

    def count(text: str) -> int:
        return remembered(text) if len(text) <= REMEMBERED_LENGTH else tokens(text)

    return count


def _pieces(text: str) -> Iterator[str]:
    at = 0
    while len(text) - at > LONGEST_PIECE:
        cut = _blank_after_a_word(text, at + LONGEST_PIECE // 2, at + LONGEST_PIECE) or at + LONGEST_PIECE
        yield text[at:cut]
        at = cut
    yield text[at:]


def _blank_after_a_word(text: str, start: int, stop: int) -> int | None:
    """The last place between `start` and `stop` at which blanks begin."""
    place = text.rfind(" ", start, stop)
    while place > start and text[place - 1].isspace():
        place -= 1
    return place if place > start else None
