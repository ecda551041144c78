"""`engine`: becomes the embedded service's own process. Knows its options and nothing of what it does."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lib.workspace.database import default_home


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("engine", help="serve OpenAI's fine-tuning API on this machine")
    parser.add_argument("--port", type=int, default=0, metavar="P", help="on 127.0.0.1; 0 takes any that is free")
    parser.add_argument(
        "--home", type=Path, metavar="DIR", help="for its files, jobs and models; default: a folder of its own"
    )
    parser.add_argument("--idle-exit", type=float, metavar="S", help="end after this many seconds with nothing to do")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Replace this process, so that whoever started it speaks to the service itself: its output, its signals."""
    # Not the folder of the service that the app starts: one folder has one service.
    home = given.home or default_home() / "engine-by-hand"
    command = [sys.executable, "-m", "lib.engine", "--port", str(given.port), "--home", str(home)]
    if given.idle_exit is not None:
        command += ["--idle-exit", str(given.idle_exit)]
    os.execv(sys.executable, command)
