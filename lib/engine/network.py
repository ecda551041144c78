"""The network of the built-in base model: a Llama-style decoder, its folder on disk, and a cache for generation.

RMSNorm before each part, rotary positions, normalised queries and keys, SwiGLU, one embedding for input and output. One
thing Llama lacks: before attention each token is blended with the few tokens before it (a depthwise causal convolution,
"Canon layers", arXiv 2512.17351), because a network this small otherwise needs many more tokens to learn to copy.

It knows tensors of token ids only: no text, no template, no loss and no optimizer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from lib.errors import EngineError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
ARCHITECTURE = "etude-1"


@dataclass(frozen=True, slots=True)
class Config:
    """The measures of a network; `context` is the longest sequence in tokens, `taps` the reach of the blend.

    Raises EngineError when the measures cannot belong to a network of this architecture.
    """

    vocabulary: int = 4096
    width: int = 256
    layers: int = 6
    heads: int = 4
    hidden: int = 704
    context: int = 2048
    taps: int = 4
    rope_base: float = 10000.0

    def __post_init__(self) -> None:
        bounds = {
            "vocabulary": 1 << 20,
            "width": 1 << 14,
            "layers": 256,
            "heads": 256,
            "hidden": 1 << 16,
            "context": 1 << 17,
            "taps": 16,
        }
        for name, most in bounds.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise EngineError(f"The model's {CONFIG_FILE} says {name} = {value!r}; it must be from 1 to {most:,}.")
        if self.width % self.heads or self.width // self.heads % 2:
            raise EngineError(
                f"The model's {CONFIG_FILE} says width = {self.width} with {self.heads} heads; "
                "each head needs the same even number of dimensions."
            )
        if not isinstance(self.rope_base, int | float) or not 1.0 < self.rope_base < 1e9:
            raise EngineError(f"The model's {CONFIG_FILE} says rope_base = {self.rope_base!r}; it must exceed 1.")

    @classmethod
    def from_json(cls, data: Any) -> Config:
        """The config in a parsed config.json; EngineError when it is of another architecture or incomplete."""
        if not isinstance(data, dict) or data.get("architecture") != ARCHITECTURE:
            raise EngineError(
                f"The model's {CONFIG_FILE} is not of the architecture {ARCHITECTURE}.",
                "Choose a folder that Etude wrote.",
            )
        missing = [field.name for field in fields(cls) if field.name not in data]
        if missing:
            raise EngineError(f"The model's {CONFIG_FILE} lacks {', '.join(missing)}.")
        return cls(**{field.name: data[field.name] for field in fields(cls)})

    def to_json(self) -> dict[str, Any]:
        """What config.json holds."""
        return {"architecture": ARCHITECTURE, **asdict(self)}


class LayerCache:
    """One layer's keys and values, (rows, heads, tokens, dimensions), and the last inputs of its blend."""

    def __init__(self) -> None:
        self.recent: Tensor | None = None
        self._room: tuple[Tensor, Tensor] | None = None
        self._length = 0

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keep new keys and values; give all that are known. Room doubles, so that a token costs its own size."""
        end = self._length + keys.shape[2]
        if self._room is None or self._room[0].shape[2] < end:
            shape = (keys.shape[0], keys.shape[1], max(128, 2 * end), keys.shape[3])
            grown = (keys.new_empty(shape), values.new_empty(shape))
            if self._room is not None:
                for new, old in zip(grown, self._room, strict=True):
                    new[:, :, : self._length] = old[:, :, : self._length]
            self._room = grown
        for store, piece in zip(self._room, (keys, values), strict=True):
            store[:, :, self._length : end] = piece
        self._length = end
        return self._room[0][:, :, :end], self._room[1][:, :, :end]


class Cache:
    """What a network remembers of the tokens it has read, so that the next one costs one step."""

    def __init__(self, config: Config) -> None:
        self.length = 0
        self.layers = [LayerCache() for _ in range(config.layers)]


class Norm(nn.Module):
    """RMSNorm with a learned gain."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.gain.shape, self.gain, eps=1e-6)


