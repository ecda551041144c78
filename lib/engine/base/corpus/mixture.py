"""The whole corpus: which tasks there are, how often each comes, and an endless stream of conversations from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from lib.engine.base.corpus import calls, classification, copying, extraction, knowledge, reading
from lib.engine.base.corpus.phrases import Chance
from lib.engine.base.corpus.talk import Conversation

Task = Callable[[Chance], Conversation]
# The share of each task, and the group under which its score is reported.
TASKS: tuple[tuple[str, Task, float], ...] = (
    ("classification", classification.by_topic, 10.0),
    ("classification", classification.by_definition, 6.0),
    ("classification", classification.by_examples, 5.0),
    ("classification", classification.free_topic, 8.0),
    ("classification", classification.word_topic, 3.0),
    ("classification", classification.by_level, 5.0),
    ("classification", classification.several_fields, 9.0),
    ("meaning", classification.same_meaning, 8.0),
    ("extraction", extraction.to_json, 20.0),
    ("extraction", extraction.one_value, 7.0),
    ("extraction", extraction.shown_once, 9.0),
    ("reading", reading.at_a_place, 10.0),
    ("reading", reading.about_people, 4.0),
    ("reading", reading.remembered, 2.0),
    ("copying", copying.repeat, 4.0),
    ("copying", copying.beside, 3.0),
    ("copying", copying.looked_up, 4.0),
    ("copying", copying.choose, 1.5),
    ("copying", copying.arrange, 2.0),
    ("copying", copying.replace, 1.5),
    ("reckoning", copying.reckon, 1.0),
    ("facts", knowledge.fact, 4.0),
    ("style", knowledge.in_a_manner, 6.0),
    ("talk", knowledge.small_talk, 2.0),
    ("letters", knowledge.answer_to_a_letter, 1.5),
    ("letters", knowledge.made_to_order, 1.5),
    ("calls", calls.called, 2.5),
)
# How often several tasks make one long conversation, so that more than a few hundred tokens are seen too.
LONG, LONG_SHARE = "long", 0.02


def conversations(seed: int | str) -> Iterator[tuple[str, Conversation]]:
    """Conversations without end, each with the group of its task. The same seed gives the same ones."""
    random = Random(seed)
    chance = Chance(random)
    shares = [share for _, _, share in TASKS]
    while True:
        if random.random() < LONG_SHARE:
            parts = [task(chance) for _, task, _ in random.choices(TASKS, shares, k=chance.number(3, 6))]
            yield LONG, {"messages": [message for part in parts if "tools" not in part for message in part["messages"]]}
            continue
        group, task, _ = random.choices(TASKS, shares)[0]
        yield group, task(chance)
