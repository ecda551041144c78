"""The embedded service as it is started by hand: ready at once, the first loss soon, the example data set in a minute.

These are times on a clock, unlike in all other measurements, because a person waits for them: they are the bars that
the service was built for, on an idle machine with two cores. On a busy one they are exceeded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from openai import OpenAI

from lib.dataset.example import encode
from lib.dataset.samples import routing

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="what a process loads and spends is seen on Linux"),
]

ROOT = Path(__file__).parents[2]
READY_SECONDS, FIRST_LOSS_SECONDS, ROUTING_SECONDS = 1.0, 15.0, 60.0
STARTS = 3
# How long a test waits before it gives up, whatever else the machine does.
PATIENCE = 60.0
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Engine:
    """A running service, and the seconds that passed, and that the processor spent, until its first answer."""

    process: subprocess.Popen[str]
    client: OpenAI
    seconds: float
    cpu_seconds: float

    def loaded(self) -> str:
        """The files that it has mapped into its memory, among them every library."""
        return Path(f"/proc/{self.process.pid}/maps").read_text(encoding="utf-8")


def spent(process: subprocess.Popen[str]) -> float:
    """The CPU seconds of a process and of those of its children that have ended."""
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(home: Path) -> Iterator[Engine]:
    """The service, started as `python -m lib engine` does, and asked for its models; stopped at the end."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "lib", "engine", "--home", str(home)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())
        key = {"Authorization": f"Bearer {address['api_key']}"}
        with httpx2.Client(trust_env=False, timeout=PATIENCE) as http:
            assert http.get(f"{address['base_url']}/models", headers=key).status_code == 200
            seconds, cpu_seconds = time.monotonic() - begun, spent(process)
            with OpenAI(base_url=address["base_url"], api_key=address["api_key"], http_client=http) as client:
                yield Engine(process, client, seconds, cpu_seconds)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_the_service_is_ready_at_once_and_without_torch(tmp_path: Path) -> None:
    taken = []
    for number in range(STARTS):
        with running(tmp_path / str(number)) as engine:
            loaded = engine.loaded()
            taken.append((engine.seconds, engine.cpu_seconds))
        assert "_sqlite3" in loaded
        assert not [name for name in ("libtorch", "numpy", "tokenizers", "safetensors") if name in loaded]
    seconds, cpu_seconds = min(taken)
    print(
        f"\nThe service answers {seconds:.2f} s after it is started ({cpu_seconds:.2f} s CPU; best of {STARTS} starts)"
    )
    assert seconds < READY_SECONDS


def test_the_first_loss_comes_soon_and_the_routing_example_is_learned_in_a_minute(tmp_path: Path) -> None:
    with running(tmp_path / "home") as engine:
        training, _ = routing.make()
        jobs = engine.client.fine_tuning.jobs
        file = engine.client.files.create(
            file=("tickets.jsonl", b"\n".join(map(encode, training))), purpose="fine-tune"
        )
        begun, spent_before = time.monotonic(), spent(engine.process)
        job = jobs.create(model="etude-tiny", training_file=file.id)
        first = None
        while job.status not in ENDED:
            time.sleep(0.05 if first is None else 0.5)
            if first is None and any("train_loss" in json.dumps(event.data) for event in jobs.list_events(job.id)):
                first = time.monotonic() - begun
            job = jobs.retrieve(job.id)
        taken = time.monotonic() - begun
        assert job.status == "succeeded", job.error
        assert first is not None
        # The trainer ends a moment after it has said that it is done; only then is its time known.
        time.sleep(2)
        print(
            f"\nThe first loss of {len(training)} tickets came {first:.1f} s after the launch, the fine-tuned model "
            f"after {taken:.1f} s ({spent(engine.process) - spent_before:.1f} s CPU; {job.trained_tokens:,} tokens; "
            f"{len(os.sched_getaffinity(0))} cores, {os.getloadavg()[0]:.1f} programs at work)"
        )
        assert first < FIRST_LOSS_SECONDS
        assert taken < ROUTING_SECONDS
        assert "libtorch" not in engine.loaded()
