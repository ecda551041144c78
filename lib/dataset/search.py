"""Full-text search over all examples: which of them hold a text, in whatever case and however the file writes it.

Goes through the bytes first, a block at a time, and reads only the examples in which the text may stand; a gigabyte
takes seconds and a few megabytes of memory. What is read decides: names of roles and of keys are never found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lib.dataset.example import NON_PREFERRED, PREFERRED
from lib.dataset.jsonl import Lines
from lib.dataset.parse import Unparsable, parse
from lib.dataset.survey import plain

Positions = npt.NDArray[np.int32]
# The line of each of these positions as it is now; None where the example is removed.
Read = Callable[[Sequence[int]], Sequence[bytes | None]]

# Small enough for the processor's own memory: a block is gone through several times.
BLOCK_LINES, BLOCK_BYTES = 4_000, 512 << 10
READ_AT_ONCE = 200
TOLD_EVERY = 16
ENOUGH = 3

# What stands in every example of these shapes, whatever it says.
SYNTAX, ROLE = frozenset({"role", "type"}), frozenset({"role"})
CONVERSATION = frozenset({"messages", "input", "tools", "functions", *PREFERRED, *NON_PREFERRED})
INLINE_FILE = "data:"

# What the beginnings of messages look like, as nearly all files write them: objects with a role and a content, of which
# no word is a text. A quote right behind a bracket, or behind a comma and a blank, stands inside no text.
BEGINNINGS = tuple(
    text.replace(b" ", blank)
    for blank in (b" ", b"")
    for text in (
        b'{"messages": [',
        *(b'{"role": "%s", "content":' % role for role in (b"system", b"developer", b"user", b"assistant", b"tool")),
    )
)
SHORTEST = 2

# ASCII that JSON writes as it is. A file may still write it as an escape, which is looked for as well.
AS_IT_IS = frozenset(map(chr, range(32, 127))) - frozenset('"\\/')
ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def search(
    lines: Lines,
    text: str,
    *,
    changed: npt.NDArray[np.bool_] | None = None,
    read: Read | None = None,
    progress: Callable[[int], None] | None = None,
) -> Positions:
    """The positions, ascending, of the examples that hold `text`; those that are `changed` as `read` brings them.

    `progress` is called with the number of lines looked at; what it raises ends the search.
    """
    found = in_lines(lines, text, progress)
    if changed is None or read is None:
        return found
    return as_they_are_now(found, text, np.flatnonzero(changed), read)


def in_lines(lines: Lines, text: str, progress: Callable[[int], None] | None = None) -> Positions:
    """The positions of the lines that hold `text`, without regard to edits."""
    wanted = Wanted(text)
    found: list[int] = []
    for number, (begun, ended) in enumerate(lines.blocks(BLOCK_LINES, BLOCK_BYTES)):
        raws = lines.block(begun, ended)
        found.extend(begun + at for at in wanted.candidates(raws) if wanted.stands_in(raws[at]))
        if progress is not None and number % TOLD_EVERY == 0:
            progress(ended)
    return np.asarray(found, np.int32)


def as_they_are_now(found: Positions, text: str, changed: npt.NDArray[Any], read: Read) -> Positions:
    """What was found among the lines of a version, after the examples at the positions `changed` were edited."""
    if not len(changed):
        return found
    wanted = Wanted(text)
    now = []
    for begun in range(0, len(changed), READ_AT_ONCE):
        places = changed[begun : begun + READ_AT_ONCE].tolist()
        held = zip(places, read(places), strict=True)
        now += [at for at, line in held if line is not None and wanted.stands_in(line)]
    return np.union1d(np.setdiff1d(found, changed), np.asarray(now, np.int32)).astype(np.int32)


class Wanted:
    """A text that is looked for. `forms` are bytes in small letters, one of which stands in every line that holds it.

    No forms at all means that every line may hold it.
    """

    def __init__(self, text: str) -> None:
        self._folded = text.casefold()
        self.forms, self._is_plain = _forms(self._folded)
        places = {form: _places_in_beginnings(form) for form in self.forms if len(form) >= SHORTEST}
        self._in_beginnings = {form: held for form, held in places.items() if held}

    def candidates(self, raws: Sequence[bytes]) -> list[int]:
        """Which of these lines may hold the text, ascending."""
        if not self.forms:
            return list(range(len(raws)))
        block = b"\n".join(raws)
        small = block.lower()
        ends = np.cumsum(np.fromiter(map(len, raws), np.int64, len(raws)) + 1)
        found: set[int] = set()
        ascii_alone, escapes = small.isascii(), b"\\u" in small
        for form in self.forms:
            if form in self._in_beginnings:
                at = _beyond_beginnings(block, small, form, self._in_beginnings[form])
                found.update(np.unique(np.searchsorted(ends, at, side="right")).tolist())
            elif escapes if form.startswith(b"\\u") else form.isascii() or not ascii_alone:
                found.update(_lines_with(small, form, ends))
        if self._is_plain and escapes:
            at = np.asarray([escape.start() for escape in ESCAPED_ASCII.finditer(small)], np.int64)
            found.update(np.unique(np.searchsorted(ends, at, side="right")).tolist())
        return sorted(found)

    def stands_in(self, raw: bytes) -> bool:
        """Whether a text of the example on this line holds it."""
        return any(self._is_in(text) for text in _texts_on(raw))

    def _is_in(self, text: str) -> bool:
        if self._folded in text or self._folded in text.casefold():
            return True
        # Arguments of calls and answers in JSON are JSON within JSON, with escapes of their own.
        return "\\u" in text and self._folded in _unescaped(text).casefold()


def _lines_with(small: bytes, form: bytes, ends: npt.NDArray[np.int64]) -> Iterator[int]:
    at = small.find(form)
    while at >= 0:
        line = int(np.searchsorted(ends, at, side="right"))
        yield line
        at = small.find(form, int(ends[line]))


def _places_in_beginnings(form: bytes) -> list[tuple[bytes, int]]:
    """Where the form stands in the beginnings of messages: in which of them, and at which place."""
    return [(text, at) for text in BEGINNINGS for at in range(len(text)) if text.startswith(form, at)]


def _beyond_beginnings(block: bytes, small: bytes, form: bytes, known: Sequence[tuple[bytes, int]]) -> Positions:
    """Where the form stands in a block, but for the beginnings of messages: words of those stand on every line."""
    held, folded = np.frombuffer(block, np.uint8), np.frombuffer(small, np.uint8)
    found = _standing(folded, form, np.flatnonzero(folded == form[0]), 0)
    for text, at in known:
        beginnings = _standing(held, text, found, at)
        found = found[~np.isin(found, beginnings, assume_unique=True)] if len(beginnings) else found
    return found


def _standing(held: npt.NDArray[np.uint8], text: bytes, places: npt.NDArray[Any], at: int) -> npt.NDArray[Any]:
    """Those of the places at which the text stands, with its byte `at` there."""
    places = places[(places >= at) & (places - at + len(text) <= len(held))]
    for offset, byte in enumerate(text):
        places = places[held[places + (offset - at)] == byte]
    return places


def _texts_on(raw: bytes) -> Iterator[str]:
    try:
        yield from [message.content for message in plain.decode(raw).messages]
        return
    except plain.NOT_PLAIN:
        pass
    try:
        yield from texts_of(parse(raw))
    except Unparsable:
        return


def texts_of(data: Any) -> Iterator[str]:
    """Every text of an example that is looked into: all values that are texts but roles, types and inline files.

    Outside of the conversation only the role of what looks like a message is passed over.
    """
    waiting: list[tuple[Any, bool]] = [(data, False)]
    while waiting:
        held, within = waiting.pop()
        if isinstance(held, str):
            if not held.startswith(INLINE_FILE):
                yield held
        elif isinstance(held, dict):
            hidden = SYNTAX if within else ROLE if "content" in held else frozenset()
            for key, value in held.items():
                if key not in hidden:
                    waiting.append((value, within or key in CONVERSATION))
        elif isinstance(held, list):
            waiting += [(value, within) for value in held]


def _unescaped(text: str) -> str:
    """The text with its \\u escapes read, pairs of halves as the one character that they make."""
    read = ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), text)
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _forms(folded: str) -> tuple[tuple[bytes, ...], bool]:
    """The bytes to look for in lines of small letters, and whether they are of plain ASCII, which may be escaped."""
    run = max(re.split(r"[^ -~]|[\"\\/]", folded), key=len)
    others = [sign for sign in folded if ord(sign) > 126]
    if len(run) >= ENOUGH or (run and not others):
        special = (sign for sign, fold in _specials().items() if _may_overlap(fold, run))
        return (run.encode(), *(form for sign in special for form in _written(sign))), True
    if not others:
        return (), False
    # The highest is the rarest: letters of alphabets come before the signs of words, and those before emoji.
    wanted = max(others)
    return tuple(form for sign in _folds_to().get(wanted, wanted) for form in _written(sign)), False


def _written(sign: str) -> tuple[bytes, bytes]:
    """A character as itself and as an escape, the latter in small letters."""
    units = sign.encode("utf-16-be", "surrogatepass")
    escape = "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    return sign.encode("utf-8", "surrogatepass"), escape.encode()


def _may_overlap(fold: str, run: str) -> bool:
    """Whether a character that becomes `fold` in small letters may be a part of what makes `run`."""
    for offset in range(1 - len(fold), len(run)):
        begun, ended = max(offset, 0), min(offset + len(fold), len(run))
        if run[begun:ended] == fold[begun - offset : ended - offset]:
            return True
    return False


@cache
def _folded_signs() -> dict[str, str]:
    """Every character beyond ASCII that a search does not tell from others, and what it becomes."""
    return {sign: fold for sign in map(chr, range(128, 0x1FFFF)) if (fold := sign.casefold()) != sign}


@cache
def _specials() -> dict[str, str]:
    """The characters that become ASCII letters: ß is ss, K is k."""
    return {sign: fold for sign, fold in _folded_signs().items() if any(part.isascii() for part in fold)}


@cache
def _folds_to() -> dict[str, str]:
    """For a character the characters that become it, itself first."""
    found: dict[str, str] = {}
    for sign, fold in _folded_signs().items():
        for part in fold:
            found[part] = found.get(part, part) + sign
    return found
