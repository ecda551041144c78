"""`check FILE`: what a service would refuse, and what costs money or quality. Exit 0 fine, 1 errors, 2 unreadable."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from lib.catalog.limits import limits
from lib.cli.counting import counting_model
from lib.cli.printing import print_json, say
from lib.dataset.check import Report, check
from lib.dataset.example import METHODS, Method
from lib.dataset.reading import read
from lib.dataset.survey.second_reader import second_reader
from lib.tokens.batch import batch_counter


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("check", help="check a file of examples")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--model", metavar="M", help="count and cut as this model does")
    parser.add_argument("--method", choices=METHODS)
    parser.add_argument("--near", action="store_true", help="look for near duplicates however long the file is")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Check a file and print what was found."""
    report = checked(given.file, given.model, given.method, near=given.near or None)
    if given.json:
        print_json(report.as_json())
    else:
        _print(given.file, report)
    return 0 if report.ok else 1


def checked(file: Path, model_id: str | None, method: Method | None = None, *, near: bool | None = None) -> Report:
    """The report about a file, a table as the examples it makes. Raises UnreadableFile and UnknownModel."""
    model = counting_model(model_id)
    size = file.stat().st_size if file.is_file() else 0
    # Begun first: both processes then get ready at the same time.
    with second_reader(size, model.encoding) as second:
        counter = batch_counter(model.encoding)
        reading = read(file, file.name)
        return check(
            reading.lines,
            method=method,
            limit=model.tokens_per_example,
            counter=counter,
            file_bytes=limits(model.service).file_bytes,
            near=near,
            problems=reading.problems,
            totals=reading.totals,
            second=second,
        )


def _print(file: Path, report: Report) -> None:
    for finding in report.findings:
        place = f"{file.name}:{finding.line}" if finding.line is not None else file.name
        say(f"{place}: {finding.severity}: {finding.text}")
    told = Counter(finding.code for finding in report.findings)
    if more := sum(max(0, number - told[code]) for code, number in report.totals.items()):
        say(f"{more:,} more findings like these are not shown.")
    verdict = "No errors." if report.ok else "There are errors: a service would refuse this file."
    say(f"{report.examples:,} examples, {report.tokens_per_epoch or 0:,} tokens an epoch. {verdict}")
