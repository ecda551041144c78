"""The built-in base: its text, its encoding, its pretraining in small, and the weights that are shipped."""

from __future__ import annotations

import hashlib
import itertools
import json
from itertools import islice
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open

from lib.engine.base import pretrain as pretraining
from lib.engine.base.corpus.copying import beside
from lib.engine.base.corpus.extraction import to_json
from lib.engine.base.corpus.mixture import LONG, TASKS, conversations
from lib.engine.base.corpus.phrases import Chance
from lib.engine.base.muon import MuonAdam
from lib.engine.base.packing import EARLY_BLOCKS, PROMPT_SHARE, block
from lib.engine.base.pretrain import Budget, Progress, pretrain
from lib.engine.base.probes import scores
from lib.engine.base.tokenizer import ROLES, learn, ranked, write
from lib.engine.network import Config, Network, load, save
from lib.engine.template import Template
from lib.tokens.encodings import load as load_encoding
from lib.tokens.encodings import unpack

BASE = max(Path(pretraining.__file__).parent.glob("etude-tiny-*"))
TINY = Config(width=32, layers=1, heads=2, hidden=48, context=512)
# Of the text that the shipped weights learned from. Other text needs other weights, and a new model card.
TEXT = "eb5098d78c9fa9cefa1a51cff941092f60a98c8244fda8fef5261daa46907956"


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(load_encoding("etude_4k"), 512)


def test_the_text_is_the_one_that_the_weights_learned_from() -> None:
    made = "\n".join(json.dumps(data) for _, data in islice(conversations("etude"), 1000))
    assert hashlib.sha256(made.encode()).hexdigest() == TEXT


def test_every_task_ends_with_something_to_learn_and_leaves_no_template_open() -> None:
    groups = set()
    for group, data in islice(conversations(3), 3000):
        groups.add(group)
        if group == LONG:
            continue
        assert data["messages"][-1]["role"] == "assistant"
        for message in data["messages"]:
            text = message.get("content") or ""
            assert message.get("tool_calls") or text.strip()
            assert not any(f"{{{slot}}}" in text for slot in ("first", "city", "thing", "w", "v", "n", "place"))
    assert groups == {group for group, _, _ in TASKS} | {LONG}


def test_filling_takes_choices_and_given_words() -> None:
    chance = Chance(Random(1))
    assert chance.fill("[a|a] {x} [b]", x="{y}", y="c") == "a c b"
    with pytest.raises(KeyError):
        chance.fill("{no_such_list}")


def test_made_up_words_are_many_and_what_is_taken_out_stands_in_the_text() -> None:
    chance = Chance(Random(1))
    made = {chance.fill("{made}") for _ in range(2000)}
    assert len(made) > 1800
    assert all(word.isalpha() and word.islower() and 3 <= len(word) <= 30 for word in made)
    for _ in range(300):
        *_, asked, said = to_json(chance)["messages"]
        if said["content"].startswith("{"):
            values = json.loads(said["content"]).values()
            assert all(value is None or str(value) in asked["content"] for value in values)
    for _ in range(300):
        messages = beside(chance)["messages"]
        words = " ".join(message["content"] for message in messages[:-1])
        assert messages[-1]["content"] in words


def test_roles_are_single_tokens_and_the_vocabulary_is_full() -> None:
    encoding = load_encoding("etude_4k")
    assert encoding.n_vocab == 4096
    assert [len(encoding.encode_ordinary(role)) for role in ROLES] == [1] * 6
    specials = ["<|begin|>", "<|start|>", "<|message|>", "<|end|>", "<|call|>", "<|args|>", "<|pad|>"]
    assert [encoding.encode_single_token(name) for name in specials] == list(range(4080, 4087))


@given(st.text())
def test_any_text_survives_the_encoding(text: str) -> None:
    encoding = load_encoding("etude_4k")
    ids = encoding.encode_ordinary(text)
    assert encoding.decode(ids) == text
    assert not ids or max(ids) < 4080


def test_a_name_has_one_form_in_prose_and_between_quotes() -> None:
    encoding = load_encoding("etude_4k")
    alone = encoding.encode_ordinary("Zagreb")
    for text in ("I live in Zagreb.", '{"city": "Zagreb"}', "Zagreb, please", "from:Zagreb"):
        ids = encoding.encode_ordinary(text)
        assert any(ids[at : at + len(alone)] == alone for at in range(len(ids)))


def test_exported_ranks_give_the_same_ids_as_the_tokenizer_that_learned_them(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="only the development requirements bring tokenizers")
    texts = [message.get("content") or "" for _, data in islice(conversations(1), 1500) for message in data["messages"]]
    tokenizer = learn(texts, 1200)
    write(ranked(tokenizer), tmp_path)
    encoding = unpack(tmp_path, "etude_4k")
    others = [message.get("content") or "" for _, data in islice(conversations(2), 800) for message in data["messages"]]
    odd = [
        "",
        "  two  spaces ",
        "naïve café — “quoted”",
        "漢字 и кириллица",
        "a\n\n\tb\r\n",
        "don't 'tis I'll",
        "x" * 300,
        "😀👩‍👩‍👧",
    ]
    for text in others + odd:
        assert encoding.encode_ordinary(text) == tokenizer.encode(text).ids


