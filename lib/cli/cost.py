"""`cost FILE --model M`: the tokens that are billed and the price, to the cent."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from lib.catalog.limits import limits
from lib.catalog.models import Model
from lib.cli.counting import model_and_counter
from lib.cli.printing import print_json, say
from lib.cost import Estimate, estimate
from lib.dataset.finding import first_error
from lib.dataset.reading import read
from lib.dataset.survey.survey import survey
from lib.errors import DataError
from lib.tokens.billing import PER_EXAMPLE


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("cost", help="what training on a file will cost")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--model", metavar="M", required=True)
    parser.add_argument("--epochs", type=int, metavar="N", help="without it, the service's default is estimated")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Estimate and print."""
    model, counter = model_and_counter(given.model)
    _check_epochs(given.epochs, model)
    reading = read(given.file, given.file.name)
    surveyed = survey(reading.lines, counter=counter)
    examples, problems = len(surveyed.lines), [*reading.problems, *surveyed.problems]
    if not examples:
        why = first_error(problems)
        raise DataError(why.text, why.why, line=why.line)
    tokens, limit = surveyed.columns.tokens, model.tokens_per_example
    billed = int((tokens if limit is None else np.minimum(tokens, limit)).sum(dtype=np.int64))
    found = estimate(model, examples, billed, given.epochs, today=date.today())
    totals = {**reading.totals, **surveyed.totals}
    unread = sum(totals[code] for code in {one.code for one in problems if one.severity != "info"})
    foreign = int((tokens == PER_EXAMPLE).sum())
    found = replace(found, notes=(*_not_counted(unread, foreign, examples), *found.notes))
    if given.json:
        print_json(found.as_json())
    else:
        _print(found)
    return 0


def _check_epochs(epochs: int | None, model: Model) -> None:
    least, most = limits(model.service).epochs
    if epochs is not None and not least <= epochs <= most:
        raise DataError(
            f"The number of epochs is {epochs:,}.", f"Choose one from {least} to {most}, or leave it to the service."
        )


def _not_counted(unread: int, foreign: int, examples: int) -> Iterator[str]:
    """What the file holds and the estimate leaves out: without it, nothing would look cheap."""
    if unread:
        yield f"Lines that cannot be read and are not counted: {unread:,}. `check` names them."
    if foreign:
        yield (
            "Examples in which no service finds messages, so that their texts are not counted: "
            f"{foreign:,} of {examples:,}. `check` says what is wrong."
        )


def _print(found: Estimate) -> None:
    say(f"{found.model}: {found.examples:,} examples, {found.tokens_per_epoch:,} tokens an epoch")
    price = "price unknown" if found.usd is None else f"{found.usd} USD (price of {found.price_date.isoformat()})"
    say(f"{found.epochs} epochs, {found.training_tokens:,} tokens billed: {price}")
    for note in found.notes:
        say(note)
