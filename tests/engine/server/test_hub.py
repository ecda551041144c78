"""Base models that come from a hub: what is fetched and what never, progress, going on after a kill, and refusals."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.hugging_face.model_folders import CONFIG, safetensors
from tests.engine.server.conftest import Running, Start, eventually
from tests.engine.server.fake_hub import REVISION, FakeHub
from tests.engine.server.test_bases import add, bases, refused, remove

HUB_ID = "Org/Little-Llama"
FILES = {
    "config.json": json.dumps(CONFIG).encode(),
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "model.safetensors": safetensors({"a": ("F32", (16_384,))}),
    "modeling_own.py": b"raise SystemExit",
    "pytorch_model.bin": b"\x80\x04",
    "README.md": b"# A model",
    "onnx/model.safetensors": b"other",
}
USED = ["chat_template.jinja", "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that engines started in this test know as the only one."""
    with FakeHub(HUB_ID, dict(FILES)) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield served


def until(engine: Running, name: str, *statuses: str) -> dict[str, Any]:
    """The base model once it has one of these statuses."""

    def there() -> dict[str, Any] | None:
        base = bases(engine)[name]
        assert base["status"] in (*statuses, "downloading"), base
        return base if base["status"] in statuses else None

    found: dict[str, Any] = eventually(there)
    return found


def test_a_model_is_fetched_without_code_and_pickles_and_becomes_a_base(
    hub: FakeHub, start_engine: Start, tmp_path: Path
) -> None:
    engine = start_engine(tmp_path / "home")
    begun = add(engine, hub_id=HUB_ID)
    assert (begun["id"], begun["status"], begun["hub_id"]) == ("little-llama", "downloading", HUB_ID)
    base = until(engine, "little-llama", "ready")
    folder = Path(base["folder"])
    assert folder == tmp_path / "home" / "bases" / "little-llama" / "model"
    assert sorted(path.name for path in folder.iterdir()) == sorted(USED)
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert hub.fetched() == USED
    assert all(REVISION in path for path, _, _ in hub.seen if "/resolve/" in path)
    assert {given for _, _, given in hub.seen} == {None}
    assert (base["parameters"], base["hub_id"], base["error"]) == (16_384, HUB_ID, None)
    assert engine.strict.models.retrieve("little-llama").owned_by == "org"
    assert engine.wait(engine.job(model="little-llama").id).status == "succeeded"
    # Asking again asks nobody.
    seen = len(hub.seen)
    assert add(engine, hub_id=HUB_ID) | {"memory": None} == base | {"memory": None}
    assert len(hub.seen) == seen


