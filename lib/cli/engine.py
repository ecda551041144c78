"""`engine`: becomes the embedded service's own process; `engine --env`: how programs reach the one that Etude uses.

Knows its options and nothing of what it does.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from lib.cli.printing import say, tell
from lib.services import embedded
from lib.workspace.database import default_home


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("engine", help="serve OpenAI's fine-tuning API on this machine")
    parser.add_argument("--port", type=int, default=0, metavar="P", help="on 127.0.0.1; 0 takes any that is free")
    parser.add_argument(
        "--home", type=Path, metavar="DIR", help="for its files, jobs and models; default: a folder of its own"
    )
    parser.add_argument("--idle-exit", type=float, metavar="S", help="end after this many seconds with nothing to do")
    parser.add_argument(
        "--env",
        action="store_true",
        help="serve nothing: print, for a shell, address and key of the service that Etude uses, started if none runs",
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Replace this process, so that whoever started it speaks to the service itself: its output, its signals."""
    if given.env:
        return _print_environment()
    # Not the folder of the service that the app starts: one folder has one service.
    home = given.home or default_home() / "engine-by-hand"
    command = [sys.executable, "-m", "lib.engine", "--port", str(given.port), "--home", str(home)]
    if given.idle_exit is not None:
        command += ["--idle-exit", str(given.idle_exit)]
    os.execv(sys.executable, command)


def _print_environment() -> int:
    """Two lines that a POSIX shell reads with `eval`; OpenAI's own clients then find the service by themselves."""
    found = embedded.ensure(default_home())
    if sys.stdout.isatty():
        tell('To let programs of this shell find the service: eval "$(python -m lib engine --env)"')
    say(f"export OPENAI_BASE_URL={shlex.quote(found.base_url)}")
    say(f"export OPENAI_API_KEY={shlex.quote(found.api_key.reveal())}")
    return 0
