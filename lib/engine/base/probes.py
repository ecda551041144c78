"""How much of the made tasks a network answers exactly, on conversations that no training block holds."""

from __future__ import annotations

from collections import Counter

import torch

from lib.engine.base.corpus.mixture import TASKS, conversations
from lib.engine.network import Cache, Network
from lib.engine.template import Template

SEED = "unseen"
LONGEST_ANSWER = 120


@torch.no_grad()
def say(network: Network, template: Template, prompt: list[int]) -> list[int]:
    """The likeliest continuation of a prompt up to the end of the message."""
    cache = Cache(network.config)
    said: list[int] = []
    hidden = network(torch.tensor([prompt]), cache=cache)
    while len(said) < LONGEST_ANSWER:
        token = int(network.logits(hidden[0, -1]).argmax())
        if token == template.end:
            break
        said.append(token)
        hidden = network(torch.tensor([[token]]), cache=cache)
    return said


def scores(network: Network, template: Template, count: int) -> dict[str, float]:
    """For each group of tasks the share of `count` conversations whose last answer is given exactly, greedily."""
    right: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    groups = {group for group, _, _ in TASKS}
    stream = conversations(SEED)
    while any(tried[group] < count for group in groups):
        group, data = next(stream)
        if tried[group] == count:
            continue
        messages = data["messages"]
        last = max(at for at, message in enumerate(messages) if message["role"] == "assistant")
        whole = template.example({**data, "messages": messages[: last + 1]}).ids
        prompt = template.prompt(messages[:last], data.get("tools"))
        tried[group] += 1
        right[group] += say(network, template, prompt) == whole[len(prompt) : -1]
    return {group: right[group] / count for group in sorted(groups)}
