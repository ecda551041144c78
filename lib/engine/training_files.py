"""Whether a job's files can be trained on, in the service's own words and codes.

The rules are those of `lib.dataset.check`; this module only says their first error as OpenAI's server does, in the
job's error. Source of the words: errors of real jobs, quoted where they are made. Knows no row and no process.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lib.dataset.example import raw_messages
from lib.engine.job_request import Trained
from lib.errors import DataError

if TYPE_CHECKING:
    from lib.dataset.check import Finding

TOO_FEW = "invalid_n_examples"
CONSEQUENCES = frozenset({"no_assistant_message", "nothing_to_train_on"})
FOREIGN = frozenset({"prompt_completion", "foreign_format"})
HINT_LENGTH = 20
IMAGE = "image_url"

# The roles of the published format.
ROLES = ("system", "user", "assistant", "tool", "function")

# How the server calls the two formats. The first name is from the error of a real job, the other made after it.
FORMATS: dict[Trained, str] = {"supervised": "fine-tune-chat", "dpo": "fine-tune-preference"}
FIRST_KEY: dict[Trained, str] = {"supervised": "messages", "dpo": "input"}

Kind = Literal["training", "validation"]


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file of a job: where it lies, and the id by which the service knows it."""

    path: Path
    id: str


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


Examine = Callable[[Trained, GivenFile, GivenFile | None], Usable | Unusable]


def examine(method: Trained, training: GivenFile, validation: GivenFile | None) -> Usable | Unusable:
    """Check both files for a method. Takes time with their size, and imports what the app's check does."""
    found = _examine(method, training, "training")
    if isinstance(found, Unusable) or validation is None:
        return found
    problem = _examine(method, validation, "validation")
    return problem if isinstance(problem, Unusable) else found


def _examine(method: Trained, file: GivenFile, kind: Kind) -> Usable | Unusable:
    # Imported here: the server must be ready before numpy is.
    from lib.dataset.check import check
    from lib.dataset.jsonl import text_lines

    try:
        lines = text_lines(file.path, f"{kind.capitalize()} file")
    except DataError as error:
        return _invalid(kind, error.what)
    report = check(lines, method=method, near=False)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    in_lines = [finding for finding in errors if finding.line is not None]
    if in_lines:
        # A message with a wrong role may be what leaves its example without an assistant: the cause is told.
        first = [finding for finding in in_lines if finding.line == in_lines[0].line]
        cause = next((finding for finding in first if finding.code not in CONSEQUENCES), first[0])
        return _invalid(kind, said(cause, file, method))
    pictured = _first_image(file.path)
    if pictured is not None:
        words = f"{pictured} contains an image, but the models of this server read text only."
        return _invalid(kind, f"Invalid file format. {words}")
    # A validation file may be short: an example is enough to measure with.
    if errors and (kind == "training" or errors[0].code != TOO_FEW):
        return Unusable(errors[0].code, errors[0].text.rstrip("."), f"{kind}_file")
    return Usable(report.examples)


def said(finding: Finding, file: GivenFile, method: Trained) -> str:
    """An error about a line in the words of OpenAI's server, as far as they are known; in the check's own otherwise."""
    if finding.code in FOREIGN:
        return "Unexpected file format, expected either prompt/completion pairs or chat messages."
    found = re.match(r"Example \d+(, message \d+)?", finding.text)
    place = found.group() if found else f"Example {finding.line}"
    if finding.code == "not_an_object":
        start = _line(file.path, finding.line or 0)[:HINT_LENGTH].decode("utf-8", "replace")
        words = (
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
            f'Line {finding.line} is not a dictionary (HINT: line starts with: "{start}...").'
        )
    elif finding.code == "invalid_json":
        words = (
            f"Example {finding.line} cannot be parsed. Error: line contains invalid json: {_reason(finding, file.path)}"
        )
    elif finding.code == "missing_role":
        words = f"{place} Discriminator 'role' is missing in value"
    elif finding.code == "unknown_role":
        # What the library whose words the line above has says of a value that is there.
        role = re.search("“(.*)”", finding.text)
        allowed = ", ".join(f"'{each}'" for each in ROLES)
        words = f"{place} No match for discriminator 'role' and value '{role and role[1]}' (allowed values: {allowed})"
    elif finding.code == "wrong_method" and finding.line == 1:
        # The first line tells the format of a file.
        other: Trained = "dpo" if method == "supervised" else "supervised"
        words = (
            f"Input file {file.id} is in the {FORMATS[other]} format, but the specified fine-tuning job is not using "
            f"'{other}' as the training method (provided method={method})."
        )
    elif finding.code in ("missing_messages", "missing_input", "wrong_method"):
        words = f"{place} is missing key '{FIRST_KEY[method]}'."
    else:
        words = re.sub("is missing the key “(.*?)”", r"is missing key '\1'", finding.text)
        words = words.replace("“", '"').replace("”", '"')
    return f"Invalid file format. {words}"


def _invalid(kind: Kind, words: str) -> Unusable:
    return Unusable(f"invalid_{kind}_file", f"The job failed due to an invalid {kind} file. {words}", f"{kind}_file")


def _first_image(path: Path) -> str | None:
    """The place of the first image in a file whose format is right: training would silently go on without it."""
    with path.open("rb") as file:
        examples = (line for line in file if line.strip())
        for number, line in enumerate(examples, start=1):
            if IMAGE.encode() not in line:
                continue
            for place, message in enumerate(raw_messages(json.loads(line)), start=1):
                content = message.get("content")
                if isinstance(content, list) and any(part.get("type") == IMAGE for part in content):
                    return f"Example {number}, message {place}"
    return None


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
