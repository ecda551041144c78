"""Checkpoints: three are kept and the best, each whole; a half-written one is never used."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from lib.engine import sealed
from lib.engine.built_in import BuiltIn
from lib.engine.network import Config, Network, load
from lib.engine.template import Template
from lib.engine.train.checkpoint import STATE_FILE, Checkpoints
from lib.errors import EngineError


@pytest.fixture
def model(template: Template) -> BuiltIn:
    return BuiltIn(Network(Config(vocabulary=32, width=8, layers=1, heads=1, hidden=8, context=16, taps=2)), template)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_latest_three_are_kept_and_usable(tmp_path: Path, model: BuiltIn) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step in (2, 9, 10, 100):
        folder = checkpoints.keep(step, model)
    assert names(tmp_path / "checkpoints") == {"step-9", "step-10", "step-100"}
    assert names(folder) == {"config.json", "model.safetensors", "manifest.json"}
    sealed.check(folder)
    again = load(folder)
    assert all(map(torch.equal, model.network.state_dict().values(), again.state_dict().values()))


def test_a_whole_checkpoint_is_left_and_a_damaged_one_written_again(tmp_path: Path, model: BuiltIn) -> None:
    checkpoints = Checkpoints(tmp_path)
    folder = checkpoints.keep(1, model)
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert checkpoints.keep(1, model) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(EngineError):
        sealed.check(folder)
    sealed.check(checkpoints.keep(1, model))


def test_the_best_stays_beside_the_latest_three(tmp_path: Path, model: BuiltIn) -> None:
    checkpoints = Checkpoints(tmp_path)
    for step, loss in ((1, 2.0), (2, 1.0), (3, math.nan), (4, 1.5), (5, 1.0), (6, 1.2)):
        checkpoints.keep(step, model, loss)
    assert checkpoints.best == 2
    assert names(tmp_path / "checkpoints") == {"step-2", "step-4", "step-5", "step-6"}
    checkpoints.keep(7, model, 0.5)
    assert checkpoints.best == 7
    assert names(tmp_path / "checkpoints") == {"step-5", "step-6", "step-7"}


def test_which_is_the_best_is_kept_with_the_state(tmp_path: Path, model: BuiltIn) -> None:
    first = Checkpoints(tmp_path)
    for step, loss in ((1, 0.5), (2, 1.0), (3, 1.0)):
        first.keep(step, model, loss)
    first.keep_state(3, {"weights": torch.ones(3)})
    again = Checkpoints(tmp_path)
    kept = again.state()
    assert kept is not None
    assert kept[1].keys() == {"weights"}
    assert again.best == 1
    for step in (4, 5):
        again.keep(step, model, 0.9)
    assert names(tmp_path / "checkpoints") == {"step-1", "step-3", "step-4", "step-5"}


def test_without_validation_there_is_no_best(tmp_path: Path, model: BuiltIn) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.keep(1, model)
    checkpoints.keep_state(1, {"weights": torch.ones(3)})
    checkpoints.state()
    assert checkpoints.best is None


def test_a_process_that_does_not_lead_writes_and_removes_nothing(tmp_path: Path, model: BuiltIn) -> None:
    left = tmp_path / "checkpoints" / f"step-7-abc{sealed.UNFINISHED}"
    left.mkdir(parents=True)
    Checkpoints(tmp_path).keep_state(1, {"weights": torch.ones(3)})
    left.mkdir()
    other = Checkpoints(tmp_path, leads=False)
    assert other.keep(8, model) == tmp_path / "checkpoints" / "step-8"
    other.keep_state(8, {"weights": torch.zeros(3)})
    kept = other.state()
    assert kept is not None
    assert kept[0] == 1
    assert names(tmp_path / "checkpoints") == {left.name}
    assert names(tmp_path / "resume") == {"step-1"}


def test_only_the_latest_state_is_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.state() is None
    for step in (5, 20):
        checkpoints.keep_state(step, {"weights": torch.full((3,), float(step))})
    assert names(tmp_path / "resume") == {"step-20"}
    kept = Checkpoints(tmp_path).state()
    assert kept is not None
    assert kept[0] == 20
    assert kept[1]["weights"].tolist() == [20.0] * 3


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_state_cut_short_is_not_used(tmp_path: Path, share: float) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.keep_state(5, {"weights": torch.ones(1000)})
    file = tmp_path / "resume" / "step-5" / STATE_FILE
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    assert checkpoints.state() is None


def test_what_a_killed_process_left_is_cleared(tmp_path: Path, model: BuiltIn) -> None:
    left = tmp_path / "checkpoints" / f"step-7-abc{sealed.UNFINISHED}"
    left.mkdir(parents=True)
    (left / "model.safetensors").write_bytes(b"half")
    Checkpoints(tmp_path).keep(8, model)
    assert names(tmp_path / "checkpoints") == {"step-8"}
