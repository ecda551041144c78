"""How a text table is written: what separates its cells, how quotes stand in them, and whether it is one at all.

Looks at the beginning of a text only.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from lib.dataset.source.headings import LOOKED_AT_FIRST

ENDINGS = (".csv", ".tsv", ".tab", ".psv")
DELIMITERS = ",;\t|"
HEAD = 1 << 18
# So even must the rows of a file be that does not call itself a table.
EVEN_SHARE = 0.8
# Excel's own first line, which says what separates the cells.
SAYS_SEPARATOR = re.compile(r"sep=([,;\t|])\r?\n")


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is written. With `escapes`, a quote inside a cell is a backslash and a quote instead of two quotes.

    `says_separator` is whether the first line does nothing but name the delimiter.
    """

    delimiter: str
    escapes: bool = False
    blank_before_quote: bool = False
    says_separator: bool = False

    def dialect(self) -> dict[str, Any]:
        """The form as the csv module takes it."""
        return {
            "delimiter": self.delimiter,
            "doublequote": not self.escapes,
            "escapechar": "\\" if self.escapes else None,
            "skipinitialspace": self.blank_before_quote,
        }


def is_table(head: str, name: str) -> bool:
    """Whether a text that begins so is a table: by its name, or because its rows are even."""
    if name.lower().endswith(ENDINGS):
        return True
    widths = Counter(len(row) for row in first_rows(head, form_of(head, name)))
    width, times = widths.most_common(1)[0] if widths else (0, 0)
    return width > 1 and times > 1 and times >= EVEN_SHARE * widths.total()


def form_of(head: str, name: str) -> Form:
    """The separator that splits the first rows most evenly and into most cells, and how quotes are written."""
    says = SAYS_SEPARATOR.match(head)
    delimiters = says.group(1) if says else DELIMITERS
    if name.lower().endswith((".tsv", ".tab")) and "\t" in head.split("\n", 1)[0]:
        delimiters = "\t"
    plain = [Form(one, says_separator=says is not None) for one in delimiters]
    best = max(plain, key=lambda form: _evenness(head, form))
    unbroken, _, share, _, _ = _evenness(head, best)
    if unbroken and share == 1:
        return best
    # A backslash or a blank before a quote means nothing unless the rows are more even when it does.
    escaped = [replace(form, escapes=True) for form in plain if '\\"' in head]
    spaced = [replace(form, blank_before_quote=True) for form in plain if f'{form.delimiter} "' in head]
    return max([best, *escaped, *spaced], key=lambda form: _evenness(head, form))


def _evenness(head: str, form: Form) -> tuple[bool, bool, float, int, int]:
    """How well a form fits, what matters most first. The third is the share of rows as wide as most are."""
    rows, unbroken = _first_rows(head, form, strict=True)
    widths = [len(row) for row in rows]
    common = max(set(widths), key=widths.count) if widths else 1
    if common == 1:
        return unbroken, False, 0, 0, 1
    number = widths.count(common)
    return unbroken, widths[0] == common, number / len(widths), number, common


def first_rows(head: str, form: Form) -> list[list[str]]:
    """The first rows that are not empty, without the one that the head breaks off in."""
    return _first_rows(head, form, strict=False)[0]


def _first_rows(head: str, form: Form, *, strict: bool) -> tuple[list[list[str]], bool]:
    """The first rows, and whether reading went on to their end."""
    if form.says_separator:
        head = head.partition("\n")[2]
    whole = head if len(head) < HEAD // 4 else head[: head.rfind("\n") + 1]
    reader = csv.reader(io.StringIO(whole, newline=""), strict=strict, **form.dialect())
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == LOOKED_AT_FIRST:
                break
    except csv.Error:
        return rows, False
    return rows, True
