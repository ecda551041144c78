"""`python -m lib.engine.ray_job --address URL JOB_DIR`: let a Ray cluster run the trainer, and live as long as it does.

It stands where the trainer would stand: the engine starts it, stops it and reads the job's folder as ever. So the
cluster's machines must have that folder, this checkout and its Python under the same paths. It needs `ray[default]`
(requirements-ray.txt) and knows nothing of training. Source: Ray's Jobs API.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib.engine.child_process import ROOT
from lib.errors import EngineError

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

LOOK_SECONDS = 0.2
# A cluster that does not answer for so long is taken for lost; until then it may be a restart of its head.
PATIENCE_SECONDS = 60.0
ENGINE_SETTING = "ETUDE_ENGINE_PID"
# What of the environment of this process counts for the trainer as well.
PASSED_ON = ("ETUDE_TRAIN_THREADS", "OMP_NUM_THREADS")
TAIL_LINES = 20

T = TypeVar("T")


def command(address: str, gpus: float) -> tuple[str, ...]:
    """The command that an engine gets in place of the trainer's. Raises EngineError when Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise EngineError(
            "Jobs cannot be handed to a Ray cluster: Ray is not installed here.",
            "Install it with: python -m pip install -r requirements-ray.txt",
        )
    return (sys.executable, "-m", "lib.engine.ray_job", "--address", address, "--gpus", str(gpus))


class RayJob:
    """The trainer of one folder as a job of a cluster. At most one runs: what an earlier one left is stopped first."""

    def __init__(self, client: JobSubmissionClient, folder: Path, gpus: float) -> None:
        self._client = client
        self._folder = folder
        self._gpus = gpus
        self._name = ""

    def submit(self) -> None:
        """Stop what an earlier submission left running, then submit anew."""
        for left in self._left():
            patiently(partial(self._client.stop_job, left))
        while self._left():
            time.sleep(LOOK_SECONDS)
        passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        fixed = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        try:
            self._name = self._client.submit_job(
                entrypoint=shlex.join([sys.executable, "-m", "lib.engine.train", str(self._folder)]),
                submission_id=f"{self._folder.name}-{secrets.token_hex(4)}",
                runtime_env={"env_vars": fixed | passed},
                entrypoint_num_gpus=self._gpus or None,
            )
        except (RuntimeError, OSError) as error:
            raise EngineError("The Ray cluster did not take the job.", f"It says: {str(error)[:200]}") from error

    def status(self) -> Any:
        """The job's status, as Ray says it."""
        return patiently(lambda: self._client.get_job_status(self._name))

    def stop(self) -> None:
        """Ask the cluster to end the trainer: SIGTERM, and by force soon after."""
        patiently(lambda: self._client.stop_job(self._name))

    def last_lines(self) -> str:
        """The end of what the trainer printed, and why it failed as far as Ray knows."""
        said = patiently(lambda: self._client.get_job_logs(self._name)).splitlines()[-TAIL_LINES:]
        reason = patiently(lambda: self._client.get_job_info(self._name)).message or ""
        return "\n".join([reason.splitlines()[0] if reason else "", *said]).strip()

    def _left(self) -> list[str]:
        jobs = patiently(self._client.list_jobs)
        started = [job for job in jobs if (job.submission_id or "").startswith(f"{self._folder.name}-")]
        return [str(job.submission_id) for job in started if not job.status.is_terminal()]


def patiently(ask: Callable[[], T]) -> T:
    """What the cluster answers, asked again while it does not. Raises EngineError when it stays silent."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        # Ray's client raises RuntimeError for an answer that is none, and the errors of its HTTP library, OSErrors.
        except (RuntimeError, OSError) as error:
            if time.monotonic() > until:
                raise EngineError("The Ray cluster does not answer.", "Is its head running?", raw=str(error)) from error
            time.sleep(LOOK_SECONDS)


def follow(job: RayJob, ended: Callable[[], bool]) -> int:
    """Submit the job and stay until it is over, or stop it once `ended` says so. The exit code of a trainer."""
    job.submit()
    stopping = False
    while not (status := job.status()).is_terminal():
        if ended() and not stopping:
            job.stop()
            stopping = True
        time.sleep(LOOK_SECONDS)
    if stopping or str(status) != "FAILED":
        return 0
    print(job.last_lines())
    return 1


def main() -> int:
    """Read the command line and follow one job."""
    parser = argparse.ArgumentParser(prog="python -m lib.engine.ray_job", description="Train one job on a Ray cluster.")
    parser.add_argument("--address", required=True, help="of the cluster's dashboard, such as http://127.0.0.1:8265")
    parser.add_argument("--gpus", type=float, default=0.0, help="of one machine, for the trainer")
    parser.add_argument("job", type=Path, metavar="JOB_DIR", help="the folder with job.json")
    given = parser.parse_args()
    wanted: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: wanted.append(number))
    engine = os.environ.get(ENGINE_SETTING, "")
    parent = int(engine) if engine.isdecimal() else os.getppid()
    try:
        from ray.job_submission import JobSubmissionClient

        client = patiently(lambda: JobSubmissionClient(given.address))
        return follow(RayJob(client, given.job.resolve(), given.gpus), lambda: bool(wanted) or os.getppid() != parent)
    except (EngineError, ImportError) as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
