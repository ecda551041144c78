"""Where the values of a JSON array, or of pretty-printed objects one after the other, begin and end in the bytes.

Only brackets and quotes are looked at, so depth and size do no harm; whether a span is valid JSON is for others to say.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterator

# A text ends at its quote and never holds a raw line break, so that one missing quote spoils one line only. Texts in a
# row and brackets in a row are one mark: a file may hold hundreds of millions of either.
MARK = re.compile(rb'(?:"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"[\s:,]*+)++|[{\[]++|[}\]]++')
OPENING = b"{["
QUOTE = ord('"')
LOOK_EVERY = 1 << 14
# Each value that is never closed costs a look at all that follows it.
MOST_UNCLOSED = 50


def spans(
    data: bytes | mmap.mmap, start: int = 0, stop: int | None = None, look: Callable[[int], None] | None = None
) -> Iterator[tuple[int, int]]:
    """(start, end) of every object or list: the elements when `data` is one array, else the values one after the other.

    `data` may be anything with the buffer of bytes; what lies between `start` and `stop` is looked at. A value that is
    never closed ends where the next line begins with the same bracket at the margin, or with the data. `look` is called
    with a place now and then; what it raises ends the search.
    """
    last = len(data) if stop is None else stop
    first = re.compile(rb"\S").search(data, start, last)
    if first is None:
        return
    at = first.end() if first.group() == b"[" else first.start()
    unclosed = 0
    while (found := _next(data, at, last, look)) is not None:
        begun, end = found
        if end is None:
            unclosed += 1
            end = _margin(data, begun, last) if unclosed < MOST_UNCLOSED else last
        yield begun, end
        at = end


def _next(
    data: bytes | mmap.mmap, at: int, last: int, look: Callable[[int], None] | None
) -> tuple[int, int | None] | None:
    """Where the next value from `at` on begins and ends (None when it is never closed)."""
    depth, begun = 0, -1
    for count, mark in enumerate(MARK.finditer(data, at, last), start=1):
        # Not the mark's text: it may have hundreds of megabytes.
        start = mark.start()
        kind = data[start]
        if look is not None and count % LOOK_EVERY == 0:
            look(start)
        if kind == QUOTE:
            continue
        number = mark.end() - start
        if kind in OPENING:
            if depth == 0:
                begun = start
            depth += number
        elif depth > number:
            depth -= number
        elif depth > 0:
            return begun, start + depth
    return None if begun < 0 or depth == 0 else (begun, None)


def _margin(data: bytes | mmap.mmap, begun: int, last: int) -> int:
    """Where a value that is never closed most likely ends: before the next line that begins as it does."""
    again = re.compile(rb"\n(?=" + re.escape(data[begun : begun + 1]) + rb")").search(data, begun + 1, last)
    return again.start() if again else last
