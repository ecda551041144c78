"""Sealed folders: whole or not there, whatever happens while they are written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lib.engine import sealed
from lib.errors import EngineError


def fill(folder: Path) -> None:
    (folder / "weights").write_bytes(b"\x01" * 1000)
    (folder / "config.json").write_text("{}", encoding="utf-8")


def test_a_written_folder_is_whole(tmp_path: Path) -> None:
    sealed.write(tmp_path / "step-1", fill)
    sealed.check(tmp_path / "step-1")
    assert {path.name for path in tmp_path.iterdir()} == {"step-1"}


def test_when_filling_fails_nothing_appears(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        sealed.write(tmp_path / "step-1", fail)
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_folder_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-1" / "rest").write_bytes(b"half")
    sealed.write(tmp_path / "step-1", fill)
    sealed.check(tmp_path / "step-1")
    assert not (tmp_path / "step-1" / "rest").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text('{"files": {"weights"'),
        lambda folder: (folder / "manifest.json").write_text("[]"),
        lambda folder: (folder / "manifest.json").write_text('{"files": {}}'),
        lambda folder: (folder / "weights").unlink(),
        lambda folder: (folder / "weights").write_bytes(b"\x01" * 999),
        lambda folder: (folder / "weights").write_bytes(b"\x01" * 999 + b"\x02"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path, spoil: object) -> None:
    folder = tmp_path / "step-1"
    sealed.write(folder, fill)
    assert callable(spoil)
    spoil(folder)
    assert not sealed.is_whole(folder)
    with pytest.raises(EngineError, match="step-1"):
        sealed.check(folder)


def test_a_manifest_cannot_point_out_of_its_folder(tmp_path: Path) -> None:
    sealed.write(tmp_path / "other", fill)
    sealed.write(tmp_path / "step-1", fill)
    manifest = json.loads((tmp_path / "step-1" / "manifest.json").read_bytes())
    manifest["files"]["../other/weights"] = manifest["files"].pop("weights")
    (tmp_path / "step-1" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert not sealed.is_whole(tmp_path / "step-1")


def test_a_folder_whose_removal_was_cut_short_is_not_there_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed.write(tmp_path / "step-1", fill)
    with monkeypatch.context() as killed:

        def kill(folder: Path, **_: object) -> None:
            (folder / "weights").unlink()
            raise KeyboardInterrupt

        killed.setattr(shutil, "rmtree", kill)
        with pytest.raises(KeyboardInterrupt):
            sealed.remove(tmp_path / "step-1")
    assert not (tmp_path / "step-1").exists()
    assert list(tmp_path.iterdir())
    sealed.clear_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []
