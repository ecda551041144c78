"""Preference training: the loss is DPO's, measured from the starting weights, over answers alone; and it learns."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiktoken
import torch

from lib.engine import weights
from lib.engine.built_in import BuiltIn
from lib.engine.network import load
from lib.engine.template import Rendered, Template
from lib.engine.train.corpus import Corpus, pack
from lib.engine.train.corpus import load as load_corpus
from lib.engine.train.job import Job
from lib.engine.train.measuring import Measuring
from lib.engine.train.preference import Preference, pair
from lib.engine.train.stop import Stop, Stopped
from lib.engine.train.together import Together
from lib.errors import DataError
from tests.engine.train.conftest import Train
from tests.engine.train.training import steps, told

Pairs = Callable[..., Corpus]

BETA = 0.3
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def preference_job(job: Job) -> Job:
    return replace(job, method="dpo", beta=BETA, learning_rate_multiplier=10.0)


@pytest.fixture
def model(template: Template, model_folder: Path) -> BuiltIn:
    return BuiltIn(load(model_folder), template)


def known(model: BuiltIn, corpus: Corpus, folder: Path) -> Preference:
    objective = Preference(model, corpus, BETA)
    objective.know(
        Measuring(model, Together(model.device), Stop(folder)).rows(objective, objective.first_rows(np.arange(0)))
    )
    return objective


def log_probability(model: BuiltIn, row: Rendered) -> torch.Tensor:
    ids = torch.tensor(row.ids)
    scores = model.logits(model.read(ids[None, :-1]))[0].log_softmax(dim=-1)
    said = scores.gather(1, ids[1:, None])[:, 0]
    return said[torch.tensor(row.trained)[1:]].sum()


def move(model: BuiltIn) -> None:
    torch.manual_seed(4)
    with torch.no_grad():
        for weight in model.weights().values():
            weight += 0.02 * torch.randn_like(weight)


def data(**changes: Any) -> dict[str, Any]:
    return {
        "input": {"messages": [{"role": "user", "content": "Hm?"}]},
        "preferred_output": [{"role": "assistant", "content": "Yes, of course."}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
        **changes,
    }


def test_loss_margins_and_gradient_are_those_of_the_formula(model: BuiltIn, template: Template, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rows = [
        row
        for number in range(7)
        for row in pair(
            data(
                input={"messages": [{"role": "user", "content": "?" * int(random.integers(1, 40))}]},
                preferred_output=[{"role": "assistant", "content": "y" * int(random.integers(1, 30))}],
                non_preferred_output=[{"role": "assistant", "content": f"n{number}"}],
            ),
            template,
        )[0]
    ]
    objective = known(model, pack(rows), tmp_path)
    with torch.no_grad():
        reference = [log_probability(model, row) for row in rows]
    move(model)
    losses, scored = objective.score(np.arange(7))
    torch.autograd.backward(losses.sum())
    gradient = model.network.embedding.weight.grad
    assert gradient is not None
    together = gradient.clone()
    model.network.zero_grad()
    gained = [log_probability(model, row) - before for row, before in zip(rows, reference, strict=True)]
    margins = torch.stack([BETA * (gained[at] - gained[at + 1]) for at in range(0, 14, 2)])
    expected = -torch.nn.functional.logsigmoid(margins)
    torch.autograd.backward(expected.sum())
    assert torch.allclose(losses, expected, atol=1e-5)
    assert torch.allclose(together, model.network.embedding.weight.grad, atol=1e-5)
    metrics = scored.metrics("train")
    assert metrics["train_loss"] == pytest.approx(float(expected.detach().mean()), abs=1e-5)
    assert metrics["train_rewards_margin"] == pytest.approx(float(margins.detach().mean()), abs=1e-5)
    assert metrics["train_rewards_accuracy"] == pytest.approx(float((margins > 0).float().mean()))


def test_token_accuracy_is_that_of_the_preferred_answers(model: BuiltIn, pairs: Pairs, tmp_path: Path) -> None:
    corpus = pairs(5)
    objective = known(model, corpus, tmp_path)
    total = objective.score(np.arange(5))[1].sums["mean_token_accuracy"]
    assert total[1] == sum(corpus.trained_tokens[0::2])


def test_scores_do_not_depend_on_how_pairs_are_grouped(model: BuiltIn, pairs: Pairs, tmp_path: Path) -> None:
    objective = known(model, pairs(9), tmp_path)
    move(model)
    with torch.no_grad():
        together = objective.score(np.arange(9))[0]
        alone = [float(objective.score(np.array([one]))[0]) for one in range(9)]
    assert together.tolist() == pytest.approx(alone, abs=1e-5)
    small = Preference(model, pairs(9), BETA, tokens_at_once=60)
    groups = list(small.runs(np.arange(9)))
    assert sorted(int(one) for group in groups for one in group) == list(range(9))
    assert all(len(group) == 1 or small.lengths[group].sum() <= 60 for group in groups)
    assert len(groups) > 1


def test_only_the_answers_are_learned_whatever_stands_in_the_input(tiny_encoding: tiktoken.Encoding) -> None:
    template = Template(tiny_encoding, context=512)
    asked = [
        {"role": "user", "content": "Hm?"},
        {"role": "assistant", "content": "earlier", "weight": 1},
        {"role": "user", "content": "And?"},
    ]
    held = data(input={"messages": asked, "tools": [TOOL]}, preferred_output=[{"role": "assistant", "content": "Yes."}])
    rows, billed = pair(held, template)
    encoding = template.encoding
    for row, answer in zip(rows, ("Yes.", "No."), strict=True):
        learned = [one for one, is_trained in zip(row.ids, row.trained, strict=True) if is_trained]
        assert encoding.decode(learned) == f"{answer}<|end|>"
        prompt = template.prompt(asked, [TOOL])
        assert row.ids[: len(prompt)] == prompt[: len(row.ids)]
        assert row.ids[len(prompt) :] == learned
    assert billed == template.billed(held, rows[0])


def test_the_names_of_the_specification_are_read_too(template: Template) -> None:
    held = data()
    held["preferred_completion"] = held.pop("preferred_output")
    held["non_preferred_completion"] = held.pop("non_preferred_output")
    assert pair(held, template) == pair(data(), template)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"messages": []}', "Example 1: A preference pair lacks its input"),
        ('{"input": {"messages": []}, "preferred_output": []}', "lacks its non_preferred_output"),
        ('{"input": {"messages": []}, "preferred_output": [1], "non_preferred_output": []}', "lacks its preferred"),
    ],
)
def test_a_line_that_is_no_pair_is_told_in_a_sentence(
    tmp_path: Path, template: Template, line: str, words: str
) -> None:
    (tmp_path / "data.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        load_corpus(tmp_path / "data.jsonl", pair, template, lambda: None)


def test_a_pair_whose_answers_are_cut_off_teaches_nothing(model: BuiltIn, template: Template, tmp_path: Path) -> None:
    long = data(input={"messages": [{"role": "user", "content": "x" * 500}]})
    corpus = pack([*pair(long, template)[0], *pair(data(), template)[0]])
    objective = known(model, corpus, tmp_path)
    assert objective.counts.tolist() == [0, 1]
    losses, scored = objective.score(np.arange(2))
    assert float(losses[0].detach()) == 0.0
    assert scored.sums["loss"][1] == 1
    assert np.isnan(objective.before(np.arange(2))).tolist() == [True, False]


def test_it_comes_to_prefer_and_tells_how_much(
    preference_job: Job, train: Train, pairs: Pairs, template: Template
) -> None:
    events = train(replace(preference_job, n_epochs=6), validation=pairs(9))
    curve = steps(events)
    assert curve[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert curve[0]["train_rewards_margin"] == pytest.approx(0.0, abs=1e-4)
    last = curve[-1]
    assert last["full_valid_loss"] < 0.5 * math.log(2)
    assert last["full_valid_rewards_accuracy"] == 1.0
    assert last["full_valid_rewards_margin"] > 1.0
    assert 0 <= last["train_mean_token_accuracy"] <= 1
    assert {"valid_loss", "valid_rewards_accuracy", "valid_rewards_margin"} <= last.keys()
    checkpoint = [event for event in events if event["kind"] == "checkpoint"][-1]
    assert checkpoint["full_valid_rewards_accuracy"] == 1.0
    assert events[-1]["trained_tokens"] == 600


def test_losses_of_pairs_begin_where_nothing_is_preferred(preference_job: Job, train: Train) -> None:
    train(preference_job)
    with (preference_job.folder / "example_losses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert {row["loss_before"] for row in rows} == {f"{math.log(2):.6f}"}
    assert all(float(row["loss_after"]) < math.log(2) for row in rows)


def test_stopped_again_and_again_it_measures_from_the_starting_weights_still(
    preference_job: Job, train: Train, pairs: Pairs, tmp_path: Path
) -> None:
    whole = train(replace(preference_job, folder=tmp_path / "whole"), validation=pairs(9))
    stops = 0
    while "done" not in {event["kind"] for event in told(preference_job.folder)}:
        stops += 1
        try:
            train(preference_job, validation=pairs(9), stop_after=12)
        except Stopped:
            continue
    assert stops > 2
    events = told(preference_job.folder)
    assert steps(events) == steps(whole)
    assert [event["step"] for event in events if event["kind"] == "step"] == list(range(1, 24))
    name = "checkpoints/step-23/model.safetensors"
    assert (preference_job.folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_higher_beta_stays_nearer_to_the_starting_weights(
    preference_job: Job, train: Train, tmp_path: Path, template: Template
) -> None:
    moved = []
    for beta in (0.05, 1.0):
        folder = tmp_path / f"beta {beta}"
        train(replace(preference_job, folder=folder, beta=beta, n_epochs=6))
        trained, base = (
            weights.load(each, encoding=template.encoding).weights()
            for each in (folder / "checkpoints" / "step-45", preference_job.start_from)
        )
        moved.append(float(sum((trained[name] - base[name]).detach().square().sum() for name in base)))
    assert moved[1] < moved[0]
