"""Writes text of any encoding as plain UTF-8 with plain line ends, a block at a time.

Knows encodings and line ends, not what the text says.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lib.dataset.source.intake import BLOCK, Intake

BOM = codecs.BOM_UTF8
HALF_PAIR = re.compile("[\ud800-\udfff]")
MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def to_utf8(path: Path, encoding: str, intake: Intake, *, json: bool) -> Path:
    """The text of a wide encoding (a key of MARKS) as a UTF-8 file of our own.

    Half of a character pair becomes its escape in JSON, where it can be told and repaired, and � elsewhere. Bytes that
    the encoding does not have become � and a problem with their line.
    """
    size, line = path.stat().st_size, 1
    target = intake.new_file()
    intake.stage()
    with path.open("rb") as source, target.open("wb") as out:
        for text, bad in _decoded(source, encoding, intake, size):
            out.write(HALF_PAIR.sub(_escaped if json else "\ufffd", text).encode())
            if bad >= 0:
                at = line + text.count("\n", 0, bad)
                intake.problem(
                    "broken_character",
                    f"Line {at}: the file breaks off, or holds bytes that are no {encoding[:6].upper()}, here.",
                    "They were replaced by �. Look at what stands there.",
                    at,
                )
            line += text.count("\n")
    intake.note(
        "not_utf8",
        f"The file is {encoding[:6].upper()}, not UTF-8.",
        "Services accept UTF-8 only. Etude writes it that way; no character changes.",
    )
    return target


def has_newline(path: Path) -> bool:
    """Whether lines end with a newline at all. Old Macs end them with a carriage return alone."""
    seen_return = False
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if b"\n" in block:
                return True
            seen_return = seen_return or b"\r" in block
    return not seen_return


def plain(path: Path, intake: Intake) -> Path:
    """The text without the mark of UTF-8 at its start, and with newlines where it has carriage returns alone."""
    target, size, newlines = intake.new_file(), path.stat().st_size, has_newline(path)
    intake.stage()
    with path.open("rb") as source, target.open("wb") as out:
        if source.read(len(BOM)) != BOM:
            source.seek(0)
        while block := source.read(BLOCK):
            intake.at(source.tell(), size)
            out.write(block if newlines else block.replace(b"\r", b"\n"))
    return target


def is_utf8(path: Path, intake: Intake) -> bool:
    """Whether the text is UTF-8, but for a few bytes: more characters beyond ASCII are than are not."""
    good = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    size = path.stat().st_size
    intake.stage()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            intake.at(file.tell(), size)
            if block.isascii():
                continue
            text = decoder.decode(block)
            wrong = len(text) - len(text.encode("utf-8", "ignore").decode())
            bad += wrong
            good += len(text) - len(text.encode("ascii", "ignore")) - wrong
    return good >= bad


def _decoded(source: BinaryIO, encoding: str, intake: Intake, size: int) -> Iterator[tuple[str, int]]:
    """Blocks of text, each with the place of the first character that is none, or -1."""
    decode = codecs.lookup(encoding).decode
    unit = 4 if encoding.startswith("utf-32") else 2
    if source.read(len(MARKS[encoding])) != MARKS[encoding]:
        source.seek(0)
    held = b""
    while block := source.read(BLOCK):
        intake.at(source.tell(), size)
        held += block
        # Whole units only, and no half of a pair at the end of a block: it would be taken for one that stays alone.
        whole = len(held) - len(held) % unit
        if unit == 2 and whole >= 2 and 0xD8 <= held[whole - (1 if encoding.endswith("le") else 2)] <= 0xDB:
            whole -= 2
        units, held = held[:whole], held[whole:]
        try:
            yield decode(units, "surrogatepass")[0], -1
        except UnicodeDecodeError as error:
            before = decode(units[: error.start], "surrogatepass")[0]
            yield before + decode(units[error.start :], "replace")[0], len(before)
    if held:
        yield decode(held, "replace")[0], 0


def _escaped(half: re.Match[str]) -> str:
    return f"\\u{ord(half.group()):04x}"
