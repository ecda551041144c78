"""Whether a job's files can be trained on, in the service's own words and codes.

The rules are those of `lib.dataset.check`; this module only says their first error as OpenAI's server does, in the
job's error. Source of the words: errors of real jobs, quoted where they are made. Knows no row and no process.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lib.errors import DataError

if TYPE_CHECKING:
    from lib.dataset.check import Finding

TOO_FEW = "invalid_n_examples"
FOREIGN = frozenset({"prompt_completion", "foreign_format"})
HINT_LENGTH = 20

Kind = Literal["training", "validation"]


@dataclass(frozen=True, slots=True)
class Usable:
    """How many examples the training file holds."""

    examples: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A job's error."""

    code: str
    message: str
    param: str


def examine(training: Path, validation: Path | None) -> Usable | Unusable:
    """Check both files for supervised training. Takes time with their size, and imports what the app's check does."""
    found = _examine(training, "training")
    if isinstance(found, Unusable) or validation is None:
        return found
    problem = _examine(validation, "validation")
    return problem if isinstance(problem, Unusable) else found


def _examine(path: Path, kind: Kind) -> Usable | Unusable:
    # Imported here: the server must be ready before numpy is.
    from lib.dataset.check import check
    from lib.dataset.jsonl import text_lines

    try:
        lines = text_lines(path, f"{kind.capitalize()} file")
    except DataError as error:
        return _invalid(kind, error.what)
    report = check(lines, method="supervised", near=False)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    in_lines = [finding for finding in errors if finding.line is not None]
    if in_lines:
        return _invalid(kind, said(in_lines[0], path))
    # A validation file may be short: an example is enough to measure with.
    if errors and (kind == "training" or errors[0].code != TOO_FEW):
        return Unusable(errors[0].code, errors[0].text.rstrip("."), f"{kind}_file")
    return Usable(report.examples)


def said(finding: Finding, path: Path) -> str:
    """An error about a line in the words of OpenAI's server, as far as they are known; in the check's own otherwise."""
    if finding.code in FOREIGN:
        return "Unexpected file format, expected either prompt/completion pairs or chat messages."
    found = re.match(r"Example \d+(, message \d+)?", finding.text)
    place = found.group() if found else f"Example {finding.line}"
    if finding.code == "not_an_object":
        start = _line(path, finding.line or 0)[:HINT_LENGTH].decode("utf-8", "replace")
        words = (
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            f'Line {finding.line} is not a dictionary (HINT: line starts with: "{start}...").'
        )
    elif finding.code == "invalid_json":
        words = f"Example {finding.line} cannot be parsed. Error: line contains invalid json: {_reason(finding, path)}"
    elif finding.code == "missing_role":
        words = f"{place} Discriminator 'role' is missing in value"
    elif finding.code in ("missing_messages", "wrong_method"):
        words = f"{place} is missing key 'messages'."
    else:
        words = finding.text.replace("“", '"').replace("”", '"')
    return f"Invalid file format. {words}"


def _invalid(kind: Kind, words: str) -> Unusable:
    return Unusable(f"invalid_{kind}_file", f"The job failed due to an invalid {kind} file. {words}", f"{kind}_file")


def _reason(finding: Finding, path: Path) -> str:
    """What Python's parser says of the line, as OpenAI's server shows it."""
    try:
        json.loads(_line(path, finding.line or 0))
    except (ValueError, RecursionError) as error:
        return f"{error} (line {finding.line})"
    return finding.text


def _line(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        return next((line for place, line in enumerate(file, start=1) if place == number), b"").rstrip(b"\r\n")
