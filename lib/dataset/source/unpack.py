"""Takes the one data file out of a gzip or zip archive, streamed, with a cap on what comes out.

Knows archives, not what is in them. Names inside an archive are shown and never used as paths.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from lib.dataset.source.intake import BLOCK, Intake, shown_name
from lib.errors import UnreadableFile

GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
ZIP64_LOCATOR = b"PK\x06\x07"
WBITS_GZIP = 31
CRUMB = 8

# What a reader would look for in an archive; anything else in it is a companion such as a README.
DATA_ENDINGS = ("jsonl", "json", "ndjson", "txt", "csv", "tsv", "parquet", "xlsx", "xlsm", "xlsb", "xls", "gz")
# An archive's directory is read whole, and every entry costs about a kilobyte of memory.
LARGEST_DIRECTORY = 4 << 20
MOST_NAMED = 5
AGAIN = "Unpack it yourself and bring in the data that is inside."


def gunzip(path: Path, intake: Intake) -> Path:
    """The content of a gzip file as a file of our own. What stands before a damage is kept, and the damage is told."""
    packed = path.stat().st_size
    target, written = intake.new_file(), intake.written(packed)
    intake.stage()
    with path.open("rb") as source, target.open("wb") as out:
        try:
            for piece in _inflated(source, intake, packed):
                written.add(len(piece))
                out.write(piece)
        except (zlib.error, EOFError) as error:
            intake.problem(
                "archive_damaged",
                f"{intake.name} is damaged or breaks off after {written.size} unpacked bytes.",
                "What stands before that place is there. Fetch the file again for the rest.",
            )
            if not written.size:
                raise _damaged(intake, error) from error
    intake.note("decompressed", f"{intake.name} was unpacked with gzip.", "Services take plain JSONL only.")
    return target


def unzip(path: Path, intake: Intake) -> Path:
    """The one data file in a zip archive as a file of our own.

    Raises UnreadableFile when there is none or more than one, when it is encrypted or damaged, or a bomb.
    """
    intake.stage()
    try:
        with open_zip(path, intake) as archive:
            member = _data_file(archive, intake)
            target, written = intake.new_file(), intake.written(member.compress_size)
            with archive.open(member) as source, target.open("wb") as out:
                while piece := source.read(BLOCK):
                    intake.at(written.size, member.file_size)
                    written.add(len(piece))
                    out.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise _damaged(intake, error) from error
    except RuntimeError as error:  # What is packed in an unknown way raises one of its kinds.
        raise UnreadableFile(
            f"{intake.name} is encrypted, or packed in a way that cannot be read here.", AGAIN, raw=str(error)
        ) from error
    others = [shown_name(one.filename) for one in archive.infolist() if one is not member and not _is_hidden(one)]
    beside = f" Beside it lies {_listed(others)}, which was not looked at." if others else ""
    inside = shown_name(member.filename)
    intake.note("decompressed", f"{intake.name} is a zip archive; “{inside}” in it came in.{beside}", AGAIN)
    return target


def open_zip(path: Path, intake: Intake) -> zipfile.ZipFile:
    """A zip archive whose directory is small enough to be read. Raises UnreadableFile or BadZipFile."""
    if _directory_size(path) > LARGEST_DIRECTORY:
        raise UnreadableFile(f"{intake.name} is an archive of too many files.", AGAIN)
    return zipfile.ZipFile(path)


def _inflated(source: BinaryIO, intake: Intake, packed: int) -> Iterator[bytes]:
    """The unpacked bytes, a block at a time; a gzip file may be several in a row. Raises zlib.error, EOFError."""
    inflater, whole = zlib.decompressobj(WBITS_GZIP), False
    while read := source.read(BLOCK // 4):
        while read:
            intake.at(source.tell(), packed)
            if whole:
                read = read.lstrip(b"\0")
                if not read or not GZIP.startswith(read[: len(GZIP)]):
                    break
                inflater = zlib.decompressobj(WBITS_GZIP)
            before = inflater.copy()
            try:
                piece = inflater.decompress(read, BLOCK)
            except zlib.error:
                # What stands before the damage is lost with the call that meets it, so it is asked for in small calls.
                for at in range(0, len(read), CRUMB):
                    yield before.decompress(read[at : at + CRUMB])
                raise
            yield piece
            whole = inflater.eof
            read = inflater.unused_data if whole else inflater.unconsumed_tail
    if not whole:
        yield inflater.flush()
        if not inflater.eof:
            raise EOFError


def _data_file(archive: zipfile.ZipFile, intake: Intake) -> zipfile.ZipInfo:
    files = [one for one in archive.infolist() if not _is_hidden(one)]
    found = [one for one in files if one.filename.lower().rpartition(".")[2] in DATA_ENDINGS]
    if len(found) > 1:
        # A note that lies beside the data is none itself.
        found = [one for one in found if not one.filename.lower().endswith(".txt")] or found
    if len(found) == 1:
        return found[0]
    names = _listed([shown_name(one.filename) for one in found or files])
    if not found:
        raise UnreadableFile(
            f"{intake.name} is a zip archive without a data file{names and f': it holds {names}'}.", AGAIN
        )
    raise UnreadableFile(
        f"{intake.name} is a zip archive of {len(found)} data files: {names}.",
        "Unpack it and bring in those that belong together; several can come in at once.",
    )


def _is_hidden(one: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder, or something that a system left beside the files."""
    last = one.filename.rstrip("/").rpartition("/")[2]
    return one.is_dir() or last.startswith(".") or one.filename.startswith("__MACOSX/")


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(f"“{name}”" for name in names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _directory_size(path: Path) -> int:
    """How large the archive's directory says it is, in bytes; 0 when there is none to be found."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 42))
        tail = file.read()
        at = tail.rfind(EMPTY_ZIP)
        if at < 0 or len(tail) < at + 20:
            return 0
        held = int(struct.unpack_from("<L", tail, at + 12)[0])
        if at >= 20 and tail[at - 20 : at - 16] == ZIP64_LOCATOR:
            file.seek(min(size, struct.unpack_from("<Q", tail, at - 12)[0]))
            record = file.read(56)
            held = max(held % 0xFFFFFFFF, struct.unpack_from("<Q", record, 40)[0] if len(record) == 56 else 0)
        return held


def _damaged(intake: Intake, error: Exception) -> UnreadableFile:
    return UnreadableFile(
        f"{intake.name} is an archive that cannot be unpacked: it is damaged or cut off.",
        "Fetch or pack it again.",
        raw=str(error),
    )
