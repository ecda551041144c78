"""Read, check and count files, against the way the OpenAI cookbook's notebook does it. Ratios within one run."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lib.dataset.check import Report, check
from lib.dataset.jsonl import lines_of
from lib.dataset.reading import read
from lib.dataset.survey.second_reader import SecondReader, second_reader
from lib.dataset.survey.survey import survey
from lib.tokens.batch import BatchCounter, batch_counter
from lib.tokens.encodings import load
from tests.bench.generated import write_examples

WARM = 20_000
SIZES = (1_000, 10_000, 100_000)
HELD_AT = 100_000
# How many times as fast as the notebook a check of 100,000 examples is: in time on a clock with two cores, and in time
# that the processor spends, the second process included.
LEAST_FASTER, LEAST_FASTER_CPU = 8.0, 4.5
MANY = 1_000_000
MOST_MEMORY = 3.0


def notebook(path: Path) -> tuple[int, int]:
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


def timed(work: Callable[[], Any], second: SecondReader | None = None) -> tuple[Any, float, float]:
    """What the work gives, its seconds on the clock and those of the processor, the second reader's included."""
    begun, spent = time.perf_counter(), time.process_time() + (second.cpu_seconds if second else 0.0)
    made = work()
    ended = time.process_time() + (second.cpu_seconds if second else 0.0)
    return made, time.perf_counter() - begun, ended - spent


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_reading_checking_and_counting_against_the_notebook(tmp_path: Path) -> None:
    counter = batch_counter("o200k_base")
    counter.counts(["warm"], [b"warm"])
    faster: dict[int, tuple[float, float]] = {}
    print()
    for examples in SIZES:
        path = write_examples(tmp_path / f"{examples}.jsonl", examples)
        with second_reader(path.stat().st_size, counter.name) as second:
            if second is not None:
                # Both processes have loaded their encoding and gone through other texts before, as this one has.
                warm = lines_of(write_examples(tmp_path / "warm.jsonl", WARM, seed=11))
                for _ in range(2):
                    survey(warm, counter=counter, second=second)
            report, clock, cpu = measured(path, counter, second)
        (errors, tokens), clock_there, cpu_there = timed(lambda path=path: notebook(path))
        size = path.stat().st_size / 1e6
        faster[examples] = clock_there / clock, cpu_there / cpu
        print(
            f"{examples:>9,} examples, {size:7.1f} MB: notebook {clock_there:6.2f} s ({size / clock_there:4.1f} MB/s), "
            f"Etude {clock:5.2f} s ({size / clock:5.1f} MB/s, {cpu:5.2f} s CPU): {clock_there / clock:4.1f} times as "
            f"fast, {cpu_there / cpu:4.1f} times in CPU time"
        )
        assert errors == 0
        assert (report.ok, report.examples) == (True, examples)
        # The notebook counts two tokens an example more than is billed.
        assert report.tokens_per_epoch == tokens - 2 * examples
    assert faster[HELD_AT][0] >= LEAST_FASTER
    assert faster[HELD_AT][1] >= LEAST_FASTER_CPU


def measured(path: Path, counter: BatchCounter, second: SecondReader | None) -> tuple[Report, float, float]:
    """The report on a file, and what it took."""
    return timed(
        lambda: check(read(path, path.name).lines, counter=counter, limit=65_536, near=False, second=second), second
    )


def survey_in_this_process(path: str) -> None:
    """Survey a file and print seconds, examples, tokens and the most memory this process ever had, in bytes."""
    begun = time.perf_counter()
    found = survey(lines_of(Path(path)), counter=batch_counter("o200k_base"))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps([time.perf_counter() - begun, len(found.columns), int(found.columns.tokens.sum()), most]))


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_memory_is_bounded_by_the_files_size(tmp_path: Path) -> None:
    path = write_examples(tmp_path / "many.jsonl", MANY)
    code = f"from tests.bench.test_reading import survey_in_this_process; survey_in_this_process({str(path)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, examples, tokens, most = json.loads(done.stdout)
    size = path.stat().st_size
    print(
        f"\n{examples:,} examples, {size / 1e6:,.0f} MB: {seconds:.1f} s ({size / 1e6 / seconds:.1f} MB/s), "
        f"{tokens:,} tokens; {most / 1e6:,.0f} MB of memory at most, mapped file included: {most / size:.2f} times it"
    )
    assert examples == MANY
    assert most <= MOST_MEMORY * size
