"""Base models that a person adds from a folder: found, listed, trained, kept over a restart, and told when they go."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.engine.hugging_face.model_folders import CONFIG, make, safetensors
from tests.engine.server.conftest import BASE, Running, Start


def etude(engine: Running, path: str = "bases") -> str:
    """A route of Etude's own."""
    return engine.base_url.removesuffix("v1") + f"etude/{path}"


def add(engine: Running, **body: Any) -> dict[str, Any]:
    answer = engine.http.post(etude(engine), json=body)
    assert answer.status_code == 200, answer.text
    base: dict[str, Any] = answer.json()
    return base


def refused(engine: Running, status: int, **body: Any) -> dict[str, Any]:
    answer = engine.http.post(etude(engine), json=body)
    assert answer.status_code == status, answer.text
    error: dict[str, Any] = answer.json()["error"]
    return error


def bases(engine: Running) -> dict[str, dict[str, Any]]:
    return {base["id"]: base for base in engine.http.get(etude(engine)).json()["data"]}


def remove(engine: Running, name: str, query: str = "") -> Any:
    return engine.http.delete(etude(engine, f"bases/{name}{query}"))


def test_a_folder_becomes_a_base_model_with_its_figures(engine: Running, tmp_path: Path) -> None:
    folder = make(tmp_path / "Little Llama_1")
    base = add(engine, folder=str(folder))
    assert base["id"] == "little-llama-1"
    assert (base["status"], base["folder"], base["parameters"]) == ("ready", str(folder), 264)
    assert base["weight_bytes"] == (folder / "model.safetensors").stat().st_size
    needed = base["memory"]
    assert 600_000_000 < needed["lora"] < needed["full"] + 1_000_000 < 700_000_000
    known = bases(engine)["little-llama-1"]
    assert known | {"memory": None} == base | {"memory": None}
    model = engine.strict.models.retrieve("little-llama-1")
    assert (model.owned_by, model.created, model.shutdown_date) == ("local", base["created_at"], None)
    listed = [one.id for one in engine.strict.models.list()]
    assert listed.count("little-llama-1") == 1
    assert BASE in listed
    assert remove(engine, "little-llama-1").json() == {"id": "little-llama-1", "object": "etude.base", "deleted": True}
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert "little-llama-1" not in [one.id for one in engine.strict.models.list()]
    assert remove(engine, "little-llama-1").status_code == 404


def test_adding_the_same_again_looks_again_and_changes_nothing_else(engine: Running, tmp_path: Path) -> None:
    folder = make(tmp_path / "twice")
    first = add(engine, folder=str(folder), name="Twice")
    (folder / "model.safetensors").write_bytes(safetensors({"a": ("F32", (9,))}))
    again = add(engine, folder=str(folder), name="twice")
    changed = {name for name in first if first[name] != again[name]}
    assert changed - {"memory"} == {"parameters", "weight_bytes"}
    assert again["parameters"] == 9
    error = refused(engine, 409, folder=str(make(tmp_path / "other")), name="twice")
    assert error["code"] == "name_taken"
    assert str(folder) in error["message"]
    assert bases(engine)["twice"]["folder"] == str(folder)


@pytest.mark.parametrize("name", [BASE, "base-one"])
def test_the_name_of_a_base_model_that_ships_is_not_given_away(engine: Running, name: str, tmp_path: Path) -> None:
    assert refused(engine, 409, folder=str(make(tmp_path / "own")), name=name)["code"] == "name_taken"
    assert engine.strict.models.retrieve(name).owned_by == "system"


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "ft:a", "-a", "a-", "a" * 65, "ö", "a b", "a\nb", "../../models", "a:b"]
)
def test_a_name_is_one_that_can_stand_in_a_model_id(engine: Running, name: str, tmp_path: Path) -> None:
    error = refused(engine, 400, folder=str(make(tmp_path / "model")), name=name)
    assert error["param"] == "name"
    assert bases(engine).keys() <= {"twice"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "folder"),
        ({"folder": "/a", "hub_id": "a/b"}, "folder"),
        ({"folder": "relative/model"}, "folder"),
        ({"folder": "/a\0b"}, "folder"),
        ({"folder": "/" + "a" * 5000}, "folder"),
        ({"folder": 7}, "folder"),
        ({"folder": "/there/is/none"}, "folder"),
        ({"hub_id": "../../etc"}, "hub_id"),
        ({"hub_id": "https://a.b/c"}, "hub_id"),
        ({"hub_id": "a/b/c"}, "hub_id"),
        ({"hub_id": ""}, "hub_id"),
    ],
)
def test_what_cannot_be_added_is_told_with_its_field(engine: Running, body: dict[str, Any], param: str) -> None:
    error = refused(engine, 400, **body)
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"


def test_a_folder_that_cannot_be_used_is_refused_with_the_reason(engine: Running, tmp_path: Path) -> None:
    folder = make(tmp_path / "masked", config={**CONFIG, "architectures": ["BertForMaskedLM"]})
    error = refused(engine, 400, folder=str(folder))
    assert error["code"] == "invalid_base_model"
    assert "not a causal language model" in error["message"]
    assert "masked" not in bases(engine)


