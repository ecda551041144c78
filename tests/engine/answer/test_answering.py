"""The answering process as its engine sees it: lines in, lines out, and no life of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from lib.engine import sealed
from lib.engine.network import Config, Network, save

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "lib.engine.answer")
WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("model")
    save(Network(Config(width=32, layers=2, heads=2, hidden=48, taps=3)), folder)
    sealed.seal(folder)
    return folder


def request(name: str, model: Path, **more: Any) -> bytes:
    asked = {"id": name, "model": str(model), "messages": [{"role": "user", "content": "Hm?"}], **more}
    return json.dumps(asked).encode() + b"\n"


def test_it_answers_all_it_was_asked_and_ends_with_its_input(model: Path) -> None:
    lines = request("a", model, max_tokens=5, seed=1) + b"junk\n\n" + request("b", model, max_tokens=3)
    ended = subprocess.run(COMMAND, cwd=ROOT, input=lines, capture_output=True, timeout=WAIT_SECONDS, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    assert sorted(line["id"] for line in said if "finish_reason" in line) == ["a", "b"]
    assert [line["id"] for line in said if "error" in line] == [""]


def test_it_ends_when_nobody_listens(model: Path) -> None:
    with subprocess.Popen(COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request("a", model, max_tokens=2000, seed=1))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "a"
        process.stdout.close()
        assert process.wait(WAIT_SECONDS) == 0


def test_an_answer_can_be_stopped_while_another_goes_on(model: Path) -> None:
    with subprocess.Popen(COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(request("long", model, max_tokens=2000, seed=1))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "long"
        process.stdin.write(b'{"id": "long", "stop": true}\n' + request("short", model, max_tokens=20, seed=2))
        process.stdin.close()
        said = [json.loads(line) for line in process.stdout]
        assert process.wait(WAIT_SECONDS) == 0
    assert not any("finish_reason" in line for line in said if line["id"] == "long")
    assert said[-1]["id"] == "short"
    assert said[-1]["finish_reason"] == "length"
