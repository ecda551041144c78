"""Runs an engine with other programs for training and answering; its argument is a JSON object of settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lib.engine import training_files
from lib.engine.job_request import Trained
from lib.engine.server import serve
from lib.engine.settings import Settings
from lib.engine.training_files import GivenFile, Unusable, Usable
from lib.errors import EngineError


def count_lines(method: Trained, training: GivenFile, validation: GivenFile | None) -> Usable | Unusable:
    """Ten lines are enough; imports nothing."""
    examples = len(training.path.read_bytes().splitlines())
    if examples >= 10:
        return Usable(examples)
    message = f"Training file has {examples} example(s), but must have at least 10 examples"
    return Unusable("invalid_n_examples", message, "training_file")


def main() -> int:
    given = json.loads(sys.argv[1])
    settings = Settings(
        home=Path(given["home"]),
        idle_exit=given["idle_exit"],
        bases=tuple(Path(base) for base in given["bases"]),
        **{name: tuple(given[name]) for name in ("trainer", "answerer") if given[name]},
    )
    try:
        serve(settings, examine=training_files.examine if given["real_check"] else count_lines)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
