"""The figures of the example data sets: what they count as right, and what they say a training took."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lib.dataset.samples.samples import SAMPLES, Sample, find
from lib.engine import sealed
from lib.engine.network import Config, Network, load, save
from lib.engine.template import Template
from lib.errors import EngineError
from lib.tokens.encodings import load as load_encoding
from tests.bench import figures

SMALL = Config(width=32, layers=1, heads=2, hidden=48, taps=3)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A random network that knows the built-in base's tokens."""
    torch.manual_seed(4)
    save(Network(SMALL), tmp_path / "base")
    sealed.seal(tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_all_is_right_when_the_right_answers_are_given_and_nothing_when_they_are_another_questions(
    sample: Sample, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, held_out = sample.make()
    template = Template(load_encoding(figures.ENCODING), SMALL.context)
    answers = {
        tuple(template.prompt(example["messages"][:2], None)): example["messages"][2]["content"] for example in held_out
    }
    monkeypatch.setattr(
        figures, "say", lambda network, template, prompt: template.encoding.encode_ordinary(answers[tuple(prompt)])
    )
    shares = figures.asked(base, held_out, sample)
    assert set(shares.values()) == {1.0}
    assert ("fields" in shares) == (sample.key != "tone")
    monkeypatch.setattr(figures, "say", lambda network, template, prompt: template.encoding.encode_ordinary("No idea."))
    assert set(figures.asked(base, held_out, sample).values()) == {0.0}


def test_a_training_for_the_figures_is_a_job_on_auto(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = find("tone")
    few = sample.make()[0][:20], sample.make()[1]
    short = Sample("few", "Few", "", lambda: few, sample.in_other_words, sample.spoil, sample.mark)
    trained = figures.train(short, base, tmp_path / "job", seed=5)
    job = json.loads((tmp_path / "job" / "job.json").read_bytes())
    assert (job["seed"], job["n_epochs"], job["batch_size"], job["learning_rate_multiplier"]) == (5, 5, 1, 1.0)
    assert load(trained.folder).config == SMALL
    assert 0 < trained.cpu_seconds < 600
    assert 50 < trained.megabytes < 4000


def test_a_training_that_fails_gives_no_figures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="House tone"):
        figures.train(find("tone"), tmp_path / "empty", tmp_path / "job", seed=1)
