"""Answers by a tiny network: interleaved, stopped, refused; the same with and without company."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiktoken
import torch

from lib.engine import sealed, weights
from lib.engine.answer import turns as turns_module
from lib.engine.answer.shelf import Shelf
from lib.engine.answer.turns import Turns
from lib.engine.built_in import BuiltIn
from lib.engine.model import Model
from lib.engine.network import Config, Network, load, save
from lib.engine.template import Rendered, Template
from lib.engine.train.corpus import pack
from lib.engine.train.descent import Descent
from lib.engine.train.scoring import said

CONTEXT = 128


class Desk:
    """Turns whose lines are kept."""

    def __init__(self, encoding: tiktoken.Encoding, most_models: int = 8) -> None:
        self.said: list[dict[str, Any]] = []
        self.log = io.StringIO()
        self.turns = Turns(Shelf(encoding, most_models), lambda line: self.said.append(dict(line)), self.log)

    def ask(self, name: str, folder: Path, text: str = "Hm?", **more: Any) -> None:
        request = {"id": name, "model": str(folder), "messages": [{"role": "user", "content": text}]}
        self.turns.take(json.dumps(request | more).encode())

    def until_idle(self) -> None:
        for _ in range(20_000):
            if self.turns.idle:
                return
            self.turns.turn()
        raise AssertionError("the answers do not end")

    def of(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.said if line["id"] == name]

    def text(self, name: str) -> str:
        return "".join(line.get("text", "") for line in self.of(name))


@pytest.fixture
def desk(tiny_encoding: tiktoken.Encoding) -> Desk:
    return Desk(tiny_encoding)


@pytest.fixture
def says(tmp_path: Path, template: Template) -> Callable[..., Path]:
    """A folder with a tiny network that was taught to answer "Hm?" with the given text and marks, and nothing else."""

    def make(answer: str, *, tools: list[dict[str, Any]] | None = None, name: str = "model") -> Path:
        prompt = template.prompt([{"role": "user", "content": "Hm?"}], tools)
        answer_ids = template.encoding.encode(answer, allowed_special="all")
        ids = prompt + answer_ids
        corpus = pack([Rendered(ids, [place >= len(prompt) for place in range(len(ids))])])
        torch.manual_seed(1)
        network = Network(Config(vocabulary=263, width=32, layers=2, heads=2, hidden=48, context=CONTEXT, taps=3))
        model = BuiltIn(network, template)
        descent = Descent(model.weights(), 0.02, 60)
        for step in range(1, 61):
            read = said(model, corpus, np.array([0]))
            torch.autograd.backward(read.losses.sum() / len(answer_ids))
            descent.step(step)
        assert int(read.right) == len(answer_ids)
        folder = tmp_path / name
        save(network, folder)
        sealed.seal(folder)
        return folder

    return make


def test_an_answer_ends_with_its_counts(desk: Desk, model_folder: Path, template: Template) -> None:
    desk.ask("a", model_folder, max_tokens=7, seed=3)
    desk.until_idle()
    last = desk.of("a")[-1]
    assert (last["finish_reason"], last["completion_tokens"]) == ("length", 7)
    assert last["prompt_tokens"] == len(template.prompt([{"role": "user", "content": "Hm?"}], None))
    assert all("finish_reason" not in line for line in desk.of("a")[:-1])


def test_the_cache_gives_what_reading_all_again_gives(desk: Desk, model_folder: Path, template: Template) -> None:
    desk.ask("a", model_folder, text="x" * 60, max_tokens=20, temperature=0, logprobs=True)
    desk.until_idle()
    chosen = [bytes(entry["bytes"]) for line in desk.of("a") for entry in line["logprobs"]]
    network = load(model_folder)
    ids = template.prompt([{"role": "user", "content": "x" * 60}], None)
    for token in chosen:
        scores = network.logits(network(torch.tensor([ids]))[0, -1])[:256]
        assert bytes([int(scores.argmax())]) == token
        ids.append(int(scores.argmax()))


def test_the_seed_decides_and_company_changes_nothing(desk: Desk, model_folder: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        desk.ask(name, model_folder, seed=seed, max_tokens=30)
    desk.until_idle()
    desk.ask("alone", model_folder, seed=1, max_tokens=30)
    desk.until_idle()
    assert desk.text("a") == desk.text("b") == desk.text("alone")
    assert desk.text("a") != desk.text("c")


def test_answers_take_turns(desk: Desk, model_folder: Path) -> None:
    for name in "ab":
        desk.ask(name, model_folder, temperature=0, max_tokens=20, text="x" * 50)
    desk.until_idle()
    order = "".join(line["id"] for line in desk.said)
    assert order == "ab" * (len(order) // 2)
    assert len(order) > 10


def test_more_than_fit_wait_and_are_all_answered(
    desk: Desk, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "AT_ONCE", 2)
    for name in "abcde":
        desk.ask(name, model_folder, max_tokens=3)
    desk.turns.turn()
    assert not desk.turns.idle
    desk.until_idle()
    assert sorted(line["id"] for line in desk.said if "finish_reason" in line) == list("abcde")


def test_a_stopped_answer_says_nothing_more(desk: Desk, model_folder: Path) -> None:
    desk.ask("a", model_folder, max_tokens=100, temperature=0)
    desk.ask("b", model_folder, max_tokens=5)
    for _ in range(12):
        desk.turns.turn()
    before = len(desk.of("a"))
    desk.turns.take(b'{"id": "a", "stop": true}')
    desk.turns.take(b'{"id": "unknown", "stop": true}')
    desk.until_idle()
    assert len(desk.of("a")) == before
    assert "finish_reason" in desk.of("b")[-1]


def test_the_end_token_ends_an_answer(desk: Desk, says: Callable[..., Path]) -> None:
    desk.ask("a", says("Yes.<|end|>"), temperature=0)
    desk.until_idle()
    assert desk.text("a") == "Yes."
    assert (desk.of("a")[-1]["finish_reason"], desk.of("a")[-1]["completion_tokens"]) == ("stop", 4)


def test_a_stop_text_ends_an_answer_before_it(desk: Desk, says: Callable[..., Path]) -> None:
    desk.ask("a", says("one, TWO<|end|>"), temperature=0, stop=[", T", "x"])
    desk.until_idle()
    assert desk.text("a") == "one"
    assert desk.of("a")[-1]["finish_reason"] == "stop"


def test_pieces_are_whole_characters(desk: Desk, says: Callable[..., Path]) -> None:
    desk.ask("a", says("é🎹<|end|>"), temperature=0)
    desk.until_idle()
    assert [line["text"] for line in desk.of("a") if line["text"]] == ["é", "🎹"]


def test_a_tool_call_comes_whole_at_the_end(desk: Desk, says: Callable[..., Path]) -> None:
    tools = [{"type": "function", "function": {"name": "find"}}]
    folder = says("Ok<|call|>find<|args|>{}<|end|>", tools=tools)
    desk.ask("a", folder, temperature=0, tools=tools)
    desk.ask("without tools", folder, temperature=0, max_tokens=5)
    desk.until_idle()
    assert desk.text("a") == "Ok"
    assert desk.of("a")[-1]["finish_reason"] == "tool_calls"
    assert desk.of("a")[-1]["tool_calls"] == [{"type": "function", "function": {"name": "find", "arguments": "{}"}}]
    assert not any("tool_calls" in line for line in desk.of("without tools"))


def test_marks_of_the_template_are_never_said(desk: Desk, says: Callable[..., Path]) -> None:
    desk.ask("a", says("<|start|><|pad|><|begin|>"), max_tokens=20)
    desk.until_idle()
    assert "<|" not in desk.text("a")


def test_logprobs_come_for_each_token_only_when_asked(desk: Desk, model_folder: Path) -> None:
    desk.ask("a", model_folder, max_tokens=6, logprobs=True, top_logprobs=2, seed=1)
    desk.ask("b", model_folder, max_tokens=6, seed=1)
    desk.until_idle()
    entries = [entry for line in desk.of("a") for entry in line["logprobs"]]
    assert len(entries) == 6
    assert all(len(entry["top_logprobs"]) == 2 and entry["logprob"] <= 0 for entry in entries)
    assert not any("logprobs" in line for line in desk.of("b"))
    assert desk.text("a") == desk.text("b")


def test_a_prompt_longer_than_the_context_is_refused_in_openais_words(desk: Desk, model_folder: Path) -> None:
    desk.ask("a", model_folder, text="x" * 500)
    desk.until_idle()
    (line,) = desk.of("a")
    assert line["error"].startswith("This model's maximum context length is 128 tokens. However, your messages")
    assert (line["code"], line["param"]) == ("context_length_exceeded", "messages")


def test_an_answer_ends_where_the_context_does(desk: Desk, model_folder: Path) -> None:
    desk.ask("a", model_folder, text="x" * 90, max_tokens=1000, seed=1)
    desk.until_idle()
    last = desk.of("a")[-1]
    assert last["finish_reason"] in ("length", "stop")
    assert last["prompt_tokens"] + last["completion_tokens"] <= CONTEXT + 1


@pytest.mark.parametrize("line", [b"junk", b'{"id": "a"}', b'{"id": "a", "model": 1, "messages": []}'])
def test_a_bad_line_is_answered_and_changes_nothing(desk: Desk, model_folder: Path, line: bytes) -> None:
    desk.ask("good", model_folder, max_tokens=3)
    desk.turns.take(line)
    desk.until_idle()
    refused = [said for said in desk.said if "error" in said]
    assert [said["id"] for said in refused] == ["" if line == b"junk" else "a"]
    assert desk.of("good")[-1]["finish_reason"]
    assert desk.log.getvalue() == ""


def test_a_folder_that_is_not_whole_is_refused(desk: Desk, model_folder: Path, tmp_path: Path) -> None:
    (model_folder / "model.safetensors").write_bytes(b"half")
    desk.ask("a", model_folder)
    desk.ask("b", tmp_path / "nothing")
    desk.until_idle()
    assert ["damaged" in desk.of("a")[0]["error"], "not complete" in desk.of("b")[0]["error"]] == [True, True]


def test_weights_without_numbers_are_an_error_of_one_answer(desk: Desk, model_folder: Path, tmp_path: Path) -> None:
    network = load(model_folder)
    network.norm.gain.data.fill_(float("nan"))
    sealed.write(tmp_path / "broken", lambda folder: save(network, folder))
    desk.ask("a", tmp_path / "broken")
    desk.ask("b", model_folder, max_tokens=2)
    desk.until_idle()
    assert desk.of("a")[-1]["code"] == "internal_error"
    assert "Traceback" in desk.log.getvalue()
    assert desk.of("b")[-1]["finish_reason"] == "length"


def test_the_least_used_model_is_put_away(
    tiny_encoding: tiktoken.Encoding, says: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    original = weights.load

    def count(folder: Path, **more: Any) -> Model:
        loaded.append(folder.name)
        return original(folder, **more)

    monkeypatch.setattr("lib.engine.answer.shelf.weights.load", count)
    folders = {name: says(f"{name}<|end|>", name=name) for name in "abc"}
    small = Desk(tiny_encoding, most_models=2)
    for name in "abacab":
        small.ask(name, folders[name], temperature=0)
        small.until_idle()
    assert loaded == ["a", "b", "c", "b"]
    assert small.text("c") == "c"
