"""Counts the tokens of a text, whatever the text is.

tiktoken is the authority for every count. What it cannot stand is kept from it: text that looks like a special token is
counted as ordinary text, half of a character pair counts as the replacement character, and very long blanks are counted
in pieces. Knows nothing of messages and bills.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from lib.tokens.encodings import load

Count = Callable[[str], int]

# tiktoken 0.14 panics at about 1,000,750 blanks in a row. The longest token of blanks is 128 of them, so a cut at a
# multiple of 128 falls between two tokens.
BLANKS_AT_ONCE = 512_000
LONG_BLANKS = re.compile(rf"[^\S\r\n]{{{BLANKS_AT_ONCE}}}")

# System prompts and role names come back in every example; long texts hardly ever do.
REMEMBERED_TEXTS = 4096
REMEMBERED_LENGTH = 1000


def counter(encoding_name: str) -> Count:
    """A function from a text to its number of tokens in this encoding. Raises EncodingUnavailable."""
    encoding = load(encoding_name)

    def tokens(text: str) -> int:
        if len(text) <= BLANKS_AT_ONCE:
            return len(encoding.encode_ordinary(text))
        return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))

    remembered = lru_cache(maxsize=REMEMBERED_TEXTS)(tokens)

    def count(text: str) -> int:
        return remembered(text) if len(text) <= REMEMBERED_LENGTH else tokens(text)

    return count


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for blanks in LONG_BLANKS.finditer(text):
        yield text[at : blanks.end()]
        at = blanks.end()
    yield text[at:]
