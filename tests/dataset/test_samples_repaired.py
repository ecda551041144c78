"""The version that the first screen trains on: every flaw that has a repair is gone, and nothing else has changed."""

from __future__ import annotations

import pytest

from lib.dataset import drafts, shelf
from lib.dataset.desk import Desk
from lib.dataset.example import encode
from lib.dataset.samples.repaired import NAME, repaired
from lib.dataset.samples.samples import SAMPLES, Sample
from lib.tokens.batch import batch_counter
from lib.workspace.database import Workspace

# The wrong answers that only a person can put right.
LEFT = {"tone": {"placeholder"}, "extraction": {"answer_not_json"}}
COUNTER = batch_counter("etude_4k")
LIMIT = 2048


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_the_flaws_are_repaired_once_and_the_rest_is_as_it_was(ws: Workspace, sample: Sample) -> None:
    training, held_out = sample.flawed()
    source = b"".join(encode(one) + b"\n" for one in [*training, *held_out])
    validation = range(len(training), len(training) + len(held_out))
    version = shelf.bring_in(ws, source, "sample.jsonl", validation=validation)
    made = repaired(ws, version, COUNTER, LIMIT)
    assert (made.name, made.number, made.training, len(made.validation)) == (NAME, 2, 239, 61)
    found = set(Desk(ws, made, counter=COUNTER).assessed.found(LIMIT)) - {"near_duplicate"}
    assert found == LEFT.get(sample.key, set())
    before = set(shelf.open_lines(ws, version).raws())
    new = [raw for raw in shelf.open_lines(ws, made).raws() if raw not in before]
    assert len(new) == (1 if sample.key in LEFT else 2)
    assert repaired(ws, version, COUNTER, LIMIT) == made
    assert len(shelf.versions(ws, version.dataset_id)) == 2
    assert not drafts.edits(ws, version.id)
