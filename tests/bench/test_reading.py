"""Read, check and count a file, against the way the OpenAI cookbook's notebook does it. A ratio within one run."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lib.dataset.check import check
from lib.dataset.reading import read
from lib.tokens.counting import counter
from lib.tokens.encodings import load
from tests.bench.generated import write_examples

EXAMPLES = 20_000
# Every rule, repeats, secrets and the billed tokens, in no more than this share of the time that the notebook needs for
# its seven rules and its estimate.
MOST = 1.6


def _notebook(path: Path) -> tuple[int, int]:
    """The notebook's steps: parse all, seven checks, tokens of every message and again of the assistant's."""
    encoding = load("o200k_base")
    data = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    errors: Counter[str] = Counter()
    tokens = 0
    for example in data:
        messages: list[dict[str, Any]] = example.get("messages") or []
        for message in messages:
            if "role" not in message or "content" not in message:
                errors["message_missing_key"] += 1
            if any(key not in ("role", "content", "name", "function_call", "weight") for key in message):
                errors["message_unrecognized_key"] += 1
            if message.get("role") not in ("system", "user", "assistant", "function"):
                errors["unrecognized_role"] += 1
            if not isinstance(message.get("content"), str) or not message["content"]:
                errors["missing_content"] += 1
        if not any(message.get("role") == "assistant" for message in messages):
            errors["example_missing_assistant_message"] += 1
    for example in data:
        for message in example["messages"]:
            tokens += 3 + sum(len(encoding.encode(value)) for value in message.values())
            if message["role"] == "assistant":
                len(encoding.encode(message["content"]))
        tokens += 3
    return sum(errors.values()), tokens


@pytest.mark.bench
def test_reading_checking_and_counting_against_the_notebook(tmp_path: Path) -> None:
    path = write_examples(tmp_path / "many.jsonl", EXAMPLES)
    count = counter("o200k_base")
    count("warm")

    begun = time.process_time()
    errors, notebook_tokens = _notebook(path)
    notebook = time.process_time() - begun

    begun = time.process_time()
    reading = read(path, path.name)
    report = check(reading.lines, count=count, limit=65_536, problems=reading.problems)
    ours = time.process_time() - begun

    size = path.stat().st_size / 1e6
    print(
        f"\n{EXAMPLES:,} examples, {size:.1f} MB: notebook {notebook:.2f} CPU s ({size / notebook:.1f} MB/s), "
        f"Etude {ours:.2f} CPU s ({size / ours:.1f} MB/s), ratio {ours / notebook:.2f}"
    )
    assert errors == 0
    assert report.ok
    assert report.examples == EXAMPLES
    # The notebook counts two tokens an example more than is billed.
    assert report.tokens_per_epoch == notebook_tokens - 2 * EXAMPLES
    assert ours / notebook <= MOST
