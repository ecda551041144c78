"""The built-in network as a model: its weights, and the template and encoding it was pretrained with.

It knows no job, no example and no request.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lib.engine import network
from lib.engine.model import Learning, Memory
from lib.engine.network import Cache, Network
from lib.engine.template import Template
from lib.errors import EngineError
from lib.tokens.counting import counter
from lib.tokens.encodings import load as load_encoding

if TYPE_CHECKING:
    import tiktoken

ENCODING = "etude_4k"
EMBEDDING = "embedding.weight"


class BuiltIn:
    """A built-in network and how it is spoken to. All its weights learn but the embedding.

    Adam moves the rows of all tokens by about the same, however little their gradients say, so a few hundred examples
    spoil the rows of tokens that they do not hold, and with them the copying of words never seen. Without that, and at
    half the rate, more of the values that were to be taken out of a text were right: 81 % instead of 63 %.
    """

    rate = 0.5
    device = torch.device("cpu")

    def __init__(self, network: Network, template: Template) -> None:
        self.network = network
        self.template = template

    @property
    def vocabulary(self) -> int:
        """The number of ids that are scored."""
        return self.network.config.vocabulary

    @property
    def context(self) -> int:
        """The longest sequence in tokens."""
        return self.template.context

    @property
    def bytes_per_token(self) -> int:
        """What a memory of a conversation grows by with each token: a key and a value in each layer, in float32."""
        return self.network.config.layers * self.network.config.width * 2 * 4

    def read(self, tokens: Tensor, cache: Memory | None = None) -> Tensor:
        """Hidden states (rows, length, width) of ids (rows, length), which follow what `cache` remembers."""
        assert cache is None or isinstance(cache, Cache)
        hidden: Tensor = self.network(tokens, cache=cache)
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary (…, vocabulary) for hidden states (…, width)."""
        return self.network.logits(hidden)

    def weights(self) -> dict[str, nn.Parameter]:
        """All weights that learn, by name."""
        return {name: weight for name, weight in self.network.named_parameters() if name != EMBEDDING}

    def save(self, folder: Path) -> None:
        """Write the whole network into `folder`."""
        network.save(self.network, folder)

    def cache(self) -> Cache:
        """An empty memory for one conversation."""
        return Cache(self.network.config)


def load(
    folder: Path,
    learning: Learning | None = None,
    context: int | None = None,
    encoding: tiktoken.Encoding | None = None,
) -> BuiltIn:
    """The built-in network in `folder`, to answer, or to learn as `learning` says.

    Raises EngineError when it is damaged, does not know the encoding, or is shorter than the context that is asked for.
    """
    encoding = encoding or load_encoding(ENCODING)
    made = network.load(folder)
    if learning:
        made.embedding.weight.requires_grad_(False)
    if learning and learning.weights == "lora":
        raise EngineError(
            "The built-in model learns with all its weights: it is so small that an adapter would save nothing.",
            'Leave "weights" out, or say "full".',
        )
    context = context or (learning.context if learning else None) or made.config.context
    if made.config.vocabulary < encoding.n_vocab or made.config.context < context:
        raise EngineError(f"The model {folder.name} does not fit the encoding {encoding.name} or {context} tokens.")
    count = counter(encoding.name) if encoding.name == ENCODING else None
    return BuiltIn(made.train(learning is not None), Template(encoding, context, count, made.config.vocabulary))
