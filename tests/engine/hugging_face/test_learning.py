"""Model folders learn: by an adapter or with all weights, stopped and gone on with, again from what was learned."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from lib.engine import sealed
from lib.engine.hugging_face import adapter, device, loading, memory
from lib.engine.hugging_face.device import Device
from lib.engine.hugging_face.language_model import LanguageModel
from lib.engine.model import Learning
from lib.engine.train import loop
from lib.engine.train.stop import Stopped
from lib.engine.weights import load
from lib.errors import EngineError
from tests.engine.hugging_face import jobs

Folder = Callable[..., Path]


@pytest.fixture(params=["qwen", "llama"])
def base(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def keep_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RESUME_SECONDS", 0.0)
    monkeypatch.setattr(loop, "RESUME_SHARE", float("inf"))


def last(events: list[dict[str, Any]]) -> Path:
    assert events[-1]["kind"] == "done"
    return Path(events[-1]["folder"])


def scores(model: Any, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        made: torch.Tensor = model.logits(model.read(torch.tensor([ids])))[0]
    return made


def test_an_adapter_learns_and_its_checkpoint_holds_nothing_else(base: Path, tmp_path: Path) -> None:
    before = (base / "model.safetensors").read_bytes()
    events = jobs.run(jobs.write(tmp_path / "job", base, jobs.conversations(24), n_epochs=8))
    curve = jobs.losses(events)
    assert curve[48] < 0.5 * curve[1]
    folder = last(events)
    assert {path.name for path in folder.iterdir()} == {adapter.CONFIG, adapter.WEIGHTS, adapter.BASE, "manifest.json"}
    assert all("lora_" in name for name in load_file(folder / adapter.WEIGHTS))
    config = json.loads((folder / adapter.CONFIG).read_text())
    assert (config["r"], config["lora_alpha"], config["lora_dropout"], config["peft_type"]) == (16, 32, 0.0, "LORA")
    assert {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"} == {
        target.rsplit(".")[-1] for target in config["target_modules"]
    }
    assert (base / "model.safetensors").read_bytes() == before
    template = load(folder).template
    assert events[-1]["trained_tokens"] == 8 * sum(len(template.example(each).ids) for each in jobs.conversations(24))


def test_another_program_reads_the_adapter_and_says_the_same(qwen: Path, tmp_path: Path) -> None:
    folder = last(jobs.run(jobs.write(tmp_path / "job", qwen, jobs.conversations(8))))
    ids = list(range(4, 40))
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):
        theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(qwen), folder)
        expected = theirs(input_ids=torch.tensor([ids])).logits[0]
    assert torch.allclose(scores(load(folder), ids), expected, atol=1e-5)
    assert not torch.allclose(scores(load(qwen), ids), expected, atol=1e-2)


def test_all_weights_learn_on_request_and_make_a_whole_folder(base: Path, tmp_path: Path) -> None:
    events = jobs.run(jobs.write(tmp_path / "job", base, jobs.conversations(24), weights="full", n_epochs=6))
    curve = jobs.losses(events)
    assert curve[36] < 0.7 * curve[1]
    folder = last(events)
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= {
        path.name for path in folder.iterdir()
    }
    assert (folder / "config.json").read_bytes() == (base / "config.json").read_bytes()
    ids = list(range(4, 40))
    with torch.no_grad():
        expected = AutoModelForCausalLM.from_pretrained(folder)(input_ids=torch.tensor([ids])).logits[0]
    assert torch.allclose(scores(load(folder), ids), expected, atol=1e-5)
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    with pytest.raises(EngineError, match="damaged"):
        load(folder)


@pytest.mark.parametrize("learns", ["lora", "full"])
@pytest.mark.parametrize("looks", [9, 21])
def test_stopped_and_gone_on_with_it_ends_the_same(
    qwen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, learns: str, looks: int
) -> None:
    lines = jobs.conversations(12)
    whole = jobs.run(jobs.write(tmp_path / "whole", qwen, lines, weights=learns))
    keep_each_step(monkeypatch)
    folder = jobs.write(tmp_path / "stopped", qwen, lines, weights=learns)
    with pytest.raises(Stopped):
        jobs.run(folder, looks)
    assert len(jobs.losses(jobs.told(folder))) < 9
    events = jobs.run(folder)
    assert jobs.losses(events) == pytest.approx(jobs.losses(whole), abs=1e-6)
    name = adapter.WEIGHTS if learns == "lora" else "model.safetensors"
    assert (last(events) / name).read_bytes() == (last(whole) / name).read_bytes()


def test_the_seed_decides_everything(llama: Path, tmp_path: Path) -> None:
    first, again, other = (
        jobs.losses(jobs.run(jobs.write(tmp_path / name, llama, jobs.conversations(9), seed=seed)))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(("first", "second"), [("lora", "lora"), ("full", "lora"), ("full", "full"), ("lora", "full")])
def test_training_goes_on_from_what_was_learned(qwen: Path, tmp_path: Path, first: str, second: str) -> None:
    lines = jobs.conversations(24)
    begun = jobs.run(jobs.write(tmp_path / "first", qwen, lines, weights=first, n_epochs=6))
    more = jobs.run(jobs.write(tmp_path / "more", last(begun), lines, weights=second))
    assert jobs.losses(more)[1] < 0.8 * jobs.losses(begun)[1]
    assert adapter.is_adapter(last(more)) is (second == "lora")
    if (first, second) == ("lora", "lora"):
        assert adapter.find(last(more)).base == qwen


def test_preferences_are_learned_by_an_adapter(qwen: Path, tmp_path: Path) -> None:
    folder = jobs.write(tmp_path / "job", qwen, jobs.pairs(12), method="dpo", beta=0.5, n_epochs=6)
    steps = [event for event in jobs.run(folder) if event["kind"] == "step"]
    assert steps[0]["train_loss"] == pytest.approx(0.6931, abs=1e-3)
    assert steps[-1]["train_loss"] < 0.5
    assert steps[-1]["train_rewards_margin"] > 0


def test_the_context_is_the_shortest_of_all_and_cuts_at_the_end(qwen: Path) -> None:
    assert load(qwen).context == 160
    assert load(qwen, Learning(context=100)).context == 100
    assert load(qwen, Learning(context=4096)).context == 160
    cut = load(qwen, Learning(context=24)).template.example(jobs.conversations(4)[3])
    assert len(cut.ids) == 24


def test_padding_and_company_change_no_hidden_state(base: Path) -> None:
    model = load(base, Learning(seed=1))
    rows = [list(range(4, 30)), list(range(50, 60))]
    padded = torch.full((2, 26), model.template.pad)
    for row, ids in enumerate(rows):
        padded[row, : len(ids)] = torch.tensor(ids)
    with torch.no_grad():
        together = model.read(padded)
        for row, ids in enumerate(rows):
            assert torch.allclose(together[row, : len(ids)], model.read(torch.tensor([ids]))[0], atol=1e-5)


def test_computing_layers_twice_gives_the_same_gradients(qwen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(qwen, Learning(seed=1))
    assert isinstance(found, LanguageModel)
    model_folder = found.shared.base.found
    whole = memory.needed(model_folder, "lora", 160).total
    gradients = []
    for free in (whole, whole - 1):
        monkeypatch.setattr(Device, "free_bytes", lambda self, free=free: free)
        model = load(qwen, Learning(seed=1))
        assert isinstance(model, LanguageModel)
        assert model.shared.base.network.is_activation_checkpointing is (free < whole)
        loss = model.logits(model.read(torch.tensor([list(range(4, 40))]))).square().mean()
        torch.autograd.backward(loss)
        gradients.append({name: weight.grad for name, weight in model.weights().items()})
    assert all(torch.allclose(gradients[0][name], gradients[1][name], atol=1e-6) for name in gradients[0])


def test_what_does_not_fit_is_refused_with_the_figures_before_anything_is_loaded(
    qwen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "free_bytes", lambda self: 500_000_000)
    monkeypatch.setattr(loading.base, "load", lambda *_, **__: pytest.fail("it was loaded"))
    with pytest.raises(EngineError, match=r"adapter of tiny-qwen needs about 0\.6 GB of memory, and 0\.5 GB are"):
        load(qwen, Learning())
    with pytest.raises(EngineError, match=r"all weights of tiny-qwen needs about .* Train an adapter instead"):
        load(qwen, Learning("full"))
    with pytest.raises(EngineError, match="Asking tiny-qwen needs about"):
        load(qwen)


def test_products_in_half_precision_learn_as_well(qwen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = jobs.run(jobs.write(tmp_path / "exact", qwen, jobs.conversations(24), n_epochs=6))
    monkeypatch.setattr(device, "bytes_per_number", lambda parameters: 2)
    model = load(qwen, Learning())
    assert isinstance(model, LanguageModel)
    assert model.shared.decoder.embed_tokens.weight.dtype == torch.bfloat16
    assert {weight.dtype for weight in model.weights().values()} == {torch.float32}
    half = jobs.run(jobs.write(tmp_path / "half", qwen, jobs.conversations(24), n_epochs=6))
    assert jobs.losses(half)[36] == pytest.approx(jobs.losses(exact)[36], abs=0.15)
    assert jobs.losses(half)[36] < 0.6 * jobs.losses(half)[1]
    full = load(qwen, Learning("full"))
    assert {weight.dtype for weight in full.weights().values()} == {torch.float32}


def test_an_adapter_knows_its_base_again(qwen: Path, tmp_path: Path) -> None:
    base = shutil.copytree(qwen, tmp_path / "base")
    folder = last(jobs.run(jobs.write(tmp_path / "job", base, jobs.conversations(8), n_epochs=1)))
    load(folder)
    whole = (base / "model.safetensors").read_bytes()
    (base / "model.safetensors").write_bytes(whole[:-64] + bytes(64))
    with pytest.raises(EngineError, match="base is not what it was when step-2 was trained on it"):
        load(folder)
    with pytest.raises(EngineError, match="is not what it was"):
        load(folder, Learning())
    shutil.rmtree(base)
    with pytest.raises(EngineError, match="cannot be read"):
        load(folder)


def test_a_damaged_adapter_is_refused(qwen: Path, tmp_path: Path) -> None:
    folder = last(jobs.run(jobs.write(tmp_path / "job", qwen, jobs.conversations(8), n_epochs=1)))
    config = json.loads((folder / adapter.CONFIG).read_text())
    for change, words in (
        ({"r": 10**9}, "none that Etude made"),
        ({"peft_type": "IA3"}, "none that Etude made"),
        ({"r": 8}, "damaged"),
        ({"target_modules": ["q_proj"]}, "does not fit"),
    ):
        (folder / adapter.CONFIG).write_text(json.dumps(config | change))
        with pytest.raises(EngineError, match="damaged"):
            load(folder)
        sealed.seal(folder)
        with pytest.raises(EngineError, match=words):
            load(folder)
    (folder / adapter.WEIGHTS).unlink()
    with pytest.raises(EngineError, match="not complete"):
        load(folder)


def test_the_built_in_model_refuses_an_adapter_in_a_sentence(model_folder: Path) -> None:
    with pytest.raises(EngineError, match="The built-in model learns with all its weights"):
        load(model_folder, Learning("lora"))
