"""From a folder to a model that answers or learns: what is examined, what memory is asked for, what is made.

It knows the parts and their order, and nothing of what is in them.
"""

from __future__ import annotations

from pathlib import Path

from lib.engine.hugging_face import offline  # noqa: F401

# isort: split
import torch

from lib.engine import sealed
from lib.engine.hugging_face import adapter, base, device, memory
from lib.engine.hugging_face.chat import Chat
from lib.engine.hugging_face.device import Device
from lib.engine.hugging_face.folder import ModelFolder, examine
from lib.engine.hugging_face.language_model import LanguageModel, Shared
from lib.engine.model import Learned, Learning
from lib.errors import EngineError


def fits(folder: Path) -> bool:
    """Whether there is memory for the base model in `folder` to answer. Raises EngineError for a folder without one."""
    found = examine(folder)
    place = device.best(found.parameters)
    return _to_answer(found, place) <= place.free_bytes()


def share(folder: Path) -> Shared:
    """The base model in `folder`, ready to answer alone or with adapters. Raises EngineError for one that cannot."""
    found = _examined(folder)
    place = device.best(found.parameters)
    memory.refuse_what_does_not_fit(found, "answer", _to_answer(found, place), place.free_bytes(), _where(place))
    made = base.load(found, place)
    made.network.requires_grad_(False)
    return Shared(made, _chat(made, None), adapter.mark_of(found))


def learner(folder: Path, learning: Learning) -> LanguageModel:
    """The model in `folder`, a base or an adapter, that learns as `learning` says; an adapter if it says nothing.

    A fine-tune goes on from what it is: an adapter from its matrices, and one that is to learn with all weights is
    first made part of them. Raises EngineError before anything is loaded when the memory is not there.
    """
    kept = adapter.find(folder) if adapter.is_adapter(folder) else None
    found = _examined(kept.base if kept else folder)
    mark = adapter.check_base(kept, found) if kept else adapter.mark_of(found)
    learns: Learned = learning.weights or "lora"
    place = device.best(found.parameters)
    sparing = _makes_room(found, learns, learning, place)
    made = base.load(found, place, numbers=torch.float32 if learns == "full" else None)
    shared = Shared(made, _chat(made, learning.context), mark)
    if kept:
        shared.peft = adapter.attach(made.network, kept, learns=learns == "lora")
    elif learns == "lora":
        shared.peft = adapter.begin(made.network, learning.seed)
    if learns == "full":
        if shared.peft is not None:
            shared.peft.merge_and_unload()
            shared.peft = None
        made.network.requires_grad_(True)
    if sparing:
        made.network.activation_checkpointing_enable({"use_reentrant": False})
    made.network.train(sparing)
    return LanguageModel(shared, learns=learns)


def _examined(folder: Path) -> ModelFolder:
    """A folder that was found good; one that a training made must also be as it was sealed."""
    if (folder / sealed.MANIFEST_FILE).exists():
        sealed.check(folder)
    return examine(folder)


def _to_answer(found: ModelFolder, place: Device) -> int:
    context = memory.context_of(found)
    return memory.needed(found, "answer", context, bytes_per_number=place.bytes_per_number).total


def _makes_room(found: ModelFolder, learns: Learned, learning: Learning, place: Device) -> bool:
    """Whether layers must be computed twice to fit. Raises EngineError, with the figures, when even that does not."""
    context = memory.context_of(found, learning.context)
    free = place.free_bytes()
    whole, sparing = (
        memory.needed(
            found,
            learns,
            context,
            bytes_per_number=place.bytes_per_number,
            sparing=sparing,
            tokens_at_once=learning.tokens_at_once,
        ).total
        for sparing in (False, True)
    )
    if whole <= free:
        return False
    memory.refuse_what_does_not_fit(found, learns, sparing, free, _where(place))
    return True


def _chat(made: base.Base, asked: int | None) -> Chat:
    """The template, with the shortest of the contexts that the model, the tokenizer, the job and Etude have."""
    ends = made.network.generation_config.eos_token_id if made.network.generation_config else None
    context = memory.context_of(made.found, asked)
    limit = made.tokenizer.model_max_length
    if isinstance(limit, int) and limit > 1:
        context = min(context, limit)
    output = made.network.get_output_embeddings()
    if output is None:
        raise EngineError(f"The model {made.found.path.name} scores no tokens.", "Choose a causal language model.")
    vocabulary = int(output.weight.shape[0])
    listed = ends if isinstance(ends, list) else [ends]
    return Chat(made.tokenizer, context, vocabulary, (end for end in listed if isinstance(end, int)))


def _where(place: Device) -> str:
    return {"cuda": "the graphics processor's memory", "mps": "memory"}.get(place.device.type, "memory")
