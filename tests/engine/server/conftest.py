"""An engine in a process of its own, as the app starts it, with stub programs for training and answering."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BASE = "base-one-2026-01-02"
PATIENCE = 30.0

EXAMPLES = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n' * 20


def eventually(what: Callable[[], Any]) -> Any:
    """The first true value of `what`, asked often; fails after PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not (value := what()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return value


class Running:
    """A started engine."""

    def __init__(self, process: subprocess.Popen[str], address: dict[str, Any], log: Path) -> None:
        self.process = process
        self.log = log
        self.base_url: str = address["base_url"]
        self.api_key: str = address["api_key"]
        self.pid: int = address["pid"]
        self.http = httpx2.Client(
            base_url=self.base_url + "/", headers={"Authorization": f"Bearer {self.api_key}"}, trust_env=False
        )
        self.client = self.new_client()
        # Strict about every answer: what its own types do not allow is an error.
        self.strict = self.new_client(_strict_response_validation=True)

    def new_client(self, **options: Any) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            http_client=httpx2.Client(trust_env=False),
            max_retries=0,
            **options,
        )

    @property
    def port(self) -> int:
        return int(self.base_url.rpartition(":")[2].partition("/")[0])

    def upload(self, content: bytes = EXAMPLES) -> str:
        return self.strict.files.create(file=("train.jsonl", content), purpose="fine-tune").id

    def job(self, **fields: Any) -> Any:
        """Create a job on a new upload."""
        given = {"model": "base-one", "training_file": fields.pop("training_file", None) or self.upload()} | fields
        return self.client.fine_tuning.jobs.create(**given)

    def wait(self, job_id: str, *statuses: str) -> Any:
        wanted = statuses or ("succeeded", "failed", "cancelled")

        def there() -> Any:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            assert job.status in wanted or job.status not in ("succeeded", "failed", "cancelled"), job
            return job if job.status in wanted else None

        return eventually(there)

    def messages(self, job_id: str) -> list[str]:
        """What the job's events say, oldest first, through all pages."""
        return [event.message for event in self.strict.fine_tuning.jobs.list_events(job_id, limit=7)][::-1]

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._release()

    def close(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self._release()

    def _release(self) -> int:
        for open_one in (self.http, self.client, self.strict, self.process.stdout):
            assert open_one is not None
            open_one.close()
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


Start = Callable[..., Running]


def command(home: Path, base: Path, **other: Any) -> list[str]:
    settings = {
        "home": str(home),
        "bases": [str(base)],
        "idle_exit": None,
        "real_check": False,
        "trainer": [sys.executable, str(HERE / "stub_trainer.py")],
        "answerer": [sys.executable, str(HERE / "stub_answerer.py")],
    } | other
    return [sys.executable, "-m", "tests.engine.server.run_engine", json.dumps(settings)]


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of base models with one that has the right files."""
    folder = tmp_path_factory.mktemp("bases")
    weights = folder / BASE
    weights.mkdir()
    for name in ("config.json", "model.safetensors"):
        (weights / name).write_text(name)
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="module")
def start_engine(base: Path) -> Iterator[Start]:
    """Starts engines; those that still run after a module's tests are stopped."""
    with ExitStack() as started:

        def start(home: Path, **other: Any) -> Running:
            # A pipe that nobody reads would hold the engine up as soon as it is full.
            said = home.with_name(f"{home.name}.log")
            with said.open("ab") as log:
                process = subprocess.Popen(
                    command(home, base, **other), cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
                )
            assert process.stdout is not None
            running = Running(process, json.loads(process.stdout.readline()), said)
            started.callback(running.close)
            return running

        yield start


@pytest.fixture(scope="module")
def engine(start_engine: Start, tmp_path_factory: pytest.TempPathFactory) -> Running:
    """One engine for the tests of a module."""
    return start_engine(tmp_path_factory.mktemp("engine"))
