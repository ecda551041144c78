"""`launch FILE --model M`: start a job exactly once, and wait for its end if asked to."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from lib.catalog.models import Model, base_of, find, models
from lib.cli.address import add_address, chosen, connected
from lib.cli.check import checked
from lib.cli.printing import print_json, say, tell
from lib.cli.report import how_far, line, measured, run_json
from lib.dataset import shelf
from lib.dataset.example import Method
from lib.dataset.places import Places
from lib.dataset.reading import read
from lib.dataset.shelf import Version
from lib.dataset.survey.survey import survey
from lib.errors import UnknownModel
from lib.runs.book import Run
from lib.runs.launch import launch
from lib.runs.plan import Plan, problems
from lib.runs.watch import poll
from lib.services import bases
from lib.services.service import Service
from lib.workspace.database import Workspace

POLL_SECONDS = 1.0
# Elsewhere every look counts against the service's limit on requests.
POLL_SECONDS_ELSEWHERE = 5.0


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("launch", help="start a fine-tuning job")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--model", metavar="M", required=True)
    parser.add_argument("--validation", type=Path, metavar="FILE")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--seed", type=int, metavar="N")
    parser.add_argument("--suffix", metavar="S")
    parser.add_argument("--wait", action="store_true", help="until the job has ended; exit code 1 unless it succeeded")
    parser.add_argument("--json", action="store_true")
    add_address(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Check, keep, launch; print the run."""
    method = _usable(given.file, given.model, None)
    if method is None or (given.validation is not None and _usable(given.validation, given.model, method) is None):
        return 1
    ws = Workspace.open()
    try:
        return _launch(ws, given)
    finally:
        ws.close()


def _launch(ws: Workspace, given: argparse.Namespace) -> int:
    service = chosen(ws, given)
    model = _model(ws, given.model, service)
    version = _kept(ws, given.file, given.validation)
    plan = Plan(
        service.id,
        given.model,
        version.id,
        version.method,
        n_epochs=given.epochs,
        seed=given.seed,
        suffix=given.suffix,
    )
    wrong = problems(plan, version, model, kind=service.kind, today=date.today())
    for sentence in wrong:
        tell(sentence)
    if wrong:
        return 1
    connection = connected(ws, service)
    try:
        started = launch(ws, connection, plan, progress=tell)
    finally:
        connection.close()
    ended = _wait(ws, service, started) if given.wait else started
    if given.json:
        print_json(run_json(ended))
    else:
        say(line(ended))
    return 1 if ended.finished and ended.status != "succeeded" else 0


def _wait(ws: Workspace, service: Service, run: Run) -> Run:
    """Follow a run to its end, over restarts of the service and gaps in the network; its wish to wait is kept."""
    tell(f"Started {run.id} ({run.job_id}); `runs {run.id}` shows it if this is interrupted.")
    told = ""
    pause = POLL_SECONDS if service.on_this_machine else POLL_SECONDS_ELSEWHERE
    while not run.finished:
        wait_until = run.problem.wait_until if run.problem is not None else None
        time.sleep(max(pause, (wait_until or 0.0) - ws.clock()))
        connection = connected(ws, service)
        try:
            run = poll(ws, connection, run)
        finally:
            connection.close()
        found, at = measured(ws, run)
        now = f"{run.status}: {how_far(found, at)}" if run.problem is None else str(run.problem.what)
        if now != told:
            tell(now)
            told = now
    if run.error is not None:
        tell(f"The job {run.status}: {run.error}")
    return run


def _usable(file: Path, model: str, method: Method | None) -> Method | None:
    """The method of a file (`method` if it is given) that a service would take; None, and why, if not.

    Raises UnreadableFile.
    """
    try:
        report = checked(file, model, method)
    except UnknownModel:
        report = checked(file, None, method)
    # A validation file may be as short as it likes.
    wrong = [one for one in report.findings if one.severity == "error" and one.line is not None]
    for finding in wrong:
        tell(f"{file.name}:{finding.line}: {finding.text}")
    return None if wrong else report.method


def _kept(ws: Workspace, training: Path, validation: Path | None) -> Version:
    """The version that holds these files; the same files are kept as one version however often they are launched."""
    files = [survey(read(file, file.name).lines).lines for file in (training, validation) if file is not None]

    def raws() -> Iterator[bytes]:
        for lines in files:
            yield from lines.raws()

    held_out = Places.of(range(len(files[0]), sum(map(len, files))))
    sha256 = shelf.keep_lines(ws, raws())
    for dataset in shelf.datasets(ws):
        for version in shelf.versions(ws, dataset.id):
            if (version.sha256, version.validation) == (sha256, held_out):
                return version
    return shelf.bring_in(ws, ws.kept(sha256), training.name, validation=held_out)


def _model(ws: Workspace, model_id: str, service: Service) -> Model | None:
    """The catalog's row; None where the catalog cannot know it: another service may have any model, and a person may
    have added base models to the one on this machine."""
    try:
        return find(model_id, service.kind)
    except UnknownModel:
        if service.kind == "openai" or (service.kind == "embedded" and not _was_added(ws, model_id, service)):
            raise
        return None


def _was_added(ws: Workspace, model_id: str, service: Service) -> bool:
    if any(base_of(model_id) in (model.id, *model.aliases) for model in models()):
        return False
    connection = connected(ws, service)
    try:
        return base_of(model_id) in {base.name for base in bases.listed(connection)}
    finally:
        connection.close()
