"""A tiny encoding and a tiny network, so that training and answering take seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiktoken
import torch

from lib.engine import sealed
from lib.engine.network import Config, Network, save
from lib.engine.template import ARGS, BEGIN, CALL, END, MESSAGE, PAD, START, Template

SPECIALS = (BEGIN, START, MESSAGE, END, CALL, ARGS, PAD)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tensors this small are slower on several threads, and far slower on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_encoding() -> tiktoken.Encoding:
    """A token for each byte, and the special ones of the built-in base after them."""
    return tiktoken.Encoding(
        "tiny",
        pat_str=r"[\s\S]",
        mergeable_ranks={bytes([byte]): byte for byte in range(256)},
        special_tokens={name: 256 + place for place, name in enumerate(SPECIALS)},
    )


@pytest.fixture(scope="session")
def template(tiny_encoding: tiktoken.Encoding) -> Template:
    return Template(tiny_encoding, context=128)


def tiny_network(vocabulary: int = 263, context: int = 128) -> Network:
    """A random network of width 32 with two layers, the same every time."""
    torch.manual_seed(11)
    return Network(Config(vocabulary=vocabulary, width=32, layers=2, heads=2, hidden=48, context=context, taps=3))


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """The tiny network as a sealed folder."""
    folder = tmp_path / "base"
    save(tiny_network(), folder)
    sealed.seal(folder)
    return folder
