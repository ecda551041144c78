"""Base, fine-tunes and checkpoints of one model folder answer side by side, and each as it would alone."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lib.engine import sealed
from lib.engine.answer import turns as turns_module
from lib.engine.answer.shelf import Shelf
from lib.engine.answer.turns import Turns
from lib.engine.hugging_face import adapter, loading
from lib.engine.hugging_face.answering import Answering
from lib.engine.hugging_face.device import Device
from lib.engine.hugging_face.language_model import LanguageModel
from lib.engine.model import Learning
from lib.engine.weights import load
from lib.errors import EngineError
from tests.engine.hugging_face import tiny

Tuned = Callable[[str, int], Path]


class Desk:
    """Turns whose lines are kept."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.log = io.StringIO()
        self.turns = Turns(Shelf(), lambda line: self.said.append(dict(line)), self.log)

    def ask(self, name: str, folder: Path, text: str = "What is it?", **more: Any) -> None:
        request = {"id": name, "model": str(folder), "messages": [{"role": "user", "content": text}]}
        self.turns.take(json.dumps(request | more).encode())

    def until_idle(self) -> None:
        while not self.turns.idle:
            self.turns.turn()

    def text(self, name: str) -> str:
        assert not [line for line in self.said if "error" in line], self.log.getvalue()
        return "".join(line.get("text", "") for line in self.said if line["id"] == name)

    def last(self, name: str) -> dict[str, Any]:
        return [line for line in self.said if line["id"] == name][-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def tuned(qwen: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """Folders with adapters whose matrices are random, so that each says something else."""

    def make(name: str, seed: int) -> Path:
        model = load(qwen, Learning(seed=seed))
        torch.manual_seed(seed)
        with torch.no_grad():
            for weight in model.weights().values():
                weight.normal_(std=0.2)
        folder = tmp_path_factory.mktemp("tuned") / name
        sealed.write(folder, model.save)
        return folder

    return make


def test_two_adapters_and_their_base_interleaved_answer_as_each_alone(desk: Desk, qwen: Path, tuned: Tuned) -> None:
    folders = {"base": qwen, "one": tuned("one", 1), "two": tuned("two", 2)}
    alone = {}
    for name, folder in folders.items():
        fresh = Desk()
        fresh.ask(name, folder, max_tokens=30, seed=4)
        fresh.until_idle()
        alone[name] = fresh.text(name)
    for name, folder in folders.items():
        desk.ask(name, folder, max_tokens=30, seed=4)
    desk.until_idle()
    assert {name: desk.text(name) for name in folders} == alone
    assert len(set(alone.values())) == 3
    order = [line["id"] for line in desk.said]
    assert order != sorted(order), "they did not take turns"


def test_a_base_is_loaded_once_for_all_its_fine_tunes(
    qwen: Path, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    original = loading.share
    monkeypatch.setattr(loading, "share", lambda folder: (loaded.append(folder), original(folder))[1])
    answering = Answering()
    models = [answering.model(folder) for folder in (tuned("a", 1), qwen, tuned("b", 2), tuned("a2", 1))]
    assert loaded == [qwen]
    assert len({id(model.shared.base.network) for model in models}) == 1


def test_the_adapter_asked_least_lately_is_let_go_of_but_not_while_it_answers(qwen: Path, tuned: Tuned) -> None:
    answering = Answering(most_adapters=2)
    folders = [tuned(f"t{seed}", seed) for seed in range(4)]
    first = answering.model(folders[0])
    tokens = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        before = first.read(tokens)
        for folder in folders[1:]:
            answering.model(folder).read(tokens)
        kept = first.shared.peft.peft_config
        assert len(kept) == 3
        assert torch.equal(first.read(tokens), before)
        del first
        assert len(kept) == 2
        again = answering.model(folders[0])
        assert torch.equal(again.read(tokens), before)
        base = answering.model(qwen).read(tokens)
    assert torch.equal(base, load(qwen).read(tokens))


def test_another_base_takes_the_place_of_one_that_leaves_no_room(
    qwen: Path, llama: Path, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tuned("first", 1)
    free = [10**12, 0, 10**12]
    monkeypatch.setattr(Device, "free_bytes", lambda self: free.pop(0))
    answering = Answering()
    answering.model(folder)
    answering.model(llama)
    assert [shared.base.found.path for shared in answering._bases.values()] == [llama]
    assert not answering._tuned
    free = [0, 0]
    with pytest.raises(EngineError, match="Asking tiny-qwen needs about"):
        Answering().model(qwen)


def test_reading_in_pieces_with_a_memory_gives_the_same(qwen: Path, llama: Path) -> None:
    for folder in (qwen, llama):
        model = load(folder)
        tokens = torch.randint(4, 290, (1, 40), generator=torch.Generator().manual_seed(1))
        cache = model.cache()
        with torch.inference_mode():
            whole = model.read(tokens)
            parts = [model.read(part, cache) for part in tokens.split([10, 1, 20, 9], dim=1)]
        assert cache.length == 40
        assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)


def test_an_answer_is_what_the_whole_model_would_say(desk: Desk, llama: Path) -> None:
    desk.ask("a", llama, temperature=0, max_tokens=12, logprobs=True)
    desk.until_idle()
    model = load(llama)
    assert isinstance(model, LanguageModel)
    ids = model.template.prompt([{"role": "user", "content": "What is it?"}], None)
    barred = torch.tensor(sorted(model.template.barred | model.template.barred_without_tools))
    text = b""
    with torch.inference_mode():
        for _ in range(12):
            scores = model.shared.base.network(input_ids=torch.tensor([ids])).logits[0, -1]
            token = int(scores.index_fill(0, barred, -torch.inf).argmax())
            if token in model.template.ends:
                break
            ids.append(token)
            text += model.template.bytes_of(token)
    assert desk.text("a") == text.decode("utf-8", "replace")
    assert desk.last("a")["prompt_tokens"] == len(ids) - desk.last("a")["completion_tokens"]


@pytest.mark.parametrize(
    ("answer", "text", "calls"),
    [
        ('Yes. <tool_call>\n{"name": "find", "arguments": {"a": 1}}\n</tool_call>', "Yes. ", [("find", '{"a": 1}')]),
        ("a < b and <tool", "a < b and <tool", []),
        ("<tool_call>\nfind it", "<tool_call>\nfind it", []),
    ],
)
def test_a_call_comes_whole_and_what_only_looked_like_one_is_text(
    desk: Desk, qwen: Path, monkeypatch: pytest.MonkeyPatch, answer: str, text: str, calls: list[tuple[str, str]]
) -> None:
    def says(model: LanguageModel, hidden: torch.Tensor) -> torch.Tensor:
        ids = [*model.template.tokenizer(answer, add_special_tokens=False).input_ids, *model.template.ends]
        made = torch.zeros(model.vocabulary)
        made[ids[len(said)]] = 100.0
        said.append(ids[len(said)])
        return made

    said: list[int] = []
    monkeypatch.setattr(LanguageModel, "logits", says)
    desk.ask("a", qwen, tools=[{"type": "function", "function": {"name": "find"}}], temperature=0, logprobs=True)
    desk.until_idle()
    last = desk.last("a")
    assert desk.text("a") == text
    told = [(each["function"]["name"], each["function"]["arguments"]) for each in last.get("tool_calls", [])]
    assert told == calls
    assert last["finish_reason"] == ("tool_calls" if calls else "stop")
    heard = b"".join(bytes(entry["bytes"]) for line in desk.said for entry in line.get("logprobs", []))
    assert heard.decode().startswith(text)


def test_answers_that_would_remember_too_much_wait_for_each_other(
    desk: Desk, qwen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(qwen)
    # A key and a value in each of two layers, with two heads of eight numbers.
    assert model.bytes_per_token == 2 * 2 * 2 * 8 * 4
    monkeypatch.setattr(turns_module, "MOST_BYTES", 60 * model.bytes_per_token)
    for name in "abc":
        desk.ask(name, qwen, max_tokens=20, seed=1)
    most = 0
    while not desk.turns.idle:
        desk.turns.turn()
        most = max(most, len(desk.turns._going))
    assert most == 1
    assert all(desk.last(name)["finish_reason"] for name in "abc")
    desk.ask("d", qwen, max_tokens=20)
    desk.ask("e", qwen, max_tokens=20)
    desk.turns.turn()
    desk.turns.take(b'{"id": "e", "stop": true}')
    desk.until_idle()
    assert not [line for line in desk.said if line["id"] == "e"]


def test_an_architecture_that_bends_its_scores_is_asked_as_a_whole(tmp_path: Path) -> None:
    from transformers import CohereConfig, CohereForCausalLM

    tiny.save(tmp_path / "model", "llama")
    config = CohereConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=4,
        logit_scale=0.25,
        initializer_range=0.3,
        eos_token_id=2,
    )
    CohereForCausalLM(config).save_pretrained(tmp_path / "model")
    model = load(tmp_path / "model")
    assert isinstance(model, LanguageModel)
    assert model.shared.reads_whole
    tokens = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        expected = model.shared.base.network(input_ids=tokens).logits
        assert torch.allclose(model.logits(model.read(tokens)), expected)


def test_adapters_of_a_fine_tune_that_is_gone_say_so(tmp_path: Path, tuned: Tuned) -> None:
    folder = tuned("orphan", 1)
    kept = json.loads((folder / adapter.BASE).read_text())
    (folder / adapter.BASE).write_text(json.dumps(kept | {"folder": str(tmp_path / "gone")}))
    sealed.seal(folder)
    with pytest.raises(EngineError, match="gone cannot be read"):
        load(folder)
