"""What an engine is told on its command line and by its environment: who trains."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from lib.engine import __main__ as program
from lib.engine.settings import Settings


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What `serve` was given, instead of serving."""
    given: list[Settings] = []
    monkeypatch.setattr(program, "serve", given.append)
    for name in ("ETUDE_TRAINER", "ETUDE_RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    return given


def run(monkeypatch: pytest.MonkeyPatch, home: Path, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["engine", "--home", str(home), *options])
    return program.main()


def test_the_trainer_is_its_own_unless_another_is_named(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = Settings(tmp_path).trainer
    assert run(monkeypatch, tmp_path) == 0
    assert run(monkeypatch, tmp_path, "--trainer", "torchrun --nproc-per-node 2 -m 'a module'") == 0
    monkeypatch.setenv("ETUDE_TRAINER", "by-environment")
    assert run(monkeypatch, tmp_path) == 0
    assert run(monkeypatch, tmp_path, "--trainer", "by-option") == 0
    assert [settings.trainer for settings in served] == [
        own,
        ("torchrun", "--nproc-per-node", "2", "-m", "a module"),
        ("by-environment",),
        ("by-option",),
    ]


def test_a_cluster_takes_the_trainers_place(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert run(monkeypatch, tmp_path, "--ray", "http://127.0.0.1:8265", "--ray-gpus", "2") == 0
    (settings,) = served
    assert settings.trainer[1:] == ("-m", "lib.engine.ray_job", "--address", "http://127.0.0.1:8265", "--gpus", "2.0")


@pytest.mark.parametrize(
    "options",
    [
        ("--ray", "http://127.0.0.1:1", "--trainer", "x"),
        ("--ray-gpus", "-1"),
        ("--ray-gpus", "nan"),
        ("--trainer", "an 'open quote"),
    ],
)
def test_what_cannot_be_meant_starts_nothing(
    served: list[Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as left:
        run(monkeypatch, tmp_path, *options)
    assert left.value.code == 2
    assert options[0] in capsys.readouterr().err
    assert served == []
