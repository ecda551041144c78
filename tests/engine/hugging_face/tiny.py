"""Random models of two families with a tokenizer trained on the spot, as whole folders. No network is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# As Qwen's: tools first, calls between marks, and in an answer thoughts that only the last answer keeps.
QWEN = (
    "{% if tools %}{{ '<|im_start|>system\n# Tools' }}{% for t in tools %}{{ '\n' + (t | tojson) }}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' %}{% if loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}{{ '<tool_call>\n' + (c.function | tojson) + '\n</tool_call>' }}{% endfor %}"
    "{% else %}{{ m.content }}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
# As Llama 3's: the text begins with a token of its own, contents are trimmed, and answers are marked.
LLAMA = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start|>' + m.role + '<|end_start|>\n\n' }}"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content | trim + '<|eot|>' }}{% endgeneration %}"
    "{% else %}{{ m.content | trim + '<|eot|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant<|end_start|>\n\n' }}{% endif %}"
)
TEXT = ["user assistant system tool", "What is the light? It is red, so stop. Green: walk. Amber: wait.", "0123456789"]


def tokenizer(template: str | None = CHATML, specials: tuple[str, ...] = ("<|im_start|>", "<|im_end|>")) -> Any:
    """A byte-level tokenizer of some three hundred tokens; the last special one ends a text."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|bos|>", *specials],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(TEXT, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<|bos|>", eos_token=specials[-1], additional_special_tokens=list(specials)
    )
    if template == QWEN:
        fast.add_tokens(["<tool_call>", "</tool_call>", "<think>", "</think>"])
    fast.chat_template = template
    return fast


def save(folder: Path, family: str = "qwen", template: str | None = CHATML, seed: int = 3, **sizes: Any) -> Path:
    """A random model of width 32 with two layers as a whole folder, the same every time."""
    specials = ("<|start|>", "<|end_start|>", "<|eot|>") if template == LLAMA else ("<|im_start|>", "<|im_end|>")
    made = tokenizer(template, specials)
    measures = {
        "vocab_size": 320,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 160,
        # With the usual 0.02 a width of 32 could score nothing high, whatever its adapters learn.
        "initializer_range": 0.2,
        "eos_token_id": made.eos_token_id,
        "bos_token_id": made.bos_token_id,
    } | sizes
    torch.manual_seed(seed)
    network: Any = (
        Qwen2ForCausalLM(Qwen2Config(**measures, tie_word_embeddings=True))
        if family == "qwen"
        else LlamaForCausalLM(LlamaConfig(**measures, attention_dropout=0.2))
    )
    network.save_pretrained(folder)
    made.save_pretrained(folder)
    return folder
