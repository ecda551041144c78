"""Counts the tokens of many texts at once, several times as fast as one by one, and never differently.

gigatoken counts where it was proven equal to tiktoken (encodings o200k_base and cl100k_base; 1.9 million hostile texts
and every code point in three contexts). It knows letters of newer Unicode versions that tiktoken does not: texts with a
character that this Python has no name for are left to tiktoken, as is everything when the two disagree at the start.
Knows nothing of messages and bills.
"""

from __future__ import annotations

import sys
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from lib.tokens.counting import counter
from lib.tokens.encodings import load, rank_file

if TYPE_CHECKING:
    from gigatoken import Tokenizer

# No UTF-8 text holds this byte.
BETWEEN = b"\xff"
# What the characters that the two do not know alike begin with in UTF-8 (401 of them, all from U+088F on).
SUSPICIOUS = np.isin(np.arange(256), [0xE0, 0xE1, 0xEA, 0xF0])
LOWEST = np.uint8(0xE0)

Counts = npt.NDArray[np.int32]
T = TypeVar("T")

# What gigatoken calls the way an encoding cuts a text into words.
SCHEMES = {"o200k_base": "o200k", "cl100k_base": "cl100k"}

# A letter that Unicode 17 brought: gigatoken knows it, tiktoken does not. A Python that knows it as well could not tell
# such texts apart.
NEWER = "\u0c5c"

# Texts on which the two must agree before the fast one is used: blanks, digits, apostrophes, scripts, marks, specials.
PROOF = (
    "It's the customer's 12345678 orders, DON'T WE'LL they'Re\n\n  \t end ",
    "def f(x):\r\n\treturn [x ** 2 for _ in range(10)]  # <|endoftext|> <|fim_prefix|>",
    "größer naïve Straße ŒUVRE ǅungla ʼn ſ'ſ i̇stanbul",
    "журнал заказ العميل הזמנה ลูกค้า 注文番号 고객님 ग्राहक ქართული ελληνικά",
    "🙂👍🏽👨‍👩‍👧 ٣٤٥ Ⅷ ½ \u00a0\u2009\u3000\u200b\ufeff end",
    "a" * 300 + " " * 300 + "1" * 300 + "\n" * 30,
)


class BatchCounter:
    """Counts texts with one encoding. `count` counts a single text and is the authority for every count."""

    def __init__(self, name: str) -> None:
        """Raises EncodingUnavailable when there is no such encoding."""
        self.name = name
        self.count = counter(name)
        self._fast = _fast(name)

    def counts(self, texts: Sequence[str], encoded: Sequence[bytes]) -> Counts:
        """The number of tokens of each text; `encoded` are the same texts as UTF-8."""
        return self.settle(texts, BETWEEN.join(encoded), self.fast_counts(encoded))

    def fast_counts(self, encoded: Sequence[bytes]) -> Counts | None:
        """The first half of `counts`, which another thread can do without Python's lock; None where it cannot."""
        fast = self._fast
        if fast is None or not encoded:
            return None
        rows = _unless_it_panics(lambda: fast.encode_batch(list(encoded), parallel=False))
        return None if rows is None else np.diff(np.asarray(rows.layout.offsets.data)).astype(np.int32)

    def settle(self, texts: Sequence[str], block: bytes, counted: Counts | None) -> Counts:
        """The second half: what the fast counter may not be trusted with is counted by tiktoken.

        `block` are the texts in UTF-8, one after the other with BETWEEN between them.
        """
        if counted is None:
            return self._one_by_one(texts)
        for index in _strange(texts, block):
            counted[index] = self.count(texts[index])
        return counted

    def _one_by_one(self, texts: Sequence[str]) -> Counts:
        return np.fromiter((self.count(text) for text in texts), np.int32, len(texts))


@cache
def batch_counter(name: str) -> BatchCounter:
    """The one counter of an encoding in this process. Raises EncodingUnavailable."""
    return BatchCounter(name)


@cache
def _fast(name: str) -> Tokenizer | None:
    """The fast tokenizer for an encoding; None where there is none, or where it does not agree with tiktoken."""
    if name not in SCHEMES or not _unassigned_in(NEWER):
        return None
    try:
        from gigatoken import Tokenizer
    except ImportError:
        return None
    encoding = load(name)
    with tempfile.TemporaryDirectory(prefix="etude-") as folder:
        ranks = Path(folder) / f"{name}.tiktoken"
        ranks.write_bytes(rank_file(name))
        made = _unless_it_panics(lambda: Tokenizer.from_tiktoken(ranks, SCHEMES[name], {}))
    if made is None:
        return None
    proof = [text.encode() for text in PROOF]
    rows = _unless_it_panics(lambda: made.encode_batch(proof, parallel=False).to_list())
    return made if rows == [encoding.encode_ordinary(text) for text in PROOF] else None


def _unless_it_panics(call: Callable[[], T]) -> T | None:
    """What `call` returns; None when the Rust library behind it panics, which is no Exception to Python."""
    try:
        return call()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return None


def _strange(texts: Sequence[str], block: bytes) -> list[int]:
    """The indexes of texts with a character that the two do not know alike: one that this Python has no name for.

    In UTF-8 all of these begin with one of few bytes, and what has no name is not printable: both are fast to ask.
    """
    held = np.frombuffer(block, np.uint8)
    wide = np.flatnonzero(held >= LOWEST)
    high = held[wide]
    suspicious = np.flatnonzero(SUSPICIOUS[high])
    if not len(suspicious):
        return []
    # How many of them stand before the end of each text: asked of the texts, which are fewer.
    before = np.searchsorted(suspicious, np.append(np.flatnonzero(high == BETWEEN[0]), len(high)))
    owners = np.flatnonzero(np.diff(before, prepend=0))
    doubtful = [index for index in owners.tolist() if not texts[index].isprintable()]
    if not doubtful or not _unassigned_in("".join([texts[index] for index in doubtful])):
        return []
    return [index for index in doubtful if _unassigned_in(texts[index])]


def _unassigned_in(text: str) -> bool:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return bool(_unassigned()[points].any())


@cache
def _unassigned() -> npt.NDArray[np.bool_]:
    """For every code point, whether this Python knows no character there. Halves of pairs count as unknown."""
    kinds = (unicodedata.category(chr(point)) for point in range(sys.maxunicode + 1))
    return np.fromiter((kind in ("Cn", "Cs") for kind in kinds), np.bool_, sys.maxunicode + 1)
