"""`python -m lib.engine --port 0 --home DIR [--idle-exit S]`: run the embedded service until it is told to stop."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lib.engine.server import serve
from lib.engine.settings import Settings
from lib.errors import EngineError


def main() -> int:
    """Parse the command line and serve. Exit code 2 when the engine cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.engine",
        description="OpenAI's fine-tuning API on this machine. Prints one JSON line when it accepts requests.",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes any that is free")
    parser.add_argument("--home", type=Path, required=True, help="folder for its database, files, jobs and models")
    parser.add_argument("--idle-exit", type=float, help="end after this many seconds with nothing to do")
    given = parser.parse_args()
    if not 0 <= given.port <= 65535:
        parser.error(f"--port {given.port}: a port is between 0 and 65535")
    if given.idle_exit is not None and not 0 < given.idle_exit < float("inf"):
        parser.error(f"--idle-exit {given.idle_exit}: give seconds above 0")
    try:
        serve(Settings(home=given.home, port=given.port, idle_exit=given.idle_exit))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
