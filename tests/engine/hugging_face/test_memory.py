"""Memory that a model needs: told from files alone, exact for what learns, above and near what is kept on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from lib.engine.hugging_face import memory
from lib.engine.hugging_face.folder import examine
from lib.engine.hugging_face.language_model import LanguageModel
from lib.engine.model import Learned, Learning
from lib.engine.weights import load
from lib.errors import EngineError
from tests.engine.hugging_face import tiny
from tests.engine.hugging_face.model_folders import CONFIG, make

ROOT = Path(__file__).parents[3]
TOKENS = 128


@pytest.fixture(scope="module", params=["llama", "qwen"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(
        tmp_path_factory.mktemp("sized") / "model",
        request.param,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4 if request.param == "llama" else 2,
        vocab_size=1000,
    )


def kept_bytes(model: LanguageModel, tokens: Tensor) -> int:
    """What a pass keeps until its gradients are taken, the weights themselves aside."""
    weights = {weight.untyped_storage().data_ptr() for weight in model.shared.base.network.parameters()}
    sizes: dict[int, int] = {}
    held: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        held.append(tensor)
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        functional.cross_entropy(model.logits(model.read(tokens))[0], tokens[0])
    return sum(sizes.values())


@pytest.mark.parametrize("learns", ["lora", "full"])
def test_what_is_told_is_what_torch_takes_and_at_most_twice(folder: Path, learns: Learned) -> None:
    model: Any = load(folder, Learning(learns))
    needed = memory.needed(examine(folder), learns, TOKENS, tokens_at_once=TOKENS)
    assert needed.learning == 16 * sum(weight.numel() for weight in model.weights().values())
    every = sum(weight.numel() for weight in model.shared.base.network.parameters())
    if learns == "lora":
        assert needed.weights == 4 * (every - needed.learning // 16)
    else:
        assert (needed.weights, needed.learning) == (0, 16 * every)
    kept = kept_bytes(model, torch.randint(0, 300, (1, TOKENS)))
    assert kept <= needed.passing <= 2 * kept
    sparing = memory.needed(examine(folder), learns, TOKENS, tokens_at_once=TOKENS, sparing=True)
    assert sparing.passing < needed.passing
    assert (sparing.weights, sparing.learning) == (needed.weights, needed.learning)


def test_halves_take_half_and_longer_takes_more(folder: Path) -> None:
    found = examine(folder)
    whole, half = (memory.needed(found, "answer", 100, bytes_per_number=size) for size in (4, 2))
    assert (whole.weights, whole.passing) == (2 * half.weights, 2 * half.passing)
    short, long = (memory.needed(found, "lora", tokens).passing for tokens in (100, 4096))
    assert long == 2 * short


def test_the_context_is_the_shortest(tmp_path: Path) -> None:
    found = examine(make(tmp_path / "model"))
    assert [memory.context_of(found, asked) for asked in (None, 64, 4096)] == [256, 64, 256]
    wide = examine(make(tmp_path / "wide", config={**CONFIG, "max_position_embeddings": 1 << 20}))
    assert memory.context_of(wide) == memory.MOST_CONTEXT


@pytest.mark.parametrize(
    "change", [{"vocab_size": None}, {"vocab_size": -1}, {"vocab_size": True}, {"hidden_size": "8"}]
)
def test_a_config_that_tells_no_size_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    sizes = {"vocab_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    found = examine(make(tmp_path / "model", config={**CONFIG, **sizes}))
    assert memory.needed(found, "lora", 100).total > memory.PROGRAM_BYTES
    found = examine(make(tmp_path / "model", config={**CONFIG, **sizes, **change}))
    with pytest.raises(EngineError, match=next(iter(change))):
        memory.needed(found, "lora", 100)


def test_free_memory_is_within_the_machine() -> None:
    assert 0 < memory.free_bytes() < 1 << 50


def test_a_server_can_ask_without_torch() -> None:
    code = (
        "import sys, lib.engine.hugging_face.memory as memory; memory.free_bytes(); memory.bytes_per_number(10);"
        "sys.exit(' '.join({'torch', 'transformers', 'numpy', 'peft'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