def test_a_download_goes_on_after_everything_was_killed(hub: FakeHub, start_engine: Start, tmp_path: Path) -> None:
    hub.files["model.safetensors"] = safetensors({"a": ("F32", (262_144,))})
    hub.pause = 0.02
    engine = start_engine(tmp_path / "home")
    add(engine, hub_id=HUB_ID)
    part = tmp_path / "home" / "bases" / "little-llama" / "model" / "model.safetensors.part"
    eventually(lambda: part.exists() and part.stat().st_size > 30_000)
    told = bases(engine)["little-llama"]
    assert 30_000 < told["received_bytes"] < told["total_bytes"]
    assert told["total_bytes"] == sum(len(hub.files[name]) for name in USED)
    fetching, kept = _fetching(engine.pid), part.stat().st_size
    engine.kill()
    eventually(lambda: not Path(f"/proc/{fetching}").exists())
    hub.pause = 0.0

    again = start_engine(tmp_path / "home")
    base = until(again, "little-llama", "ready")
    assert (Path(base["folder"]) / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    resumed = [int(asked.removeprefix("bytes=").rstrip("-")) for _, asked, _ in hub.seen if asked]
    assert resumed
    assert resumed[0] >= kept
    assert hub.fetched().count("config.json") == 1
    assert not list((tmp_path / "home" / "bases" / "little-llama").glob("*.json.tmp"))


def test_the_process_that_fetches_may_die(hub: FakeHub, start_engine: Start, tmp_path: Path) -> None:
    hub.files["model.safetensors"] = safetensors({"a": ("F32", (131_072,))})
    hub.pause = 0.02
    engine = start_engine(tmp_path / "home")
    add(engine, hub_id=HUB_ID)
    part = tmp_path / "home" / "bases" / "little-llama" / "model" / "model.safetensors.part"
    eventually(lambda: part.exists() and part.stat().st_size > 8_000)
    os.kill(_fetching(engine.pid), signal.SIGKILL)
    hub.pause = 0.0
    assert until(engine, "little-llama", "ready")["parameters"] == 131_072


def test_a_gated_model_needs_a_token_which_nobody_else_gets(
    hub: FakeHub, start_engine: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.gated, hub.token = True, "hf_canary"
    engine = start_engine(tmp_path / "home")
    add(engine, hub_id=HUB_ID)
    error = until(engine, "little-llama", "failed")["error"]
    assert "gated" in error
    assert "HF_TOKEN" in error
    engine.close()

    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    again = start_engine(tmp_path / "home")
    assert bases(again)["little-llama"]["status"] == "failed"
    add(again, hub_id=HUB_ID)
    until(again, "little-llama", "ready")
    assert ("Bearer hf_canary") in {given for _, _, given in hub.seen}
    job = again.wait(again.job(model="little-llama").id)
    environment = (tmp_path / "home" / "jobs" / job.id / "environment.json").read_text()
    assert "hf_canary" not in environment
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or b"hf_canary" not in path.read_bytes(), path


def test_what_the_hub_says_no_to_is_told_in_sentences(hub: FakeHub, start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    add(engine, hub_id="org/never-made")
    assert "shows no model org/never-made" in until(engine, "never-made", "failed")["error"]
    hub.status = 503
    add(engine, hub_id=HUB_ID)
    assert "status 503" in until(engine, "little-llama", "failed")["error"]
    hub.status, hub.spoiled = None, True
    add(engine, hub_id=HUB_ID)
    assert "model.safetensors was damaged on its way" in until(engine, "little-llama", "failed")["error"]
    hub.spoiled = False
    add(engine, hub_id=HUB_ID)
    assert until(engine, "little-llama", "ready")["parameters"] == 16_384


UNUSABLE: tuple[tuple[dict[str, bytes | None], str], ...] = (
    ({"config.json": json.dumps({**CONFIG, "model_type": "never"}).encode()}, "none that the installed"),
    ({"config.json": b"["}, "config.json"),
    ({"config.json": None}, "no config.json"),
    ({"tokenizer.json": None}, "no tokenizer"),
    ({"model.safetensors": None}, "only safetensors are read"),
    (
        {"model.safetensors": None, "model.safetensors.index.json": b'{"weight_map": {"a": "../a.safetensors"}}'},
        "not a safetensors file of this folder",
    ),
)


def test_what_cannot_be_used_is_refused_before_its_weights_are_fetched(
    hub: FakeHub, start_engine: Start, tmp_path: Path
) -> None:
    engine = start_engine(tmp_path / "home")
    for number, (changed, said) in enumerate(UNUSABLE):
        hub.files = {name: content for name, content in FILES.items() if name not in changed}
        hub.files |= {name: content for name, content in changed.items() if content is not None}
        add(engine, hub_id=HUB_ID, name=f"model-{number}")
        assert said in until(engine, f"model-{number}", "failed")["error"]
    assert not [name for name in hub.fetched() if name.endswith((".safetensors", ".bin", ".py"))]
    assert not [model.id for model in engine.strict.models.list() if model.id.startswith("model-")]


def test_without_a_network_it_is_told_which_hub_was_meant(
    start_engine: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    engine = start_engine(tmp_path / "home")
    add(engine, hub_id=HUB_ID)
    assert "The hub at 127.0.0.1:9 cannot be reached" in until(engine, "little-llama", "failed")["error"]


def test_a_download_can_be_given_up_and_its_files_stay_unless_asked(
    hub: FakeHub, start_engine: Start, tmp_path: Path
) -> None:
    hub.files["model.safetensors"] = safetensors({"a": ("F32", (262_144,))})
    hub.pause = 0.05
    engine = start_engine(tmp_path / "home")
    add(engine, hub_id=HUB_ID)
    part = tmp_path / "home" / "bases" / "little-llama" / "model" / "model.safetensors.part"
    eventually(part.exists)
    fetching = _fetching(engine.pid)
    assert refused(engine, 409, hub_id="other/little-llama")["code"] == "name_taken"
    assert remove(engine, "little-llama").status_code == 200
    assert bases(engine) == {}
    assert not Path(f"/proc/{fetching}").exists()
    assert part.exists()
    hub.pause = 0.0
    add(engine, hub_id=HUB_ID)
    folder = Path(until(engine, "little-llama", "ready")["folder"])
    assert remove(engine, "little-llama").status_code == 200
    assert folder.exists()
    add(engine, hub_id=HUB_ID)
    until(engine, "little-llama", "ready")
    assert hub.fetched().count("model.safetensors") == 2
    job = engine.wait(engine.job(model="little-llama").id)
    assert remove(engine, "little-llama", "?files=true").status_code == 409
    for model in [one.id for one in engine.strict.models.list() if one.id.startswith(job.fine_tuned_model)]:
        engine.client.models.delete(model)
    assert remove(engine, "little-llama", "?files=true").status_code == 200
    assert not folder.parent.exists()


def _fetching(engine: int) -> int:
    """The process that fetches for an engine."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == engine and b"hub_download" in (stat.parent / "cmdline").read_bytes():
                return int(stat.parent.name)
        except OSError:
            continue
    raise AssertionError("nobody fetches")
