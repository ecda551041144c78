"""`python -m lib.engine --port 0 --home DIR`: run the embedded service until it is told to stop."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path

from lib.engine import ray_job
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
    parser.add_argument(
        "--trainer",
        default=os.environ.get("ETUDE_TRAINER"),
        metavar="COMMAND",
        help="starts the trainer, such as a torchrun command; gets the job's folder as its last word",
    )
    parser.add_argument(
        "--ray",
        default=os.environ.get("ETUDE_RAY_ADDRESS"),
        metavar="URL",
        help="hand jobs to this Ray cluster, such as http://127.0.0.1:8265",
    )
    parser.add_argument("--ray-gpus", type=float, default=0.0, metavar="N", help="GPUs of the cluster for each job")
    given = parser.parse_args()
    if given.trainer and given.ray:
        parser.error("--trainer and --ray: give one of them")
    if not 0 <= given.ray_gpus < float("inf"):
        parser.error(f"--ray-gpus {given.ray_gpus}: give 0 or more")
    try:
        trainer = tuple(shlex.split(given.trainer or ""))
    except ValueError as error:
        parser.error(f"--trainer {given.trainer}: {error}")
    if not 0 <= given.port <= 65535:
        parser.error(f"--port {given.port}: a port is between 0 and 65535")
    if given.idle_exit is not None and not 0 < given.idle_exit < float("inf"):
        parser.error(f"--idle-exit {given.idle_exit}: give seconds above 0")
    try:
        settings = Settings(home=given.home, port=given.port, idle_exit=given.idle_exit)
        if given.ray:
            settings = replace(settings, trainer=ray_job.command(given.ray, given.ray_gpus))
        elif trainer:
            settings = replace(settings, trainer=trainer)
        serve(settings)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
