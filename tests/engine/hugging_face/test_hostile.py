"""Folders that mean harm or are broken: nothing in them runs, nothing of the size they claim is made, all is told."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from lib.engine.hugging_face import base as base_module
from lib.engine.hugging_face import device, rendering
from lib.engine.hugging_face.folder import examine
from lib.engine.weights import load
from lib.errors import DataError, EngineError

Spoil = Callable[[Path], object]


class Canary:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.fixture
def folder(qwen: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(qwen, tmp_path / "model"))


def config(folder: Path, **changes: Any) -> None:
    held = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(held | changes))


def spoil_weights(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_code_and_pickles_of_a_folder_never_run(folder: Path, tmp_path: Path) -> None:
    sung = tmp_path / "sung"
    code = f"from pathlib import Path\nPath({str(sung)!r}).touch()\nclass Model: pass\nclass Config: pass\n"
    for name in ("modeling_evil.py", "configuration_evil.py", "tokenization_evil.py"):
        (folder / name).write_text(code)
    for name in ("pytorch_model.bin", "training_args.bin", "adapter_model.bin"):
        (folder / name).write_bytes(pickle.dumps(Canary(sung)))
    (folder / "generation_config.json").write_text(json.dumps({"custom_generate": "modeling_evil", "eos_token_id": 2}))
    config(
        folder,
        auto_map={"AutoModelForCausalLM": "modeling_evil.Model", "AutoConfig": "configuration_evil.Config"},
        trust_remote_code=True,
        attn_implementation="evil/kernels@main:attention",
        _attn_implementation="evil/kernels@main:attention",
        use_kernels=True,
    )
    load(folder)
    assert not sung.exists()
    held = json.loads((folder / "tokenizer_config.json").read_text())
    held |= {"auto_map": {"AutoTokenizer": ["tokenization_evil.Model", None]}, "tokenizer_class": "Evil"}
    (folder / "tokenizer_config.json").write_text(json.dumps(held))
    load(folder)
    assert not sung.exists()


def test_the_canary_does_sing_when_it_is_unpickled(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Canary(tmp_path / "sung")))
    assert (tmp_path / "sung").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": 1 << 20}, "promises .* numbers, and its weights hold"),
        ({"vocab_size": 1 << 40}, "promises .* numbers, and its weights hold|cannot be loaded"),
        ({"intermediate_size": 1 << 22}, "promises .* numbers"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers = 1000000000, which cannot"),
        ({"num_hidden_layers": 20, "layer_types": None}, "promises .* numbers"),
        ({"num_hidden_layers": 20}, "cannot be loaded"),
        ({"num_hidden_layers": 900}, "num_hidden_layers = 900; with these weights it can be 26 at most"),
        ({"num_attention_heads": 10**7}, "num_attention_heads = 10,000,000"),
        ({"max_position_embeddings": 10**15}, "max_position_embeddings = 1,000,000,000,000,000"),
        ({"num_hidden_layers": 2.5}, "cannot be loaded|cannot be used"),
        ({"hidden_size": "32"}, "cannot be loaded|cannot be used"),
        ({"hidden_size": -32}, "cannot be loaded|cannot be used|promises"),
        ({"hidden_act": "nothing"}, "cannot be loaded"),
        ({"rope_parameters": {"rope_type": "evil"}}, "cannot be loaded"),
        ({"text_config": {"num_hidden_layers": 10**9}}, "num_hidden_layers = 1,000,000,000|cannot be"),
    ],
)
def test_a_config_that_promises_too_much_is_refused_before_anything_is_made(
    folder: Path, change: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        base_module.AutoModelForCausalLM, "from_pretrained", lambda *_, **__: pytest.fail("it was loaded")
    )
    config(folder, **change)
    begun = time.process_time()
    with pytest.raises(EngineError, match=words):
        load(folder)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("model.norm.weight"),
        lambda weights: weights.update({"model.norm.weight": weights["model.norm.weight"][:16].clone()}),
        lambda weights: weights.update({"model.nonsense.weight": weights.pop("model.layers.0.mlp.up_proj.weight")}),
    ],
)
def test_weights_that_do_not_fit_the_config_are_refused(folder: Path, change: Any) -> None:
    spoil_weights(folder, change)
    with pytest.raises(EngineError, match=r"lack|cannot be loaded|promises"):
        load(folder)


def test_an_adapter_beside_a_whole_model_is_refused(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "/"}))
    with pytest.raises(EngineError, match="holds an adapter beside a whole model"):
        load(folder)


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"model": {"type": "BPE"}}', "null"])
def test_a_tokenizer_that_cannot_be_read_is_told(folder: Path, spoilt: str) -> None:
    (folder / "tokenizer.json").write_text(spoilt)
    with pytest.raises(EngineError, match="cannot be loaded"):
        load(folder)


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    held = json.loads((folder / "tokenizer.json").read_text())
    held["added_tokens"].append({**held["added_tokens"][-1], "id": 4000, "content": "<far>"})
    held["added_tokens"] += [{**held["added_tokens"][-1], "id": 400 + n, "content": f"<{n}>"} for n in range(40)]
    (folder / "tokenizer.json").write_text(json.dumps(held))
    with pytest.raises(EngineError, match=r"does not fit its weights|cannot be loaded"):
        load(folder)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "was stopped"),
        ("{{ 'x' * 4000000000 }}", "was stopped"),
        ("{{ ''.__class__.__mro__ }}", "does not take"),
        ("{% if", "does not take"),
    ],
)
def test_a_hostile_template_is_refused_when_the_model_is_loaded(
    folder: Path, template: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "MOST_SECONDS", 0.3)
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(EngineError, match="chat template cannot be used") as refused:
        load(folder)
    assert isinstance(refused.value.__cause__, DataError)
    assert words in str(refused.value.__cause__)


def test_what_is_loaded_asks_no_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(socket, "socket", lambda *_, **__: pytest.fail("it went to a network"))
    config(folder, _name_or_path="evil/model", torch_dtype="float32")
    load(folder)


def test_a_config_in_half_precision_is_computed_in_the_devices_numbers(folder: Path) -> None:
    config(folder, dtype="float16", torch_dtype="float16")
    found = examine(folder)
    made = base_module.load(found, device.best(found.parameters))
    assert {str(weight.dtype) for weight in made.network.parameters()} == {str(device.best(found.parameters).numbers)}
