"""What an example says, as sets of numbers that can be compared: one for each three words in a row.

Works on the code points of many examples at once, so that a word costs a few nanoseconds. Upper and lower case, blanks,
punctuation, signs and emoji do not count. Where a script sets no blanks between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese) every character counts as a word. The numbers are the same in every process. Knows no file.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.example import NON_PREFERRED, PREFERRED, content_text, raw_messages

Numbers = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]

# Of what an example says, only so many characters are compared: ten times what any model can be trained on.
LONGEST = 1_000_000
# A word of more letters counts as several, so that a text without any blank can be compared, too.
LONGEST_WORD = 64
# Words in a row that make one number.
IN_A_ROW = 3
# Characters that are looked at together; more would leave the processor's cache.
TOGETHER = 1 << 18

SPOKEN = ("user", "assistant")
# Scripts without blanks between words, as first and last code points: Thai and Lao, Burmese, Khmer, the Tai scripts,
# kana and bopomofo, Han.
UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x1950, 0x19DF),
    (0x1A20, 0x1AAF),
    (0x3005, 0x3007),
    (0x3040, 0x312F),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x20000, 0x3347F),
)
# Behind the last Han character are only signs that no word is made of.
END_OF_LETTERS = 0x34000
WORD_CATEGORIES = "LMN"

# Odd numbers whose bits look drawn by chance.
BASE, FIRST, SECOND, MIX = (
    np.uint64(n) for n in (0x9FB21C651E98DF25, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)
)
ALONE = np.uint64(1)
NO_WORD = np.uint64(0x2545F4914F6CDD1D)


@dataclass(frozen=True, slots=True)
class Shingles:
    """The numbers of several examples one after the other, in the order of their words, repeats included.

    `counts` has for each example how many are its own: its words less two, 1 for one or two words, 0 for none.
    """

    numbers: Numbers
    counts: Integers


def said(data: Mapping[str, Any]) -> list[str]:
    """The texts of an example that are compared: of user and assistant, of both answers, and of tool calls.

    System and developer messages and what tools return are left out: all examples may have them in common.
    """
    texts: list[str] = []
    if "messages" not in data:
        texts += [data[name] for name in ("prompt", "completion") if isinstance(data.get(name), str)]
    for entry in _entries(data):
        texts.append(content_text(entry.get("content")))
        calls = entry.get("tool_calls")
        functions = [one.get("function") for one in (calls if isinstance(calls, list) else ()) if isinstance(one, dict)]
        for function in (*functions, entry.get("function_call")):
            if isinstance(function, dict):
                texts += [function[name] for name in ("name", "arguments") if isinstance(function.get(name), str)]
    return texts


def shingles(examples: Iterable[Sequence[str]]) -> Shingles:
    """The numbers of these examples, each given by its texts."""
    made = [_of_block(block) for block in _blocks("\n".join(texts)[:LONGEST] for texts in examples)]
    if len(made) == 1:
        return made[0]
    none = Shingles(np.empty(0, np.uint64), np.empty(0, np.int64))
    made = made or [none]
    return Shingles(np.concatenate([one.numbers for one in made]), np.concatenate([one.counts for one in made]))


def _entries(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in raw_messages(data):
        if isinstance(entry, dict) and entry.get("role") in SPOKEN:
            yield entry
    for name in (*PREFERRED, *NON_PREFERRED):
        held = data.get(name)
        for entry in held if isinstance(held, list) else ():
            if isinstance(entry, dict):
                yield entry


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in blocks of at most TOGETHER characters, unless a single one is longer."""
    block: list[str] = []
    size = 0
    for text in texts:
        size += len(text) + 1
        if block and size > TOGETHER:
            yield block
            block, size = [], len(text) + 1
        block.append(text)
    if block:
        yield block


