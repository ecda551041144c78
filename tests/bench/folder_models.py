"""Folder models with random weights, and examples of mixed or uniform lengths: what both trainers are given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.engine.hugging_face import tiny

# What the assistant says is marked, the end of its turn included, so that TRL trains on the same tokens as Etude.
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CONTEXT = 1024
WORDS = ("red", "green", "walk", "stop", "light", "wait", "the", "is")
# Words of a question: chats have many short and a few long ones, here from 6 to 200 with half of them under 32.
MEDIAN, SPREAD, LEAST, MOST = 32, 0.9, 6, 200
UNIFORM = 48

Kind = Literal["mixed", "uniform"]


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a model."""

    width: int
    inner: int
    layers: int
    heads: int
    vocabulary: int


SIZES = {"7M": Size(256, 704, 6, 4, 4096), "42M": Size(512, 1408, 8, 8, 16384)}


def save(folder: Path, size: Size) -> Path:
    """A Llama-style model with random weights as a folder, the same every time.

    Without dropout, since Etude trains without and TRL would train with what the config says.
    """
    tokenizer = tiny.tokenizer(TEMPLATE)
    torch.manual_seed(1)
    network: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size.vocabulary,
            hidden_size=size.width,
            intermediate_size=size.inner,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.heads,
            max_position_embeddings=CONTEXT,
            attention_dropout=0.0,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=tokenizer.bos_token_id,
        )
    )
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def examples(kind: Kind, count: int, seed: int) -> list[dict[str, Any]]:
    """Questions of random words, whose answers repeat the first third of them."""
    random = np.random.default_rng(seed)
    lengths = np.full(count, UNIFORM)
    if kind == "mixed":
        lengths = np.clip(random.lognormal(np.log(MEDIAN), SPREAD, count).round(), LEAST, MOST).astype(np.int64)
    made = []
    for length in lengths.tolist():
        words = random.choice(WORDS, length).tolist()
        said = (("user", words), ("assistant", words[: -(-length // 3)]))
        made.append({"messages": [{"role": role, "content": " ".join(told)} for role, told in said]})
    return made
