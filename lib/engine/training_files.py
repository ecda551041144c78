"""Whether a job's files can be trained on, in the service's own words and codes.

The rules are those of `lib.dataset.check`; this module only turns their findings into what a job's error says.
Source of the words: errors of real jobs. Knows no row and no process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib.errors import DataError

LEAST_EXAMPLES = 10
INVALID_FILE = "The job failed due to an invalid {kind} file."


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


def examine(training: Path, validation: Path | None, method: str) -> Usable | Unusable:
    """Check both files. Takes time with their size, and imports what the app's own check imports."""
    found = _examine(training, method, "training")
    if isinstance(found, Unusable) or validation is None:
        return found
    problem = _examine(validation, method, "validation")
    return problem if isinstance(problem, Unusable) else found


def _examine(path: Path, method: str, kind: str) -> Usable | Unusable:
    from lib.dataset.check import check
    from lib.dataset.jsonl import read

    param = f"{kind}_file"
    try:
        reading = read(path, f"{kind} file")
    except DataError as error:
        return Unusable(f"invalid_{param}", f"{INVALID_FILE.format(kind=kind)} {error.what}", param)
    report = check(reading.lines, method=method, problems=reading.problems)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    count = len(reading.lines)
    if kind == "training" and count < LEAST_EXAMPLES:
        message = f"Training file has {count} example(s), but must have at least {LEAST_EXAMPLES} examples"
        return Unusable("invalid_n_examples", message, param)
    # A validation file may be short: only what a line says can be wrong with it.
    errors = [finding for finding in errors if finding.code != "invalid_n_examples"]
    if errors:
        return Unusable(f"invalid_{param}", f"{INVALID_FILE.format(kind=kind)} {_said(errors[0].text)}", param)
    return Usable(count)


def _said(text: str) -> str:
    return text if text.startswith("Invalid file format") else f"Invalid file format. {text}"
