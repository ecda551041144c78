"""The built-in network: causality, the cache, its folder, and refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lib.engine.network import Cache, Config, Network, load, save
from lib.errors import EngineError

SMALL = Config(vocabulary=64, width=32, layers=2, heads=2, hidden=48, context=64, taps=3)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(7)
    network = Network(SMALL)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return network.eval()


def test_the_default_is_the_built_in_base() -> None:
    parameters = sum(weight.numel() for weight in Network(Config()).parameters())
    assert 5_800_000 < parameters < 6_000_000


def test_a_token_never_sees_what_follows(network: Network) -> None:
    tokens = torch.randint(0, 64, (2, 20))
    changed = tokens.clone()
    changed[:, 12:] = (changed[:, 12:] + 1) % 64
    with torch.no_grad():
        before, after = network(tokens), network(changed)
    assert torch.equal(before[:, :12], after[:, :12])
    assert not torch.allclose(before[:, 12:], after[:, 12:])


def test_padding_on_the_right_changes_nothing(network: Network) -> None:
    tokens = torch.randint(0, 64, (1, 9))
    padded = torch.nn.functional.pad(tokens, (0, 5), value=63)
    with torch.no_grad():
        assert torch.allclose(network(tokens), network(padded)[:, :9], atol=1e-5)


def test_sequences_packed_into_a_row_do_not_attend_to_each_other() -> None:
    # With one tap the blend stays within a token, so attention is all that could leak.
    alone = Network(replace(SMALL, taps=1)).eval()
    with torch.no_grad():
        for weight in alone.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    first, second = torch.randint(0, 64, (1, 9)), torch.randint(0, 64, (1, 12))
    owner = torch.tensor([0] * 9 + [1] * 12)
    mask = (owner[:, None] == owner[None, :]).tril()[None, None]
    with torch.no_grad():
        packed = alone(torch.cat((first, second), dim=1), mask=mask)
        changed = alone(torch.cat((first.flip(1), second), dim=1), mask=mask)
        assert torch.allclose(packed[:, :9], alone(first), atol=1e-5)
    assert torch.equal(packed[:, 9:], changed[:, 9:])
    assert not torch.allclose(packed[:, :9], changed[:, :9])


@pytest.mark.parametrize("pieces", [[40], [39, 1], [1] * 40, [10, 1, 20, 9], [2, 2, 36]])
def test_reading_in_pieces_with_a_cache_gives_the_same(network: Network, pieces: list[int]) -> None:
    tokens = torch.randint(0, 64, (2, 40))
    cache = Cache(SMALL)
    with torch.no_grad():
        whole = network(tokens)
        read = torch.cat([network(part, cache=cache) for part in tokens.split(pieces, dim=1)], dim=1)
    assert cache.length == 40
    assert torch.allclose(whole, read, atol=1e-5)


def test_more_than_the_context_is_refused(network: Network) -> None:
    cache = Cache(SMALL)
    network(torch.zeros(1, 64, dtype=torch.long), cache=cache)
    with pytest.raises(EngineError, match="65 tokens does not fit the context of 64"):
        network(torch.zeros(1, 1, dtype=torch.long), cache=cache)
    assert cache.length == 64


def test_logits_are_over_the_vocabulary(network: Network) -> None:
    hidden = network(torch.zeros(3, 5, dtype=torch.long))
    assert hidden.shape == (3, 5, 32)
    assert network.logits(hidden[:, -1]).shape == (3, 64)


def test_a_folder_gives_back_the_same_network(network: Network, tmp_path: Path) -> None:
    save(network, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.config == SMALL
    assert not again.training
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])


def test_half_precision_on_disk_is_float32_in_memory(network: Network, tmp_path: Path) -> None:
    save(network, tmp_path, dtype=torch.bfloat16)
    again = load(tmp_path)
    assert {weight.dtype for weight in again.parameters()} == {torch.float32}
    assert torch.allclose(network.embedding.weight, again.embedding.weight, rtol=1e-2)


def test_damaged_folders_are_refused_in_a_sentence(network: Network, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"lacks config\.json"):
        load(tmp_path)
    save(network, tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineError, match="damaged"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(whole)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "hidden": 56}))
    with pytest.raises(EngineError, match="do not fit"):
        load(tmp_path)
    for change in ({"width": "32"}, {"layers": 10**9}, {"heads": 3}, {"architecture": "llama"}, {"rope_base": None}):
        (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
        with pytest.raises(EngineError, match=r"config\.json"):
            load(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(EngineError, match="architecture"):
        load(tmp_path)
