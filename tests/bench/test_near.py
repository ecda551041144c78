"""Near duplicates of a hundred thousand examples, against parsing the same file. Ratios within one run."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.dataset.jsonl import lines_of
from lib.dataset.near.near import NOBODY, THRESHOLD, compare
from lib.dataset.survey.facts import same_of
from tests.bench.generated import REPEATED, write_examples

EXAMPLES = 100_000
# All words cut, hashed and compared, in no more than so many times what the standard library needs to parse the file.
MOST = 4
# An edit costs no more than this share of comparing everything anew.
EDIT = 1 / 100
LEAST_FOUND = 0.95
MOST_BYTES = 150


def _planted(path: Path) -> dict[int, int]:
    """Write the examples again, one in fifty as an earlier one with a word changed; where these are, and of which."""
    lines = path.read_bytes().splitlines()
    draw = random.Random(7)
    planted = {}
    for early in range(0, len(lines) - REPEATED, REPEATED):
        data = json.loads(lines[early])
        entry = draw.choice([entry for entry in data["messages"] if entry["role"] != "system"])
        words = entry["content"].split(" ")
        words[draw.randrange(len(words))] = f"word{early}"
        entry["content"] = " ".join(words)
        late = early + REPEATED // 2
        lines[late] = json.dumps(data).encode()
        planted[late] = early
    path.write_bytes(b"\n".join(lines) + b"\n")
    return planted


@pytest.mark.bench
def test_near_duplicates_against_parsing(tmp_path: Path) -> None:
    path = write_examples(tmp_path / "many.jsonl", EXAMPLES)
    planted = _planted(path)
    lines = lines_of(path)

    begun = time.process_time()
    examples: list[dict[str, Any]] = [json.loads(raw) for raw in lines.raws()]
    parsing = time.process_time() - begun

    same = np.array([same_of(data) for data in examples], np.int64)
    del examples
    begun = time.process_time()
    near = compare(lines, same, np.ones(len(lines), np.bool_))
    ours = time.process_time() - begun

    begun = time.process_time()
    for place in planted.values():
        edited = near.replace([place], lambda position: json.loads(lines.raw(position)))
        if time.process_time() - begun > ours / 10:
            break
    edits = list(planted.values()).index(place) + 1
    edit = (time.process_time() - begun) / edits

    found = sum(near.partner[late] == early for late, early in planted.items())
    size = sum(array.nbytes for array in near.arrays().values()) / EXAMPLES
    print(
        f"\n{EXAMPLES:,} examples, {path.stat().st_size / 1e6:.0f} MB: near duplicates in {ours:.1f} CPU s "
        f"({EXAMPLES / ours:,.0f} examples/s), {ours / parsing:.1f} times json.loads ({parsing:.1f} s); "
        f"{found} of {len(planted)} planted found; {size:.0f} bytes an example; an edit {1000 * edit:.1f} ms"
    )
    assert found >= LEAST_FOUND * len(planted)
    assert np.count_nonzero(near.partner != NOBODY) <= len(planted), "what was not planted is not alike"
    assert near.likeness[near.partner != NOBODY].min() >= THRESHOLD
    assert np.array_equal(edited.partner, near.partner), "an edit that changes nothing"
    assert size <= MOST_BYTES
    assert ours / parsing <= MOST
    assert edit / ours <= EDIT
