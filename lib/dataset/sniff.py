"""Tells by its first bytes what a file is, so that a wrong one is named instead of misread.

Knows the marks of common formats. Reads no example.
"""

from __future__ import annotations

import codecs
import re

from lib.errors import UnreadableFile

EXAMPLES = "Examples stand in JSONL, one JSON object on each line, or in a table: CSV, Excel or Parquet."
UNPACK = "Unpack it and bring in the file that is inside."
SHEET = "Save the sheet as CSV or write one JSON object for each row, and bring that in."
CONVERT = f"Convert it first. {EXAMPLES}"

# First bytes → what the file is, what to do. The longer mark stands before the shorter.
MARKS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (
        b"PAR1",
        "a Parquet table",
        "Write its rows as JSONL, for example with pandas: to_json(orient='records', lines=True).",
    ),
    (b"ARROW1", "an Arrow table", CONVERT),
    (b"%PDF", "a PDF document", f"Take the cases out of it by hand. {EXAMPLES}"),
    (b"\x89PNG", "a PNG image", EXAMPLES),
    (b"\xff\xd8\xff", "a JPEG image", EXAMPLES),
    (b"GIF8", "a GIF image", EXAMPLES),
    (b"SQLite format 3\x00", "an SQLite database", CONVERT),
    (b"\xd0\xcf\x11\xe0", "an old Office document (.xls or .doc)", SHEET),
    (b"\x93NUMPY", "a NumPy array", CONVERT),
    (b"{\\rtf", "a rich text document", "Save it as plain text. " + EXAMPLES),
)
ZIP = b"PK\x03\x04"
PEEK = 4096
# The mark of UTF-32 begins with that of UTF-16.
WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
JSON_START = re.compile(rb"(?=.{4})\0*[{\[ \r\n\t]\0*[^\0]", re.DOTALL)
# Which of four bytes are zero in a text that is mostly ASCII.
ZEROS = {"utf-32-le": "x000", "utf-32-be": "000x", "utf-16-le": "x0x0", "utf-16-be": "0x0x"}
BINARY_SHARE = 0.1


def check_readable(head: bytes, name: str) -> None:
    """Raise UnreadableFile when a file that begins with `head` is none that holds lines of JSON."""
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise UnreadableFile(f"{name} is empty.", f"Choose a file with examples in it. {EXAMPLES}")
    for mark, kind, todo in MARKS:
        if head.startswith(mark):
            raise UnreadableFile(f"{name} is {kind}, not a file of examples.", todo)
    if head.startswith(ZIP):
        kind, todo = _zipped(head)
        raise UnreadableFile(f"{name} is {kind}, not a file of examples.", todo)
    if wide_encoding(head) is None and _is_binary(head):
        raise UnreadableFile(f"{name} is a binary file, not text.", EXAMPLES)


def wide_encoding(head: bytes) -> str | None:
    """A key of ZEROS when the text is in that encoding, None for UTF-8 and its kin.

    Told by the mark at the start; without one by where the zero bytes of ASCII characters stand, in the first four
    bytes (JSON begins with two such characters) or in most of the head.
    """
    for mark, encoding in WIDE:
        if head.startswith(mark):
            return encoding
    looked_at = [head[:4]] if JSON_START.match(head) else []
    if len(head) >= 4 and head.count(0) > len(head) // 16:
        looked_at.append(head[: len(head) // 4 * 4])
    for part in looked_at:
        zeros = [part[place::4].count(0) * 4 / len(part) for place in range(4)]
        for encoding, shape in ZEROS.items():
            if all(share > 0.5 if mark == "0" else share < 0.1 for share, mark in zip(zeros, shape, strict=True)):
                return encoding
    return None


def not_json(head: bytes, name: str) -> UnreadableFile:
    """The error for a text file in which not one line is a JSON object: says what the text looks like."""
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    first = text.split("\n", 1)[0].strip()
    shown = first if len(first) <= 60 else first[:60] + "…"
    if text.startswith("<"):
        kind, todo = "a web page or XML", "Choose the file with the data itself. " + EXAMPLES
    elif any(first.count(mark) >= 1 for mark in "\t;,") and not first.startswith(("{", "[", '"{')):
        kind, todo = "a table", "If it is one, give its name the ending .csv. " + EXAMPLES
    elif text.startswith(("[", '"')):
        kind, todo = "JSON, but holds no objects", 'Each example is an object such as {"messages": [...]}. ' + EXAMPLES
    else:
        kind, todo = "plain text", EXAMPLES
    return UnreadableFile(f"{name} looks like {kind}: it begins with “{shown}”.", todo, raw=shown)


def _zipped(head: bytes) -> tuple[str, str]:
    if b"xl/" in head or (b"[Content_Types].xml" in head and b"word/" not in head):
        return "an Excel sheet (.xlsx)", SHEET
    if b"word/" in head:
        return "a Word document (.docx)", f"Take the cases out of it by hand. {EXAMPLES}"
    return "a zip archive", UNPACK


def _is_binary(head: bytes) -> bool:
    """Whether so many bytes are control characters that this is no text. A stray one is the problem of its line."""
    control = sum(1 for byte in head if byte < 9 or 13 < byte < 32)
    return control > BINARY_SHARE * len(head)
