"""The wish to stop: two files, a parent that is gone, and an engine that is gone while `torchrun` is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.engine.train.stop import ENGINE_SETTING, Stop, Stopped


@pytest.mark.parametrize("name", ["cancel", "pause"])
def test_a_file_is_a_wish_and_only_one_of_them_is_for_good(tmp_path: Path, name: str) -> None:
    stop = Stop(tmp_path)
    stop.check()
    assert not stop.wanted
    (tmp_path / name).touch()
    assert stop.wanted
    assert stop.cancelled == (name == "cancel")
    with pytest.raises(Stopped):
        stop.check()


def test_a_pause_that_is_taken_back_is_no_wish(tmp_path: Path) -> None:
    stop = Stop(tmp_path)
    (tmp_path / "pause").touch()
    (tmp_path / "pause").unlink()
    assert not stop.wanted


def test_alone_its_parent_is_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENGINE_SETTING, str(os.getppid()))
    assert not Stop(tmp_path)._orphaned()
    monkeypatch.setenv(ENGINE_SETTING, str(os.getpid()))
    assert Stop(tmp_path)._orphaned()


def test_with_others_its_parent_starts_them_all_and_the_engine_must_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert not Stop(tmp_path)._orphaned()
    monkeypatch.setenv(ENGINE_SETTING, str(os.getpid()))
    assert not Stop(tmp_path)._orphaned()
    with subprocess.Popen([sys.executable, "-c", ""]) as engine:
        engine.wait()
    monkeypatch.setenv(ENGINE_SETTING, str(engine.pid))
    assert Stop(tmp_path)._orphaned()
