"""A file with one JSON object a line: where its lines are, and what stands on one of them.

The file stays where it is, mapped into memory; what is kept beside it are three integers for each line. Knows JSON and
lines; what other files become such lines is for source/, what an example must look like for the check.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from lib.dataset.example import Example
from lib.dataset.finding import Finding
from lib.dataset.parse import Unparsable, has_half_pair, is_deeper, parse, repeated_keys
from lib.dataset.sniff import PEEK, check_readable
from lib.errors import UnreadableFile

Integers = npt.NDArray[np.int64]

BOM = b"\xef\xbb\xbf"
NEWLINE, RETURN = 10, 13
BLANKS = np.frombuffer(b" \t\r", dtype=np.uint8)
SCAN_BLOCK = 8 << 20
DEEPEST = 100
SHORT = 60
# What is read at once; a block of few lines costs more than they do by themselves.
READ_LINES, READ_BYTES, FEW_LINES = 2_000, 1 << 20, 8


@dataclass(frozen=True, slots=True)
class Place:
    """A file as it was when it was opened: another one may get its name."""

    path: Path
    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Place:
        """The file that has this name now. Raises OSError."""
        found = path.stat()
        return cls(path.absolute(), found.st_ino, found.st_size, found.st_mtime_ns)


class Lines:
    """The examples of a file, each read when it is asked for. Positions count from 0.

    `place` is the file that they stand in, None for lines in memory.
    """

    def __init__(
        self, data: Any, starts: Integers, ends: Integers, numbers: Integers, place: Place | None = None
    ) -> None:
        self.place = place
        self._data = data
        self._starts = starts
        self._ends = ends
        self._numbers = numbers

    @classmethod
    def of(cls, raws: Sequence[bytes]) -> Lines:
        """These lines, in memory."""
        lengths = np.fromiter(map(len, raws), np.int64, len(raws))
        ends = np.cumsum(lengths + 1) - 1
        return cls(b"\n".join(raws), ends - lengths, ends, np.arange(1, len(raws) + 1))

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def size(self) -> int:
        """The bytes from the beginning of the first line to the end of the last."""
        return int(self._ends[-1] - self._starts[0]) if len(self) else 0

    def raw(self, position: int) -> bytes:
        """The example's exact bytes, without the line's end."""
        return bytes(self._data[self._starts[position] : self._ends[position]])

    def raws(self, begun: int = 0, ended: int | None = None) -> Iterator[bytes]:
        """The exact bytes of the examples at these positions, or of all, one after the other; read in blocks."""
        ended = len(self) if ended is None else ended
        if ended - begun <= FEW_LINES:
            yield from map(self.raw, range(begun, ended))
            return
        part = self.part(begun, ended)
        for first, last in part.blocks(READ_LINES, READ_BYTES):
            yield from part.block(first, last)

    def example(self, position: int) -> Example:
        """The example at this position. Raises IndexError outside the file."""
        data = parse(self.raw(position))
        return Example(data if isinstance(data, dict) else {})

    def blocks(self, most: int, most_bytes: int) -> Iterator[tuple[int, int]]:
        """(begin, end) of blocks that together are all lines: each of at most so many lines and, unless it is a single
        long line, so many bytes.
        """
        begun = 0
        while begun < len(self):
            ended = self.reach(begun, min(begun + most, len(self)), most_bytes)
            yield begun, ended
            begun = ended

    def reach(self, begun: int, ended: int, most_bytes: int) -> int:
        """How far from `begun` to `ended` lines have so many bytes together; at least one line."""
        far = int(np.searchsorted(self._ends[begun:ended], self._starts[begun] + most_bytes, side="right"))
        return begun + max(1, far)

    def block(self, begun: int, ended: int) -> list[bytes]:
        """The exact bytes of the examples at these positions: `raw` for many at once."""
        if begun >= ended:
            return []
        first = int(self._starts[begun])
        held = bytes(self._data[first : int(self._ends[ended - 1])])
        starts, ends = (self._starts[begun:ended] - first).tolist(), (self._ends[begun:ended] - first).tolist()
        return [held[start:end] for start, end in zip(starts, ends, strict=True)]

    def only(self, positions: npt.NDArray[Any]) -> Lines:
        """The lines at these positions alone."""
        return Lines(self._data, self._starts[positions], self._ends[positions], self._numbers[positions], self.place)

    def part(self, begun: int, ended: int) -> Lines:
        """The lines at these positions, without a copy of anything."""
        here = slice(begun, ended)
        return Lines(self._data, self._starts[here], self._ends[here], self._numbers[here], self.place)

    def bounds(self, begun: int, ended: int) -> tuple[Integers, Integers, Integers]:
        """Where the lines at these positions start and end in the file, in bytes, and their numbers."""
        return self._starts[begun:ended], self._ends[begun:ended], self._numbers[begun:ended]

    def number(self, position: int) -> int:
        """The line of the file, from 1, on which the example begins."""
        return int(self._numbers[position])

    @overload
    def __getitem__(self, wanted: int) -> Example: ...

    @overload
    def __getitem__(self, wanted: slice) -> list[Example]: ...

    def __getitem__(self, wanted: int | slice) -> Example | list[Example]:
        if isinstance(wanted, slice):
            return [self.example(position) for position in range(*wanted.indices(len(self)))]
        return self.example(wanted)

    def __iter__(self) -> Iterator[Example]:
        return (self.example(position) for position in range(len(self)))


def lines_of(path: Path, numbers: Integers | None = None) -> Lines:
    """All lines of a file that are not blank: nothing is looked at but where they end.

    `numbers` has the number of each line where it is not its place in the file (there are no blank lines then).
    """
    data = _open(path, path.name)
    place = Place.of(path)
    starts, ends, places = _line_bounds(data, len(BOM) if data[: len(BOM)] == BOM else 0)
    return Lines(data, starts, ends, places if numbers is None else numbers[: len(places)], place)


def lines_at(place: Place, bounds: tuple[Integers, Integers, Integers]) -> Lines:
    """The lines that `Lines.bounds` described. Raises UnreadableFile when the file is not there as it was."""
    data = _open(place.path, place.path.name)
    if Place.of(place.path) != place:
        raise UnreadableFile(f"{place.path.name} was changed meanwhile.", "Bring it in again.")
    return Lines(data, *bounds, place)


def text_lines(path: Path, name: str) -> Lines:
    """The lines of a file that came from anywhere, as a service would look at it. `name` is what it is called.

    Raises UnreadableFile when it is empty, or something else than text.
    """
    data = _open(path, name)
    check_readable(bytes(data[:PEEK]), name)
    return lines_of(path)


def write(raws: Iterable[bytes], path: Path) -> None:
    """Write examples, one a line, as a service wants them."""
    with path.open("wb") as file:
        file.writelines(raw + b"\n" for raw in raws)


def _open(source: bytes | Path, name: str) -> Any:
    """The bytes of the source, or the file mapped, which takes no memory that the system cannot take back."""
    if isinstance(source, bytes):
        return source
    try:
        if source.is_fifo() or source.is_char_device():
            raise UnreadableFile(f"{name} is a pipe or a device, not a file.", "Save what it gives as a file first.")
        with source.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if source.stat().st_size else b""
    except (OSError, ValueError) as error:
        raise UnreadableFile(
            f"{name} could not be opened: {getattr(error, 'strerror', None) or error}.",
            "Check that the file is still there and that you may read it.",
            raw=str(error),
        ) from error


def _line_bounds(data: Any, first: int) -> tuple[Integers, Integers, Integers]:
    """Starts, ends and numbers of the lines that are not blank. Old Macs end lines with a carriage return alone."""
    if len(data) <= first:
        none = np.empty(0, dtype=np.int64)
        return none, none, none
    held = np.frombuffer(data, dtype=np.uint8)
    newline = NEWLINE if data.find(b"\n") >= 0 else RETURN
    blocks = range(first, len(held), SCAN_BLOCK)
    breaks = [np.flatnonzero(held[at : at + SCAN_BLOCK] == newline) + at for at in blocks]
    newlines = np.concatenate([*breaks, np.empty(0, dtype=np.int64)])
    starts = np.concatenate([[first], newlines + 1]).astype(np.int64)
    ends = np.concatenate([newlines, [len(held)]]).astype(np.int64)
    numbers = np.arange(1, len(starts) + 1, dtype=np.int64)
    ends = ends - ((ends > starts) & (held[np.maximum(ends - 1, 0)] == RETURN))
    filled = ends > starts
    for index in np.flatnonzero(filled & np.isin(held[np.minimum(starts, len(held) - 1)], BLANKS)):
        filled[index] = bool(bytes(data[starts[index] : ends[index]]).strip())
    return starts[filled], ends[filled], numbers[filled]


def value_of(raw: bytes, number: int) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The object that stands on a line, None when it holds none; and what there is to know about how it was read."""
    try:
        value = parse(raw)
    except Unparsable as problem:
        return None, [_unparsable(problem, number)]
    if not isinstance(value, dict):
        return None, [_no_object(value, raw, number)]
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and is_deeper(value, DEEPEST):
        text = f"Line {number} cannot be read: its brackets are nested more than {DEEPEST} deep."
        why = "An example needs six levels, its tools a few more."
        return None, [Finding("error", "too_deep", number, None, text, why)]
    found = []
    if repeated := repeated_keys(raw, value):
        key, goes, stays = (_in_short(part) for part in repeated[0])
        text = f"Line {number} has the key “{key}” twice in one object: first {goes}, then {stays}."
        why = "Only the last one is read; whatever the first one held is lost."
        detail = tuple(part for one in repeated for part in one)
        found.append(Finding("warning", "repeated_key", number, None, text, why, "keep_last_values", detail))
    if has_half_pair(raw):
        text = f"Line {number} holds half of a character, written as an escape such as \\ud83d."
        why = "No text can hold it. A service replaces it by � or refuses the file."
        found.append(Finding("warning", "half_character", number, None, text, why, "replace_half_characters"))
    return value, found


def _unparsable(problem: Unparsable, number: int) -> Finding:
    line = number + problem.line
    near = f", near “{problem.near}”" if problem.near else ""
    text = f"Line {line}, column {problem.column} cannot be read: {problem.sentence}{near}."
    return Finding("error", problem.code, line, None, text, problem.hint)


def _in_short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}…"


def _no_object(value: Any, raw: bytes, number: int) -> Finding:
    kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
    kind = kinds.get(type(value), "null")
    begins = raw[:40].decode("utf-8", errors="replace")
    return Finding(
        "error",
        "not_an_object",
        number,
        None,
        f"Line {number} is {kind}, not an object; it begins with “{begins}”.",
        'Services expect “every line is a JSON dictionary”, such as {"messages": [...]}.',
    )