def test_packing_wastes_little_and_keeps_conversations_apart(template: Template) -> None:
    rows = block(template, 5, 0, 256)
    again = block(template, 5, 0, 256)
    assert torch.equal(rows.tokens, again.tokens)
    assert not torch.equal(rows.tokens[:50], block(template, 5, 1, 256).tokens[:50])
    assert (rows.owners > 0).float().mean() > 0.97
    assert set(rows.shares.unique().tolist()) == {0.0, PROMPT_SHARE, 1.0}
    # Nothing is learned from padding, nor is a conversation's first token predicted from the one before it.
    assert rows.shares[rows.owners == 0].sum() == 0
    assert (rows.shares[rows.tokens == template.begin] == 0).all()
    first = rows.owners[0]
    mask = rows.mask()[0, 0]
    assert not mask[first == 2][:, first == 1].any()
    assert not mask.triu(1).any()


def test_the_rate_warms_up_holds_and_falls_to_zero() -> None:
    budget = Budget(None, 1000)
    factors = [
        budget.factor(Progress(steps=steps, tokens=tokens))
        for steps, tokens in ((0, 0), (99, 300), (500, 690), (600, 850), (700, 1000))
    ]
    assert factors == pytest.approx([0.01, 1.0, 1.0, 0.5, 0.0])
    assert Budget(10.0, None).share(Progress(seconds=300)) == pytest.approx(0.5)


def test_further_pretraining_begins_with_the_weights_it_is_given_and_a_lower_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(9)
    save(Network(TINY), tmp_path / "start")
    seen: list[tuple[float, float]] = []
    learn = MuonAdam.step

    def watched(optimizer: MuonAdam, factor: float) -> None:
        seen.append((float(optimizer.state()["steps"]), factor))
        learn(optimizer, factor)

    monkeypatch.setattr(MuonAdam, "step", watched)
    budget = Budget(None, 12_000, rate=0.5)
    done = pretrain(tmp_path / "out", budget, config=Config(), resume=False, compiled=False, start=tmp_path / "start")
    assert [step for step, _ in seen] == list(range(done.steps))
    assert seen[0][1] == pytest.approx(0.5 / 100)
    assert done.block == EARLY_BLOCKS
    ended, begun = load(tmp_path / "out").state_dict(), load(tmp_path / "start").state_dict()
    assert load(tmp_path / "out").config == TINY
    change = max(float((ended[name] - begun[name]).abs().max()) for name in begun)
    assert 0 < change < 0.05


def test_muon_learns_and_goes_on_where_it_was() -> None:
    def descend(steps: int, split: int) -> torch.Tensor:
        torch.manual_seed(3)
        network = Network(TINY)
        optimizer = MuonAdam(network)
        tokens = torch.arange(40).reshape(2, 20)
        for step in range(steps):
            if step == split:
                kept = {name: value.clone() for name, value in optimizer.state().items()}
                optimizer = MuonAdam(network)
                optimizer.restore(kept)
            scored = network.logits(network(tokens[:, :-1]))
            loss = torch.nn.functional.cross_entropy(scored.flatten(0, 1), tokens[:, 1:].flatten())
            loss.backward()
            optimizer.step(1.0)
        return loss.detach()

    assert descend(120, 0) < 1.0
    assert torch.equal(descend(12, 0), descend(12, 6))


def test_pretraining_goes_on_after_it_was_killed_and_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "PROBE_SECONDS", float("inf"))
    budget = Budget(None, 40_000)
    whole = pretrain(tmp_path / "whole", budget, config=TINY, resume=False, compiled=False)
    ticks = itertools.count()

    def dying() -> float:
        # Each look at this clock is long enough after the last one for everything to be kept.
        if (tick := next(ticks)) == 5:
            raise KeyboardInterrupt
        return tick * 1000.0

    with pytest.raises(KeyboardInterrupt):
        pretrain(tmp_path / "killed", budget, config=TINY, resume=False, compiled=False, clock=dying)
    kept = json.loads((tmp_path / "killed" / "progress.json").read_text())
    assert 0 < kept["steps"] < whole.steps
    ended = pretrain(tmp_path / "killed", budget, config=TINY, resume=True, compiled=False)
    assert (ended.steps, ended.tokens) == (whole.steps, whole.tokens)
    one, other = load(tmp_path / "whole").state_dict(), load(tmp_path / "killed").state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert load(tmp_path / "killed" / "shipped").config == TINY


def test_a_network_that_learned_nothing_scores_nothing() -> None:
    torch.manual_seed(1)
    network = Network(Config(width=32, layers=1, heads=2, hidden=48)).eval()
    told = scores(network, Template(load_encoding("etude_4k"), network.config.context), 1)
    assert set(told) == {group for group, _, _ in TASKS}
    assert sum(told.values()) == 0


def test_the_shipped_weights_are_small_and_of_the_built_in_measures() -> None:
    file = BASE / "model.safetensors"
    assert file.stat().st_size <= 13_000_000
    with safe_open(file, "pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"BF16"}  # noqa: SIM118
    assert load(BASE).config == Config()


def test_the_shipped_base_reads_what_it_never_saw() -> None:
    base = load(BASE)
    template = Template(load_encoding("etude_4k"), base.config.context)
    told = scores(base, template, 8)
    # Far below what the model card says, and far above chance: this catches weights that do not fit text or encoding.
    assert told["extraction"] >= 0.4
    assert told["classification"] >= 0.5
