"""Jobs that a Ray cluster trains: the stand-in for the trainer alone, and a local cluster where Ray is installed."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.engine import ray_job
from lib.engine.ray_job import RayJob, follow, patiently
from lib.errors import EngineError
from tests.engine.server.conftest import ROOT, Start, eventually
from tests.engine.server.test_real_training import REAL, begin, metrics, tiny_base  # noqa: F401

TERMINAL = ("SUCCEEDED", "FAILED", "STOPPED")


class Status(str):
    def is_terminal(self) -> bool:
        return self in TERMINAL


class Cluster:
    """A cluster as its client shows it. Each submission lives for the statuses that are given."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = [Status(one) for one in statuses]
        self.submitted: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.left = ["ftjob-one-0000", "ftjob-other-0000"]

    def list_jobs(self) -> list[SimpleNamespace]:
        status = {name: Status("STOPPED" if name in self.stopped else "RUNNING") for name in self.left}
        return [SimpleNamespace(submission_id=name, status=status[name]) for name in self.left]

    def submit_job(self, **asked: Any) -> str:
        self.submitted.append(asked)
        return str(asked["submission_id"])

    def get_job_status(self, name: str) -> Status:
        if name in self.stopped:
            return Status("STOPPED")
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]

    def stop_job(self, name: str) -> None:
        self.stopped.append(name)

    def get_job_logs(self, name: str) -> str:
        return "one\ntwo"

    def get_job_info(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(message="Job entrypoint command failed with exit code 1.\nmore")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_job, "LOOK_SECONDS", 0.001)


def run(cluster: Any, folder: Path, ended: bool = False, gpus: float = 0.0) -> int:
    return follow(RayJob(cluster, folder, gpus), lambda: ended)


def test_a_job_is_followed_to_its_end(tmp_path: Path) -> None:
    cluster = Cluster("PENDING", "RUNNING", "SUCCEEDED")
    assert run(cluster, tmp_path / "ftjob-one", gpus=1.0) == 0
    (asked,) = cluster.submitted
    assert asked["entrypoint"].endswith(f"-m lib.engine.train {tmp_path / 'ftjob-one'}")
    assert asked["submission_id"].startswith("ftjob-one-")
    assert asked["entrypoint_num_gpus"] == 1.0
    assert asked["runtime_env"]["env_vars"]["PYTHONPATH"] == str(ROOT)
    assert not any("KEY" in name for name in asked["runtime_env"]["env_vars"])


def test_what_an_earlier_one_left_is_stopped_first_and_nothing_else(tmp_path: Path) -> None:
    cluster = Cluster("SUCCEEDED")
    run(cluster, tmp_path / "ftjob-one")
    assert cluster.stopped == ["ftjob-one-0000"]
    assert len(cluster.submitted) == 1


def test_a_job_is_stopped_once_and_waited_for(tmp_path: Path) -> None:
    cluster = Cluster("RUNNING")
    assert run(cluster, tmp_path / "ftjob-two", ended=True) == 0
    assert cluster.stopped == [cluster.submitted[0]["submission_id"]]


def test_a_failure_is_told_with_its_last_line_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Cluster("FAILED"), tmp_path / "ftjob-two") == 1
    assert capsys.readouterr().out.splitlines() == ["Job entrypoint command failed with exit code 1.", "one", "two"]


def test_a_cluster_that_refuses_or_is_silent_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster("RUNNING")

    def refuse(**_: Any) -> str:
        raise RuntimeError("no room")

    monkeypatch.setattr(cluster, "submit_job", refuse)
    with pytest.raises(EngineError, match=r"did not take the job\. It says: no room"):
        run(cluster, tmp_path / "ftjob-two")
    monkeypatch.setattr(ray_job, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(EngineError, match="does not answer"):
        patiently(lambda: (_ for _ in ()).throw(ConnectionError("refused")))


def test_a_cluster_that_is_away_for_a_moment_is_asked_again() -> None:
    answers: list[Any] = [ConnectionError(), RuntimeError(), "here"]

    def ask() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    assert patiently(ask) == "here"


def test_an_engine_without_ray_says_what_to_install(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("Ray is installed here")
    arguments = ["--home", str(tmp_path / "home"), "--ray", "http://127.0.0.1:1"]
    told = subprocess.run([sys.executable, "-m", "lib.engine", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (2, "")
    assert "pip install -r requirements-ray.txt" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a local cluster."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed here (python -m pip install -r requirements-ray.txt)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Ray's sockets lie under this folder, and the path of a socket has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        start = [Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--disable-usage-stats"]
        bounds = ["--num-cpus=1", "--port=0", f"--dashboard-port={port}", f"--temp-dir={folder}"]
        with (Path(folder) / "log").open("wb") as log:
            head = subprocess.Popen(
                [*start, *bounds],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
            )
        try:
            address = f"http://127.0.0.1:{port}"
            eventually(lambda: _answers(f"{address}/api/jobs/"))
            yield address
        finally:
            os.killpg(head.pid, signal.SIGTERM)
            try:
                head.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(head.pid, signal.SIGKILL)
                head.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.slow
def test_a_cluster_trains_as_this_machine_does(
    start_engine: Start,
    tiny_base: Path,  # noqa: F811
    tmp_path: Path,
    cluster: str,
) -> None:
    own = start_engine(tmp_path / "own", bases=[str(tiny_base)], **REAL)
    expected_id = begin(own)
    assert own.wait(expected_id).status == "succeeded"
    expected = metrics(own, expected_id)
    own.close()

    handed_over = REAL | {"trainer": list(ray_job.command(cluster, 0.0)), "bases": [str(tiny_base)]}
    engine = start_engine(tmp_path / "ray", **handed_over)
    job_id = begin(engine)
    eventually(lambda: len(metrics(engine, job_id)) > 10)
    paused = engine.client.with_options(timeout=2.5).fine_tuning.jobs.pause(job_id)
    assert paused.status == "paused"
    engine.client.fine_tuning.jobs.resume(job_id)
    eventually(lambda: len(metrics(engine, job_id)) > 30)
    engine.kill()

    again = start_engine(tmp_path / "ray", **handed_over)
    assert again.wait(job_id).status == "succeeded"
    assert metrics(again, job_id) == [pytest.approx(step, abs=1e-6) for step in expected]

    second = again.job(model="tiny", training_file=_training_file(again, job_id), hyperparameters={"n_epochs": 50})
    eventually(lambda: metrics(again, second.id))
    assert again.client.with_options(timeout=2.5).fine_tuning.jobs.cancel(second.id).status == "cancelled"
    eventually(lambda: not _unfinished(cluster))
    again.close()


def _training_file(engine: Any, job_id: str) -> str:
    return str(engine.client.fine_tuning.jobs.retrieve(job_id).training_file)


def _unfinished(address: str) -> list[str]:
    from ray.job_submission import JobSubmissionClient

    jobs = JobSubmissionClient(address).list_jobs()
    return [str(job.submission_id) for job in jobs if not job.status.is_terminal()]
