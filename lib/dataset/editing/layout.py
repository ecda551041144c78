"""JSON that a person reads and edits: over several lines, and back on one.

Works on the text itself, so that every string and number stays as it was written. Knows nothing of examples.
"""

from __future__ import annotations

import re

from lib.dataset.parse import Unparsable, parse

PIECES = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
STEP = "  "


def laid_out(text: str) -> str:
    """The JSON over several lines, each level two spaces further in. What is no JSON comes back as it is."""
    if not _is_json(text):
        return text
    pieces, depth, made = PIECES.findall(text), 0, ""
    for at, piece in enumerate(pieces):
        empty = at + 1 < len(pieces) and pieces[at + 1] in "}]" and piece in "{["
        if piece in "{[":
            depth += 1
            made += piece if empty else f"{piece}\n{STEP * depth}"
        elif piece in "}]":
            depth -= 1
            made += piece if pieces[at - 1] in "{[" else f"\n{STEP * depth}{piece}"
        elif piece == ",":
            made += f",\n{STEP * depth}"
        else:
            made += ": " if piece == ":" else piece
    return made


def on_one_line(text: str, *, compact: bool = False) -> str:
    """The JSON on one line, with a blank after every comma and colon or `compact`. What is no JSON stays as it is."""
    if not _is_json(text):
        return text
    marks = () if compact else (",", ":")
    return "".join(f"{piece} " if piece in marks else piece for piece in PIECES.findall(text))


def as_before(text: str, before: str) -> str:
    """The JSON written in the way of `before`: laid out, compact, or on one line with blanks."""
    if "\n" in before and before == laid_out(before):
        return laid_out(text)
    return on_one_line(text, compact=before not in ("{}", "[]") and before == on_one_line(before, compact=True))


def _is_json(text: str) -> bool:
    try:
        parse(text.encode("utf-8", errors="replace"))
    except Unparsable:
        return False
    return True
