"""Examples as a table that a person reads in a spreadsheet, and that comes back in through the mapping of columns.

One row an example, because a person sorts and filters examples, not messages: its line, its side, then what was said
in the order in which it is read. The columns are called system, question and answer, which the mapping of columns
guesses by itself. What these columns cannot say (earlier turns, tools, weights, images, other keys) stands readable
under `earlier` and whole, as JSON, under `example`; both are empty where the others say everything. So nothing is lost,
and `example_of` gives back every example as it was.

Safe for spreadsheets: a cell that a program might take for a formula gets an apostrophe in front, which shows that it
is text. UTF-8 with a mark at the start, without which Excel takes the text for another encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lib.dataset.example import Example, Method, content_text, raw_messages
from lib.dataset.export_row import Row
from lib.dataset.parse import parse

COLUMNS: Mapping[Method, tuple[str, ...]] = {
    "supervised": ("line", "split", "system", "question", "answer", "earlier", "example"),
    "reinforcement": ("line", "split", "system", "question", "answer", "earlier", "example"),
    "dpo": ("line", "split", "system", "question", "preferred", "rejected", "earlier", "example"),
}

# What OWASP lists under CSV injection, with the wide forms that spreadsheets read alike. Apostrophes that stand before
# such a sign are counted in, so that taking one away always gives back the text.
FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
ESCAPED = re.compile("''*[=+\\-@\t\r\n＝＋－＠]")
# What no cell can hold: NUL, and halves of characters.
UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def write_csv(rows: Iterable[Row], path: Path, method: Method) -> None:
    """Write a table of examples. Knows only the row it is at."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(_line(COLUMNS[method]))
        for row in rows:
            cells = {"line": str(row.line), "split": row.split, **_said(row.raw, method)}
            file.write(_line(shielded(cells.get(column, "")) for column in COLUMNS[method]))


def _line(cells: Iterable[str]) -> str:
    """One line of a table as RFC 4180 has it; the csv module goes through a long text at a third of the speed.

    Every cell stands in quotes: a text with a semicolon or a tab must not become two cells anywhere.
    """
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\r\n"


def shielded(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def unshielded(cell: str) -> str:
    """The text that `shielded` has made this cell of."""
    return cell[1:] if ESCAPED.match(cell) else cell


def example_of(cells: Mapping[str, str]) -> dict[str, Any]:
    """The example that was written as this row. Raises Unparsable when its JSON was damaged."""
    texts = {column: unshielded(cell) for column, cell in cells.items()}
    if texts.get("example"):
        data = parse(texts["example"].encode())
        return data if isinstance(data, dict) else {}
    return _told_by(texts)


def _told_by(texts: Mapping[str, str]) -> dict[str, Any]:
    """The example that these texts say by themselves."""
    asked = [{"role": "system", "content": texts["system"]}] if texts["system"] else []
    asked.append({"role": "user", "content": texts["question"]})
    if "rejected" not in texts:
        return {"messages": [*asked, {"role": "assistant", "content": texts["answer"]}]}
    return {
        "input": {"messages": asked},
        "preferred_output": [{"role": "assistant", "content": texts["preferred"]}],
        "non_preferred_output": [{"role": "assistant", "content": texts["rejected"]}],
    }


def _said(raw: bytes, method: Method) -> dict[str, str]:
    """What an example says, by columns; with the whole of it where that is not everything."""
    data = parse(raw)
    example = Example(data if isinstance(data, dict) else {})
    messages = [entry for entry in raw_messages(example.data) if isinstance(entry, dict)]
    system = messages.pop(0) if messages and messages[0].get("role") in ("system", "developer") else {}
    answer = messages.pop() if messages and messages[-1].get("role") == "assistant" else {}
    question = messages.pop() if messages and messages[-1].get("role") == "user" else {}
    texts = {
        "system": _text(system),
        "question": _text(question) or str(example.data.get("prompt") or ""),
        "answer": _text(answer) or str(example.data.get("completion") or ""),
        "earlier": "\n\n".join(f"{entry.get('role')}: {_text(entry)}" for entry in messages),
    }
    if method == "dpo":
        texts["preferred"] = "\n\n".join(map(content_text, (one.content for one in example.preferred)))
        texts["rejected"] = "\n\n".join(map(content_text, (one.content for one in example.non_preferred)))
    texts = {column: _writable(text) for column, text in texts.items()}
    # Whoever reads a table takes the blanks around a cell away.
    stripped = all(text == text.strip() for text in texts.values())
    if not stripped or _told_by(texts) != data:
        texts["example"] = raw.decode("utf-8", "replace")
    return texts


def _writable(text: str) -> str:
    """The text as a cell can hold it. Looking for what it cannot hold sign by sign is slow, so it is rarely done."""
    if "\0" not in text:
        try:
            text.encode()
            return text
        except UnicodeEncodeError:
            pass
    return UNWRITABLE.sub("�", text)


def _text(entry: Mapping[str, Any]) -> str:
    """A message as a person reads it: its text, its images by name, its calls."""
    content, calls = entry.get("content"), entry.get("tool_calls")
    parts = [content_text(content)]
    if isinstance(content, list):
        images = [part for part in content if isinstance(part, dict) and part.get("type") == "image_url"]
        parts += ["[image]"] * len(images)
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            parts.append(f"[{function.get('name')} {function.get('arguments')}]")
    return "\n".join(part for part in parts if part)