def _of_block(texts: list[str]) -> Shingles:
    joined = "\n".join(texts)
    words, starts = _words(joined)
    ends = np.fromiter(accumulate(len(text) + 1 for text in texts), np.int64, len(texts))
    # For each example the index behind its last word.
    stops = np.searchsorted(starts, ends)
    lengths = np.diff(stops, prepend=0)
    counts = np.maximum(lengths - (IN_A_ROW - 1), np.minimum(lengths, 1))
    own_first = np.repeat(stops - lengths, counts)
    at = own_first + _within(counts)
    padded = np.concatenate([words, np.full(IN_A_ROW - 1, NO_WORD)])
    second, third = padded[at + 1], padded[at + 2]
    if (short := (lengths < IN_A_ROW) & (lengths > 0)).any():
        where = (np.cumsum(counts) - counts)[short]
        third[where] = NO_WORD
        second[where[lengths[short] == 1]] = NO_WORD
    return Shingles(mixed((padded[at] * FIRST + second) * SECOND + third), counts)


def _words(text: str) -> tuple[Numbers, Integers]:
    """A number for each word of the text, and where it starts."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    held = _letters().take(points, mode="clip")
    word = held != 0
    begins = word.copy()
    if text.isascii():
        begins[1:] &= ~word[:-1]
    else:
        alone = (held & ALONE).astype(np.bool_)
        begins[1:] &= ~word[:-1] | alone[1:] | alone[:-1]
    starts = np.flatnonzero(begins)
    last = word.copy()
    last[:-1] &= ~word[1:] | begins[1:]
    stops = np.flatnonzero(last) + 1
    lengths = stops - starts
    if len(lengths) and lengths.max() > LONGEST_WORD:
        starts, stops = _pieces(starts, lengths)
    if not len(starts):
        return np.empty(0, np.uint64), starts
    # The sum of letter × BASE^place, taken as the difference of two running sums; places are counted from the word's
    # end, so that a word has the same number wherever it stands.
    powers = _powers()
    sums = np.cumsum(held * powers[: len(held)])
    before = np.where(starts > 0, sums[starts - 1], np.uint64(0))
    return mixed((sums[stops - 1] - before) * powers[len(powers) - stops]), starts


def _pieces(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Starts and stops of the words when those that are too long are cut."""
    counts = -(-lengths // LONGEST_WORD)
    begun = np.repeat(starts, counts) + _within(counts) * LONGEST_WORD
    return begun, np.minimum(begun + LONGEST_WORD, np.repeat(starts + lengths, counts))


def _within(counts: Integers) -> Integers:
    """0, 1, 2 … for each count, one after the other."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def mixed(numbers: Numbers) -> Numbers:
    """The numbers with every bit depending on every other, so that any of them can be left out."""
    numbers = (numbers ^ (numbers >> np.uint64(32))) * MIX
    numbers = (numbers ^ (numbers >> np.uint64(29))) * FIRST
    return numbers ^ (numbers >> np.uint64(32))


@cache
def _powers() -> Numbers:
    powers = np.full(LONGEST + 1, BASE)
    powers[0] = 1
    return np.cumprod(powers)


@cache
def _letters() -> Numbers:
    """For every code point 0 where no word has it, otherwise the number of the letter, the same for both cases; odd
    where it is a word by itself.
    """
    letters = np.zeros(END_OF_LETTERS, np.uint64)
    points = [point for point in range(END_OF_LETTERS) if unicodedata.category(chr(point))[0] in WORD_CATEGORIES]
    letters[points] = mixed(np.asarray([_folded(point) for point in points], np.uint64) + FIRST) & ~ALONE
    letters[points] |= np.uint64(2)
    for first, last in UNSPACED:
        letters[first : last + 1] |= np.where(letters[first : last + 1] != 0, ALONE, np.uint64(0))
    return letters


def _folded(point: int) -> int:
    """The code point that a letter counts as: small, and of the usual width, where that is a single one."""
    letter = chr(point)
    for form in (unicodedata.normalize("NFKC", letter).casefold(), letter.casefold(), letter.lower()):
        if len(form) == 1:
            return ord(form)
    return point