def test_it_is_trained_under_its_own_name_and_survives_a_restart(start_engine: Start, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", make(tmp_path / "llama")
    engine = start_engine(home)
    add(engine, folder=str(folder))
    job = engine.wait(engine.job(model="llama", suffix="tone").id)
    assert job.fine_tuned_model.startswith("ft:llama:local:tone:")
    assert job.model == "llama"
    orders = json.loads((home / "jobs" / job.id / "job.json").read_text())
    assert (orders["base"], orders["start_from"]) == (str(folder), str(folder))
    engine.close()

    again = start_engine(home)
    assert bases(again)["llama"]["status"] == "ready"
    assert again.strict.models.retrieve(job.fine_tuned_model).owned_by == "local"
    following = again.wait(again.job(model=job.fine_tuned_model).id)
    assert following.fine_tuned_model.startswith("ft:llama:local::")


def test_a_folder_that_went_away_is_told_wherever_it_is_needed(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    folder = make(tmp_path / "llama")
    add(engine, folder=str(folder))
    job = engine.wait(engine.job(model="llama").id)
    adapter = next((tmp_path / "home" / "models").iterdir())
    (adapter / "config.json").rename(adapter / "adapter_config.json")
    folder.rename(tmp_path / "elsewhere")

    assert bases(engine)["llama"]["status"] == "missing"
    assert str(folder) in bases(engine)["llama"]["error"]
    assert "llama" in [model.id for model in engine.strict.models.list()]
    for model in ("llama", job.fine_tuned_model):
        assert engine.strict.models.retrieve(model).id == model
        for ask in (
            lambda model=model: engine.job(model=model),
            lambda model=model: engine.client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "a"}]
            ),
        ):
            with pytest.raises(openai.BadRequestError, match="not there any more") as told:
                ask()
            assert (told.value.code, told.value.param) == ("model_not_available", "model")
            assert str(folder) in str(told.value)

    (tmp_path / "elsewhere").rename(folder)
    assert bases(engine)["llama"]["status"] == "ready"
    assert engine.wait(engine.job(model="llama").id).status == "succeeded"


def test_a_base_that_fine_tunes_rest_on_is_kept_for_them(start_engine: Start, tmp_path: Path) -> None:
    engine = start_engine(tmp_path / "home")
    folder = make(tmp_path / "llama")
    add(engine, folder=str(folder))
    slow = engine.job(model="llama", suffix="slow")
    busy = remove(engine, "llama")
    assert (busy.status_code, busy.json()["error"]["code"]) == (409, "base_in_use")
    engine.client.fine_tuning.jobs.cancel(slow.id)
    job = engine.wait(engine.job(model="llama").id)

    assert remove(engine, "llama").status_code == 200
    assert "llama" not in bases(engine)
    with pytest.raises(openai.NotFoundError):
        engine.client.models.retrieve("llama")
    with pytest.raises(openai.BadRequestError, match="does not exist"):
        engine.job(model="llama")
    assert engine.wait(engine.job(model=job.fine_tuned_model).id).status == "succeeded"
    # The name goes on to mean the same weights.
    assert refused(engine, 409, folder=str(make(tmp_path / "other")), name="llama")["code"] == "name_taken"
    assert add(engine, folder=str(folder))["status"] == "ready"


def test_what_will_not_fit_is_refused_before_a_job_is_made(engine: Running, tmp_path: Path) -> None:
    header = safetensors({"a": ("BF16", (0,))})
    header = header.replace(b"[0]", b"[1099511627776]").replace(b"[0, 0]", b"[0, 2199023255552]")
    length = (len(header) - 8).to_bytes(8, "little")
    folder = make(tmp_path / "giant", weights=length + header[8:])
    # No such file lies on the disk: it has a size, and holes.
    os.truncate(folder / "model.safetensors", len(header) + (1 << 41))
    giant = add(engine, folder=str(folder))
    assert giant["parameters"] == 1 << 40
    before = [job.id for job in engine.client.fine_tuning.jobs.list()]
    with pytest.raises(openai.BadRequestError, match=r"about \d+\.\d GB of memory") as told:
        engine.job(model="giant")
    assert (told.value.code, told.value.param) == ("model_too_large", "model")
    assert "GB are free" in str(told.value)
    assert [job.id for job in engine.client.fine_tuning.jobs.list()] == before
    remove(engine, "giant")


def test_an_added_base_model_is_not_deleted_as_a_fine_tune_is(engine: Running, tmp_path: Path) -> None:
    folder = make(tmp_path / "kept")
    add(engine, folder=str(folder))
    with pytest.raises(openai.PermissionDeniedError, match="base model"):
        engine.client.models.delete("kept")
    assert (folder / "config.json").exists()


@pytest.mark.parametrize("held", ["", "[]", "{}", '{"folder": 3}', "\x00"])
def test_an_entry_that_was_spoiled_harms_nothing_else(start_engine: Start, held: str, tmp_path: Path) -> None:
    (tmp_path / "home" / "bases" / "spoiled").mkdir(parents=True)
    (tmp_path / "home" / "bases" / "spoiled" / "base.json").write_text(held)
    engine = start_engine(tmp_path / "home")
    assert bases(engine) == {}
    assert BASE in [model.id for model in engine.strict.models.list()]
