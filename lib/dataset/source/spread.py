"""JSON that is not one value a line, as lines: an array, a wrapper around one, objects that go over several lines.

The file is mapped and gone through by its brackets, so neither its size nor its depth matters. What cannot be read, and
what stands between the values, is named with its place.
"""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from lib.dataset.jsonl import value_of
from lib.dataset.parse import Unparsable, parse
from lib.dataset.sniff import PEEK
from lib.dataset.source.intake import Intake, snippet
from lib.dataset.source.lines import too_long
from lib.dataset.source.spans import LOOK_EVERY, spans
from lib.dataset.source.text import BOM
from lib.errors import UnreadableFile

Integers = npt.NDArray[np.int64]
Span = tuple[int, int]

# Keys under which people keep the one list of their examples.
WRAPPERS = ("data", "examples", "train", "training", "training_data", "rows", "records", "items", "samples", "dataset")
WRAPPING = re.compile(rb'"(?:' + "|".join(WRAPPERS).encode() + rb')"\s*:\s*\[\s*[{\]]')
# Every text and bracket by itself: only what looks like a wrapper is gone through so closely.
MARK = re.compile(rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|[{}\[\]]')
KEY = re.compile(rb'"([^"\\\n]{0,100})"\s*:\s*')
ARRAY = re.compile(rb"\[\s*(?:\{|\n|\]\s*\Z)")
STRAY = re.compile(rb"[^\s,\]]")
NAMED = 200
# A first value of more bytes than this is taken for a value without being read.
LARGE = 16 << 20
# Pages of the mapped file that were gone through are given back to the system after so many bytes.
FORGET = 16 << 20


def is_spread(path: Path, intake: Intake) -> bool:
    """Whether the first value does not stand alone on its line: an array, or objects over several lines."""
    if path.stat().st_size == 0:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = _first(data)
        if start is None or data[start] not in b"{[":
            return False
        if data[start] == ord("["):
            return ARRAY.match(data, start) is not None and not _is_list_a_line(data, start)
        if _wrapped(data, start, intake) is not None:
            return True
        begun, end = next(spans(data, start, look=lambda _: intake.look()))
        newline = data.find(b"\n", start)
        stands_alone = (newline < 0 or end <= newline) and not data[end : max(newline, end)].strip(b" \t\r,")
        if newline < 0:
            stands_alone = STRAY.search(data, end) is None
        return not stands_alone and (end - begun > LARGE or _is_object(data[begun:end]))


def take_spread(path: Path, intake: Intake) -> tuple[Path, Integers]:
    """The values of the file as lines of a file of our own, and the line of the original on which each began.

    Raises UnreadableFile when it holds not one object.
    """
    target = intake.new_file()
    numbers = array("q")
    intake.stage(last=True)
    with (
        path.open("rb") as source,
        target.open("wb") as out,
        mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        start, stop = _first(data) or 0, len(data)
        wrapped = _wrapped(data, start, intake)
        if wrapped is not None:
            key, (start, stop), others = wrapped
            _tell_wrapper(key, others, intake)
        for number, begun, end in _placed(data, start, stop, intake):
            raw = _one_line(data, begun, end, number, intake)
            if raw is not None:
                out.write(raw + b"\n")
                numbers.append(number)
    if not numbers and not intake.problems.totals():
        raise UnreadableFile(
            f"{intake.name} is JSON, but holds no objects.", 'Each example is an object such as {"messages": [...]}.'
        )
    if wrapped is None:
        intake.note(
            "not_one_example_a_line",
            "The file is a JSON array, or its objects go over several lines.",
            "Services accept one object a line only. Etude writes it that way; no value changes.",
        )
    return target, np.frombuffer(numbers, dtype=np.int64)


def _placed(data: Any, start: int, stop: int, intake: Intake) -> Iterator[tuple[int, int, int]]:
    """(line, start, end) of each value; what stands between them and is no value becomes a problem."""
    number, counted, forgotten = 1, 0, 0
    before = start + 1 if data[start] == ord("[") else start
    for begun, end in spans(data, start, stop, lambda at: intake.at(at, len(data))):
        _look_between(data, before, begun, number, counted, intake)
        number += _newlines(data, counted, begun)
        counted, before = begun, end
        yield number, begun, end
        intake.at(end, len(data))
        if end - forgotten > FORGET:
            whole = end - end % mmap.PAGESIZE
            data.madvise(mmap.MADV_DONTNEED, forgotten, whole - forgotten)
            forgotten = whole
    _look_between(data, before, stop, number, counted, intake)


def _look_between(data: Any, start: int, stop: int, number: int, counted: int, intake: Intake) -> None:
    stray = STRAY.search(data, start, stop)
    if stray is not None:
        line = number + _newlines(data, counted, stray.start())
        text = data[stray.start() : min(stop, stray.start() + NAMED)].decode("utf-8", "replace").strip(" ,\n\r\t]")
        intake.problem(
            "between_examples",
            f"Line {line}: “{snippet(text)}” stands between the examples.",
            'It is no object such as {"messages": [...]} and stays out.',
            line,
        )


def _one_line(data: Any, begun: int, end: int, number: int, intake: Intake) -> bytes | None:
    """The value on one line; None when it cannot be read, which is then told."""
    if end - begun > intake.limits.line:
        too_long(number, end - begun, intake)
        return None
    raw: bytes = data[begun:end]
    try:
        parse(raw)
    except Unparsable:
        intake.problems.add(value_of(raw, number)[1][0])
        return None
    if b"\n" in raw or b"\r" in raw:
        # Outside a text a line break is a blank, and inside it JSON allows none: no value changes.
        raw = raw.replace(b"\n", b" ").replace(b"\r", b" ")
        # What holds half of a character, or is nested without end, stays spread out: the formatter refuses it.
        with suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.format(raw, indent=-1)
    return raw


def _wrapped(data: Any, start: int, intake: Intake) -> tuple[str, Span, list[str]] | None:
    """The key, the place and the other keys when the file is one object around a list of examples."""
    if data[start] != ord("{") or WRAPPING.search(data, start, start + (PEEK << 4)) is None:
        return None
    lists: dict[str, Span] = {}
    others: list[str] = []
    depth, key, key_end, begun = 0, "", -1, -1
    for count, mark in enumerate(MARK.finditer(data, start)):
        if count % LOOK_EVERY == 0:
            intake.look()
        at, kind = mark.start(), data[mark.start()]
        if kind == ord('"'):
            if depth == 1 and (named := KEY.match(data, at)) is not None:
                key, key_end = named.group(1).decode("utf-8", "replace"), named.end()
                others.append(key)
            continue
        if kind in b"{[":
            depth += 1
            begun = at if depth == 2 else begun
        else:
            depth -= 1
        if depth == 1 and kind == ord("]") and begun == key_end and key in WRAPPERS:
            lists[key] = begun, at + 1
        if depth <= 0:
            if not lists or STRAY.search(data, mark.end()) is not None:
                return None
            chosen = min(lists, key=WRAPPERS.index)
            return chosen, lists[chosen], [one for one in others if one != chosen]
    return None


def _tell_wrapper(key: str, others: list[str], intake: Intake) -> None:
    beside = ", ".join(f"“{snippet(other)}”" for other in others[:5])
    intake.note(
        "not_one_example_a_line",
        f"The file is one object around the list “{key}”, whose entries are the examples.",
        f"Beside the list stands {beside}, which stays out." if others else "Services accept one object a line only.",
    )


def _is_list_a_line(data: Any, start: int) -> bool:
    """Whether the first line is a list by itself and more lines follow: then each line is one."""
    newline = data.find(b"\n", start, start + LARGE)
    if newline < 0 or STRAY.search(data, newline) is None:
        return False
    try:
        return isinstance(parse(data[start:newline]), list)
    except Unparsable:
        return False


def _first(data: Any) -> int | None:
    start = len(BOM) if data[: len(BOM)] == BOM else 0
    found = re.compile(rb"\S").search(data, start)
    return found.start() if found else None


def _is_object(raw: bytes) -> bool:
    try:
        return isinstance(parse(raw), dict)
    except Unparsable:
        return False


def _newlines(data: Any, start: int, stop: int) -> int:
    count = 0
    while start < stop:
        count += data[start : min(stop, start + FORGET)].count(b"\n")
        start += FORGET
    return count
