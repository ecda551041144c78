"""Whether a base model fits: what it is held against, and what a person is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.engine import fitting
from lib.engine.bases import Bases
from lib.engine.hugging_face import memory
from lib.errors import Rejected
from tests.engine.hugging_face.model_folders import make

GB = 1_000_000_000


@pytest.fixture(autouse=True)
def _no_graphics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "GRAPHICS", ())


def room(monkeypatch: pytest.MonkeyPatch, *, free: float, whole: float) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda: int(free * GB))
    monkeypatch.setattr(fitting, "all_bytes", lambda: int(whole * GB))


def test_a_job_alone_is_held_against_what_is_free_and_one_in_line_against_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Bases(tmp_path / "bases", lambda: 0.0).add("model", make(tmp_path / "model"))
    room(monkeypatch, free=0.5, whole=8)
    with pytest.raises(Rejected, match=r"0.6 GB of memory, and 0.5 GB are free") as told:
        fitting.refuse_too_large(base, "lora", alone=True)
    assert (told.value.status, told.value.param, told.value.code) == (400, "model", "model_too_large")
    fitting.refuse_too_large(base, "lora", alone=False)
    room(monkeypatch, free=0.1, whole=0.3)
    with pytest.raises(Rejected, match=r"and it has 0.3 GB"):
        fitting.refuse_too_large(base, "lora", alone=False)


def test_who_asks_for_all_weights_is_told_of_an_adapter_only_where_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Bases(tmp_path / "bases", lambda: 0.0).add("model", make(tmp_path / "model"))
    monkeypatch.setattr(fitting, "_needed", lambda folder, at: (2 * GB, 9 * GB))
    room(monkeypatch, free=4, whole=8)
    fitting.refuse_too_large(base, "lora", alone=True)
    with pytest.raises(Rejected, match=r"about 9.0 GB.*or train an adapter instead"):
        fitting.refuse_too_large(base, "full", alone=True)
    room(monkeypatch, free=1, whole=8)
    with pytest.raises(Rejected, match=r"Choose a smaller model.$"):
        fitting.refuse_too_large(base, "full", alone=True)


def test_where_a_graphics_processor_trains_the_trainer_is_left_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Bases(tmp_path / "bases", lambda: 0.0).add("model", make(tmp_path / "model"))
    room(monkeypatch, free=0, whole=0)
    monkeypatch.setattr(fitting, "GRAPHICS", (tmp_path,))
    fitting.refuse_too_large(base, "full", alone=True)
    found = fitting.of(base)
    assert found is not None
    assert found.free is None


def test_a_folder_that_is_gone_has_no_figures(tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    base = Bases(tmp_path / "bases", lambda: 0.0).add("model", folder)
    assert fitting.of(base) is not None
    (folder / "config.json").unlink()
    assert fitting.of(base) is None
