"""A survey by two processes is the survey by one; whatever happens to the second, no line is left out."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.dataset.jsonl import Lines, lines_of, write
from lib.dataset.survey import second_reader as module
from lib.dataset.survey.second_reader import SecondReader, second_reader
from lib.dataset.survey.survey import BLOCK, Survey, survey
from lib.tokens.batch import batch_counter
from tests.dataset.conversations import chat

COUNTER = batch_counter("etude_4k")


@pytest.fixture(scope="module")
def second() -> Iterator[SecondReader]:
    with SecondReader(COUNTER.name) as made:
        yield made


def mixed(number: int) -> Any:
    """An example of one kind or another: labels, systems, findings, lines that are none."""
    if number % 97 == 5:
        return b"{broken"
    if number % 89 == 3:
        return [number]
    team = ("billing", "repairs", "sales")[number % 3]
    answer = json.dumps({"team": team, "note": f"{number}"}) if number % 4 else team
    text = "mail ann@acme.io" if number % 31 == 1 else f"ticket {number % 700}"
    example = chat(text, answer, system=f"Route {number % 5}.")
    return {**example, "extra": 1} if number % 41 == 7 else example


def file_of(path: Path, examples: int, make: Any = mixed) -> Lines:
    lines = (make(number) for number in range(examples))
    write((line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines), path)
    return lines_of(path)


def assert_the_same(one: Survey, other: Survey) -> None:
    assert one.found.keys() == other.found.keys()
    assert all(one.found[code].tolist() == other.found[code].tolist() for code in one.found)
    for name, held in one.columns.arrays().items():
        assert held.tolist() == other.columns.arrays()[name].tolist(), name
    assert one.labels.keys() == other.labels.keys()
    for name, labels in one.labels.items():
        assert (labels.names, labels.ids.tolist()) == (other.labels[name].names, other.labels[name].ids.tolist())
    assert (one.problems, one.totals, one.systems) == (other.problems, other.totals, other.systems)
    assert list(one.lines.raws()) == list(other.lines.raws())


def test_two_processes_find_what_one_finds(tmp_path: Path, second: SecondReader) -> None:
    lines = file_of(tmp_path / "a.jsonl", 5 * BLOCK)
    spent = second.cpu_seconds
    alone = survey(lines, counter=COUNTER)
    assert alone.totals["invalid_json"] > 100
    assert set(alone.labels) == {"", "team"}
    assert_the_same(alone, survey(lines, counter=COUNTER, second=second))
    assert second.cpu_seconds > spent, "the second process must have had a share"


def test_fields_that_only_a_later_part_knows_are_no_labels_too_many(tmp_path: Path, second: SecondReader) -> None:
    """The first eight fields count; a part that has more of its own than it can keep is gone through again."""

    def wide(number: int) -> Any:
        late = number > 4 * BLOCK
        answer = {f"late{field}": "x" for field in range(40)} if late else {"a": "1", "b": "2"}
        return chat(str(number), json.dumps(answer | ({"a": "3"} if late else {})))

    lines = file_of(tmp_path / "wide.jsonl", 5 * BLOCK, wide)
    alone = survey(lines)
    with SecondReader(None) as other:
        assert_the_same(alone, survey(lines, second=other))
    assert alone.labels["a"].names == ("1", "3")


def test_a_second_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    lines = file_of(tmp_path / "a.jsonl", 5 * BLOCK)
    with SecondReader(COUNTER.name) as doomed:
        killed: list[int] = []

        def kill(_: int) -> None:
            if not killed:
                killed.append(doomed._process.pid)
                os.kill(doomed._process.pid, signal.SIGKILL)

        found = survey(lines, counter=COUNTER, second=doomed, progress=kill)
    assert killed
    assert_the_same(survey(lines, counter=COUNTER), found)


def test_a_file_that_another_one_replaced_is_read_here_alone(tmp_path: Path, second: SecondReader) -> None:
    path = tmp_path / "a.jsonl"
    lines = file_of(path, 3 * BLOCK)
    file_of(tmp_path / "other.jsonl", 3 * BLOCK, lambda number: chat("?", "another file"))
    (tmp_path / "other.jsonl").replace(path)
    assert_the_same(survey(lines, counter=COUNTER), survey(lines, counter=COUNTER, second=second))


def test_stopping_ends_both(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(_: int) -> None:
        raise Stop

    lines = file_of(tmp_path / "a.jsonl", 5 * BLOCK)
    with SecondReader(COUNTER.name) as ended:
        with pytest.raises(Stop):
            survey(lines, counter=COUNTER, second=ended, progress=stop)
        assert ended._process.wait(timeout=20) == -signal.SIGKILL


def test_progress_counts_the_lines_of_both(tmp_path: Path, second: SecondReader) -> None:
    lines = file_of(tmp_path / "a.jsonl", 5 * BLOCK)
    told: list[int] = []
    survey(lines, counter=COUNTER, second=second, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(lines)
    assert len(told) < 5


def test_lines_in_memory_and_another_encoding_are_for_one_process(second: SecondReader) -> None:
    spent = second.cpu_seconds
    lines = Lines.of([json.dumps(chat("a", "b")).encode()] * 2 * BLOCK)
    assert len(survey(lines, counter=COUNTER, second=second).columns) == 2 * BLOCK
    assert len(survey(lines, second=second).columns) == 2 * BLOCK
    assert second.cpu_seconds == spent


def test_a_small_file_is_not_worth_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with second_reader(module.LEAST_BYTES - 1, None) as none:
        assert none is None
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with second_reader(module.LEAST_BYTES, None) as none:
        assert none is None


def test_it_ends_with_the_process_that_began_it() -> None:
    reader = SecondReader(None)
    reader._talk.close()
    deadline = time.monotonic() + 30
    while reader._process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert reader._process.returncode == 0


def test_keys_of_services_stay_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with SecondReader(None) as reader:
        environ = Path(f"/proc/{reader._process.pid}/environ")
        if not environ.exists():
            pytest.skip("This system does not show the environment of a process.")
        assert b"canary" not in environ.read_bytes()
