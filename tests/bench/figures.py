"""What fine-tuning the built-in base on the example data sets reaches: `python -m tests.bench.figures [NAME …]`.

Trains as a job would with everything on auto, in a process of its own, and asks the held-out questions before and
after, greedily. Prints the table that docs/samples.md holds. Knows no service and no job book.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lib.dataset.auto import auto_batch_size, auto_epochs
from lib.dataset.example import encode
from lib.dataset.samples.marking import Marks
from lib.dataset.samples.samples import SAMPLES, Sample, find
from lib.engine.base.probes import say
from lib.engine.network import load
from lib.engine.settings import BASES, CONTEXT
from lib.engine.template import Template
from lib.errors import EngineError
from lib.tokens.encodings import load as load_encoding

# The base that ships; its folder's name ends with its date.
BASE = max(BASES.glob("etude-tiny-*"))
ENCODING = "etude_4k"
ROOT = Path(__file__).parents[2]
SEEDS = (1, 2)
FORM, ALL = "json", "fields"
Examples = Sequence[dict[str, Any]]
Shares = dict[str, float]


@dataclass(frozen=True, slots=True)
class Trained:
    """One training: where its weights are, what it took in seconds of processor time and in megabytes at most."""

    folder: Path
    cpu_seconds: float
    megabytes: float


def train(sample: Sample, base: Path, folder: Path, seed: int, multiplier: float = 1.0) -> Trained:
    """Train `base` on the sample in `folder`. EngineError with the trainer's own sentence when it fails."""
    training, _ = sample.make()
    folder.mkdir(parents=True)
    (folder / "training.jsonl").write_bytes(b"".join(encode(example) + b"\n" for example in training))
    job = {
        "id": "ftjob-figures",
        "base": str(base),
        "start_from": str(base),
        "training_file": "training.jsonl",
        "validation_file": None,
        "method": "supervised",
        "seed": seed,
        "n_epochs": auto_epochs(len(training)),
        "batch_size": auto_batch_size(len(training)),
        "learning_rate_multiplier": multiplier,
        "suffix": None,
        "context": CONTEXT,
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    environment = {**os.environ, "ETUDE_TRAIN_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "lib.engine.train", str(folder)], env=environment, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    last = json.loads((folder / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    if last["kind"] != "done":
        raise EngineError(f"The training of {sample.title} failed.", raw=json.dumps(last))
    return Trained(Path(last["folder"]), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def asked(model: Path, examples: Examples, sample: Sample) -> Shares:
    """The share of the examples whose answer by the model is right, for each thing that is marked.

    For JSON also "fields": the share of all values that are right.
    """
    network = load(model)
    template = Template(load_encoding(ENCODING), network.config.context)
    marks: list[Marks] = []
    for example in examples:
        *question, answer = example["messages"]
        reply = template.reply(say(network, template, template.prompt(question, None)))
        marks.append(sample.mark(answer["content"], reply.text))
    shares = {name: sum(mark[name] for mark in marks) / len(marks) for name in marks[0]}
    if FORM in shares:
        values = [share for name, share in shares.items() if name != FORM]
        shares[ALL] = sum(values) / len(values)
    return shares


def rows(sample: Sample, base: Path, seeds: Iterable[int], multiplier: float) -> Iterator[str]:
    """The lines of the table about one sample: the base, and a fine-tuned model for each seed."""
    held_out = {"held out": sample.make()[1], "other words": sample.in_other_words()}
    yield from (_row(sample, "base", part, asked(base, every, sample)) for part, every in held_out.items())
    for seed in seeds:
        with tempfile.TemporaryDirectory() as room:
            trained = train(sample, base, Path(room) / "job", seed, multiplier)
            for part, every in held_out.items():
                cost = f"{trained.cpu_seconds:.0f} s, {trained.megabytes:.0f} MB"
                yield _row(sample, f"seed {seed}", part, asked(trained.folder, every, sample), cost)


def _row(sample: Sample, model: str, part: str, shares: Shares, cost: str = "") -> str:
    told = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return f"| {sample.title} | {model} | {part} | {told} | {cost} |"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.figures", description="Fine-tune the base on the example data sets and ask it."
    )
    parser.add_argument("samples", nargs="*", metavar="NAME", help="which data sets; all when none is named")
    parser.add_argument("--base", type=Path, default=BASE, help="the folder of the base model")
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="one training each")
    parser.add_argument("--multiplier", type=float, default=1.0, help="learning_rate_multiplier")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print("| data set | model | asked | right | training |\n|---|---|---|---|---|")
    for sample in [find(name) for name in chosen.samples] or SAMPLES:
        for row in rows(sample, chosen.base.resolve(), chosen.seeds, chosen.multiplier):
            print(row, flush=True)


if __name__ == "__main__":
    main()
