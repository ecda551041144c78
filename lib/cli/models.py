"""`models add FOLDER_OR_HUB_ID`, `models list`, `models remove NAME`: base models of the service on this machine."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict

from lib.cli.address import connected
from lib.cli.printing import print_json, say, tell
from lib.errors import ServiceError
from lib.services import bases
from lib.services.bases import AddedBase
from lib.services.connection import Connection
from lib.services.service import EMBEDDED
from lib.workspace.database import Workspace

LOOK_SECONDS = 1.0


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("models", help="base models to train on this machine: add, list, remove")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="add a model in Hugging Face's form")
    adding.add_argument("model", metavar="FOLDER_OR_HUB_ID", help="a folder, or organization/name on the hub")
    adding.add_argument("--name", metavar="NAME", help="what it is called here; default: as the folder or the model")
    adding.set_defaults(run=_add)
    listing = actions.add_parser("list", help="list what was added")
    listing.set_defaults(run=_list)
    removing = actions.add_parser("remove", help="take a model out of the list; its folder stays")
    removing.add_argument("name", metavar="NAME")
    removing.add_argument("--files", action="store_true", help="also delete what was fetched from the hub")
    removing.set_defaults(run=_remove)
    for action in (adding, listing, removing):
        action.add_argument("--json", action="store_true")


def _add(given: argparse.Namespace) -> int:
    """Add a model, and wait until it is fetched. Control-C leaves that to the service."""
    ws = Workspace.open()
    try:
        connection = connected(ws, EMBEDDED)
        try:
            base = _fetched(ws, connection, bases.add(connection, given.model, given.name))
        finally:
            connection.close()
    finally:
        ws.close()
    if given.json:
        print_json(asdict(base))
    else:
        say(_line(base))
    return 0 if base.status == "ready" else 1


def _list(given: argparse.Namespace) -> int:
    ws = Workspace.open()
    try:
        connection = connected(ws, EMBEDDED)
        try:
            found = bases.heard(ws, connection)
        finally:
            connection.close()
    finally:
        ws.close()
    if given.json:
        print_json({"models": [asdict(base) for base in found]})
        return 0
    for base in found:
        say(_line(base))
    if not found:
        say("No base model was added. `models add FOLDER` adds one; etude-tiny is always there.")
    return 0


def _remove(given: argparse.Namespace) -> int:
    ws = Workspace.open()
    try:
        connection = connected(ws, EMBEDDED)
        try:
            bases.remove(connection, given.name, with_files=given.files)
            bases.heard(ws, connection)
        finally:
            connection.close()
    finally:
        ws.close()
    if given.json:
        print_json({"removed": given.name})
    else:
        say(f"{given.name} is not in the list any more.")
    return 0


def _fetched(ws: Workspace, connection: Connection, base: AddedBase) -> AddedBase:
    """The model once it is there or cannot be had. Raises ServiceError when somebody took it out meanwhile."""
    told = ""
    bases.heard(ws, connection)
    try:
        while base.status == "downloading":
            now = bases.progress(base)
            if now != told:
                tell(f"{base.name}: {now}")
                told = now
            time.sleep(LOOK_SECONDS)
            found = next((one for one in bases.heard(ws, connection) if one.name == base.name), None)
            if found is None:
                raise ServiceError(f"{base.name} was removed while it was being fetched.", "Add it again.")
            base = found
    except KeyboardInterrupt:
        tell(f"The service goes on fetching {base.name}. `models list` shows how far it is.")
        raise
    return base


def _line(base: AddedBase) -> str:
    if base.status != "ready":
        return f"{base.name}: {base.error or bases.progress(base)}"
    return f"{base.name}: {bases.figures(base)} · {base.folder}"
