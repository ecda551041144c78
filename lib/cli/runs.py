"""`runs [ID]`: the runs of this workspace, brought up to date, or everything about one of them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from lib.cli.address import add_address, chosen, connected
from lib.cli.printing import local_time, print_json, say, tell, tell_error
from lib.cli.report import how_far, line, measured, run_json, whole_run_json
from lib.errors import EtudeError
from lib.runs import book
from lib.runs.book import Run
from lib.runs.verdict import verdict
from lib.runs.watch import poll
from lib.services.service import Service, find
from lib.workspace.database import Workspace


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("runs", help="list runs, or show one")
    parser.add_argument("id", nargs="?", metavar="ID", help="of the run or of the service's job")
    parser.add_argument("--json", action="store_true")
    add_address(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Ask about what is unfinished, then print what the workspace knows."""
    ws = Workspace.open()
    try:
        named = None if given.base_url is None and given.api_key_env is None else chosen(ws, given)
        if given.id is not None:
            one = book.run(ws, given.id)
            _refresh(ws, [one], named)
            _show(ws, book.run(ws, one.id), as_json=given.json)
        else:
            service_id = None if named is None else named.id
            _refresh(ws, book.runs(ws, service_id=service_id), named)
            _list(book.runs(ws, service_id=service_id), as_json=given.json)
    finally:
        ws.close()
    return 0


def _refresh(ws: Workspace, runs: Sequence[Run], named: Service | None) -> None:
    """Poll what may have changed, service by service. A service that cannot be asked is told of and left.

    `named` is the service as the options name it: with the key that is meant for it now.
    """
    unfinished = {one.id for one in book.unfinished(ws)}
    asked = [one for one in runs if one.id in unfinished]
    for service_id in dict.fromkeys(one.service_id for one in asked):
        service = named if named is not None and named.id == service_id else find(ws, service_id)
        if service is None:
            tell(f"The service {service_id} was removed; its runs are shown as they were last heard of.")
            continue
        try:
            connection = connected(ws, service)
        except EtudeError as error:
            tell_error(error)
            continue
        for one in asked:
            if one.service_id == service_id:
                poll(ws, connection, one)
        connection.close()


def _list(runs: Sequence[Run], *, as_json: bool) -> None:
    if as_json:
        print_json({"runs": [run_json(one) for one in runs]})
        return
    for one in runs:
        say(line(one))
    if not runs:
        say("No runs yet. `launch FILE --model etude-tiny` starts one on this machine.")


def _show(ws: Workspace, run: Run, *, as_json: bool) -> None:
    if as_json:
        print_json(whole_run_json(ws, run))
        return
    found, at = measured(ws, run)
    say(line(run))
    say(f"{how_far(found, at)}; last heard {local_time(run.heard_at)}")
    if run.error is not None:
        say(f"The service says: {run.error}")
    if run.problem is not None:
        say(f"{run.problem.what} {run.problem.todo}")
    say(verdict(found, run.status, run.method).sentence)
    for checkpoint in book.checkpoints(ws, run.id):
        say(f"checkpoint at step {checkpoint.step:,}: {checkpoint.model}")