class Attention(nn.Module):
    """Causal self-attention over tokens blended with their predecessors."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.taps = config.taps
        self.blend = nn.Parameter(torch.zeros(config.taps, config.width))
        self.query_key_value = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(
        self, x: Tensor, angles: tuple[Tensor, Tensor], memory: LayerCache | None, mask: Tensor | None
    ) -> Tensor:
        rows, length, width = x.shape
        x = self._blended(x, memory)
        split = self.query_key_value(x).view(rows, length, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        queries, keys = _rotate(_unit(queries), angles), _rotate(_unit(keys), angles)
        if memory is not None:
            keys, values = memory.append(keys, values)
            if length > 1 and keys.shape[2] > length:
                mask = torch.ones(length, keys.shape[2], dtype=torch.bool, device=x.device)
                mask = mask.tril(keys.shape[2] - length)
        mixed = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=mask, is_causal=mask is None and length > 1
        )
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        return out

    def _blended(self, x: Tensor, memory: LayerCache | None) -> Tensor:
        length, before = x.shape[1], self.taps - 1
        if memory is not None and memory.recent is not None:
            wide = torch.cat((memory.recent, x), dim=1)
        else:
            wide = functional.pad(x, (0, 0, before, 0))
        if memory is not None:
            memory.recent = wide[:, wide.shape[1] - before :].clone()
        for tap in range(self.taps):
            x = torch.addcmul(x, wide[:, before - tap : before - tap + length], self.blend[tap])
        return x


class Gate(nn.Module):
    """The SwiGLU part of a layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        down: Tensor = self.down(functional.silu(gate) * up)
        return down


class Layer(nn.Module):
    """Attention and gate, each on a normalised copy and added back."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = Norm(config.width)
        self.attention = Attention(config)
        self.gate_norm = Norm(config.width)
        self.gate = Gate(config)

    def forward(
        self, x: Tensor, angles: tuple[Tensor, Tensor], memory: LayerCache | None, mask: Tensor | None
    ) -> Tensor:
        x = x + self.attention(self.attention_norm(x), angles, memory, mask)
        out: Tensor = x + self.gate(self.gate_norm(x))
        return out


class Network(nn.Module):
    """The whole decoder. Rows of a batch are padded on the right; no mask is needed, since attention is causal."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = Norm(config.width)
        cosine, sine = _angles(config)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        self.cosine: Tensor
        self.sine: Tensor
        self._begin()

    def _begin(self) -> None:
        """Random weights from torch's global generator; parts that add to the stream start at zero."""
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(weight)
            elif weight.dim() == 2 and not name.endswith("blend"):
                nn.init.normal_(weight, std=0.02)

    def forward(self, tokens: Tensor, *, cache: Cache | None = None, mask: Tensor | None = None) -> Tensor:
        """Hidden states (rows, length, width) of token ids (rows, length).

        With a cache, `tokens` follow those it has seen (all rows equally long), and it remembers them too. A mask
        (rows, 1, length, length) is for several sequences packed into a row: true where a token may look; it goes
        without a cache. EngineError when more than `config.context` tokens would have been read.
        """
        start = 0 if cache is None else cache.length
        end = start + tokens.shape[1]
        if end > self.config.context:
            raise EngineError(f"A sequence of {end:,} tokens does not fit the context of {self.config.context:,}.")
        x = self.embedding(tokens) * self.config.width**0.5
        angles = (self.cosine[start:end], self.sine[start:end])
        for number, layer in enumerate(self.layers):
            x = layer(x, angles, None if cache is None else cache.layers[number], mask)
        if cache is not None:
            cache.length = end
        out: Tensor = self.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary (…, vocabulary) for hidden states (…, width): pass only those you need."""
        return functional.linear(hidden, self.embedding.weight)


def load(folder: Path) -> Network:
    """The network kept in `folder`, in float32, ready to answer (eval mode).

    Raises EngineError when a file is missing, damaged, or does not fit the config.
    """
    try:
        config = Config.from_json(json.loads((folder / CONFIG_FILE).read_bytes()))
        weights = load_file(folder / WEIGHTS_FILE)
    except FileNotFoundError as missing:
        raise EngineError(f"The model folder lacks {Path(missing.filename or WEIGHTS_FILE).name}.") from missing
    except (OSError, ValueError, SafetensorError) as damaged:
        raise EngineError("The model folder cannot be read: a file in it is damaged.", raw=str(damaged)) from damaged
    network = Network(config)
    expected = {name: weight.shape for name, weight in network.state_dict().items()}
    if expected != {name: weight.shape for name, weight in weights.items()}:
        raise EngineError(f"The weights in {WEIGHTS_FILE} do not fit the measures in {CONFIG_FILE}.")
    network.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return network.eval()


def save(network: Network, folder: Path, *, dtype: torch.dtype = torch.float32) -> None:
    """Write config.json and model.safetensors (in `dtype`) into `folder`, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.detach().to("cpu", dtype).contiguous() for name, weight in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    (folder / CONFIG_FILE).write_text(json.dumps(network.config.to_json(), indent=2) + "\n", encoding="utf-8")


def _angles(config: Config) -> tuple[Tensor, Tensor]:
    half = config.width // config.heads // 2
    turns = config.rope_base ** -(torch.arange(half, dtype=torch.float64) / half)
    angles = torch.outer(torch.arange(config.context, dtype=torch.float64), turns)
    return angles.cos().float(), angles.sin().float()


def _unit(x: Tensor) -> Tensor:
    return functional.rms_norm(x, (x.shape[-1],), eps=1e-6)


def _rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    cosine, sine = angles[0].to(x.dtype), angles[1].to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)
