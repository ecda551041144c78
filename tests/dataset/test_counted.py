from __future__ import annotations

import pytest

from lib.dataset import shelf
from lib.dataset.counted import count, counted, epoch
from lib.tokens.batch import batch_counter
from lib.tokens.billing import example_tokens
from lib.workspace.database import Workspace
from tests.dataset.conversations import chat, lines_of, many

COUNTER = batch_counter("o200k_base")


def test_what_was_not_counted_is_not_known_and_then_it_is(ws: Workspace) -> None:
    examples = [chat("a " * 50, "b"), *many(19)]
    version = shelf.bring_in(ws, lines_of(examples), "a.jsonl", validation=[1, 2])
    assert counted(ws, version, COUNTER.name) is None
    heard: list[int] = []
    made = count(ws, version, COUNTER, heard.append)
    assert heard[-1] == 20
    again = counted(ws, version, COUNTER.name)
    assert again is not None
    assert again.tolist() == made.tolist() == [example_tokens(one, COUNTER.count) for one in examples]
    assert counted(ws, version, "cl100k_base") is None


@pytest.mark.parametrize("limit", [None, 20])
def test_an_epoch_bills_training_alone(ws: Workspace, limit: int | None) -> None:
    examples = [chat("a " * 50, "b"), *many(19)]
    version = shelf.bring_in(ws, lines_of(examples), "a.jsonl", validation=[1, 2])
    training = [one for place, one in enumerate(examples) if place not in (1, 2)]
    expected = sum(example_tokens(one, COUNTER.count, limit) for one in training)
    assert epoch(version, count(ws, version, COUNTER), limit) == expected
