"""`python -m lib.engine.train JOB_DIR`: train one job to its end, or go on with one that was interrupted.

`torchrun --nproc-per-node N -m lib.engine.train JOB_DIR` shares it among N processes. Exit code 0 when the job is done
or somebody stopped it, 1 when it failed; the reason is the last event. What only a programmer can read goes into
`trainer.log` in the job folder.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import traceback
from collections.abc import Iterator
from pathlib import Path

from lib.engine.train import rank
from lib.engine.train.events import Events
from lib.engine.train.stop import Parted, Stop, Stopped
from lib.errors import EtudeError, Rejected

LOG_FILE = "trainer.log"
LOCK_FILE = "trainer.lock"


def main() -> int:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m lib.engine.train", description="Train one job.")
    parser.add_argument("job", type=Path, metavar="JOB_DIR", help="the folder with job.json")
    folder: Path = parser.parse_args().job.resolve()
    os.umask(0o077)
    stop = Stop(folder)
    stop.watch()
    leads = rank.rank() == 0
    with _locked(folder) if leads else contextlib.nullcontext(), Events(folder, leads=leads) as events:
        return _train(folder, events, stop)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two trainers on one job would overwrite each other's work; the lock goes with the process, however it ends."""
    with (folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _train(folder: Path, events: Events, stop: Stop) -> int:
    if events.done:
        return 0
    try:
        # Imported here, because loading torch takes longer than anything above and may be interrupted too.
        from lib.engine.train.start import train

        train(folder, events, stop)
    except Stopped:
        return 0
    except Exception as error:
        with (folder / LOG_FILE).open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
        # What breaks because another process was stopped or is gone says nothing about the job, which can go on.
        if stop.wanted:
            return 0
        if isinstance(error, Parted):
            return 1
        events.fail(*_told(error))
        return 1
    return 0


def _told(error: Exception) -> tuple[str, str, str | None]:
    """The code, the sentence and the parameter of a failure, as OpenAI's error objects have them."""
    if isinstance(error, Rejected):
        return error.code or "invalid_request_error", str(error), error.param
    if isinstance(error, EtudeError):
        return "server_error", str(error), None
    if isinstance(error, OSError):
        return "server_error", f"The training could not read or keep a file: {error.strerror or error}.", None
    if isinstance(error, MemoryError):
        return (
            "server_error",
            "The training needs more memory than this machine has. A smaller batch size may help.",
            None,
        )
    return (
        "server_error",
        f"The training stopped by an error of its own; {LOG_FILE} in the job's folder says more.",
        None,
    )


if __name__ == "__main__":
    # What must last is on the disk, and taking torch down in order can take seconds on a busy machine.
    os._exit(main())
