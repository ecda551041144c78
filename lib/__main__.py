"""The same abilities without a browser: `python -m lib check|cost|launch|runs|chat|models|engine`.

Exit codes: 0 done; 1 the answer is no (errors in the data, a refusal, a job that failed); 2 it could not be asked (an
unreadable file, an unknown model, a wrong option). Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lib.cli import chat, check, cost, engine, launch, models, runs
from lib.cli.printing import tell_error
from lib.errors import EtudeError, ServiceError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m lib", description="Fine-tune language models.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (check, cost, launch, runs, chat, models, engine):
        command.add(commands)
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
    except EtudeError as error:
        tell_error(error)
        return 1 if isinstance(error, ServiceError) else 2
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
