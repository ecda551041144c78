"""How a run is said: status, name, durations and moments in plain words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from lib.runs.book import Run
from lib.runs.metrics import Progress
from lib.ui.runs_words import STATUSES, clock, duration, how_far, name, status

NOW = datetime(2026, 11, 21, 14, 2, 11).timestamp()


def run(word: str = "running", **job: Any) -> Run:
    finished = NOW if word in ("succeeded", "failed", "cancelled") else None
    return Run("run_1", "openai", "ftjob-1", None, "gpt-4.1", word, job, None, NOW - 100, finished, NOW, None)


def progress(step: int = 84, total: int | None = 180, left: float | None = 41.0) -> Progress:
    return Progress(step, total, 2.8 if total else None, 6, None, 100.0, left)


@pytest.mark.parametrize("word", [*STATUSES, "canceled"])
def test_every_status_of_the_protocol_has_a_word_and_a_meaning(word: str) -> None:
    said = status(word)
    assert said.word != word
    assert said.meaning.endswith(".")


@pytest.mark.parametrize("word", ["distilling", ""])
def test_an_unknown_status_is_shown_and_not_taken_for_a_failure(word: str) -> None:
    said = status(word)
    assert said.word == (word or "Unknown")
    assert said.colour != "red"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (900, "15 min"),
        (3599, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_a_moment_has_its_day_only_when_it_is_another() -> None:
    assert clock(NOW, NOW) == "14:02:11"
    assert clock(NOW - 86_400, NOW) == "20 Nov 14:02"
    assert clock(NOW - 400 * 86_400, NOW) == "17 Oct 2025"


def test_a_live_run_says_step_epoch_time_left_and_when_it_was_heard() -> None:
    assert how_far(progress(), run(), NOW) == "Step 84 of 180 · epoch 2.8 of 6 · about 41 s left · heard 14:02:11"
    assert how_far(progress(), run(), NOW, brief=True) == "Step 84 of 180 · about 41 s left"


def test_what_is_not_known_is_left_out_and_never_invented() -> None:
    assert how_far(progress(0, None, None), run("queued"), NOW) == "No step yet · heard 14:02:11"
    assert how_far(progress(3, None, None), run(), NOW) == "Step 3 · heard 14:02:11"


def test_an_ended_run_says_how_long_it_took() -> None:
    assert how_far(progress(180), run("succeeded"), NOW) == "180 steps in 1 min 40 s · ended 14:02:11"
    assert how_far(progress(0), run("failed"), NOW, brief=True) == "No step in 1 min 40 s"


def test_the_suffix_is_part_of_the_name_when_it_is_a_text() -> None:
    assert name(run(suffix="routing")) == "gpt-4.1 · routing"
    assert name(run(user_provided_suffix="tone")) == "gpt-4.1 · tone"
    assert name(run(suffix=None)) == name(run(suffix=["x"])) == "gpt-4.1"
