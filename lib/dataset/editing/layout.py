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


def on_one_line(text: str) -> str:
    """The JSON on one line, a blank after every comma and colon as Python writes it. What is no JSON stays as it is."""
    if not _is_json(text):
        return text
    return "".join(f"{piece} " if piece in (",", ":") else piece for piece in PIECES.findall(text))


def _is_json(text: str) -> bool:
    try:
        parse(text.encode("utf-8", errors="replace"))
    except Unparsable:
        return False
    return True
