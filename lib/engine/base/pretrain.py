"""Pretrains the built-in base: `python -m lib.engine.base.pretrain --out DIR (--minutes N | --tokens N) [--resume]`.

With `--start FOLDER` it goes on from finished weights, at a lower rate and warmed up anew.

Text made by code, Muon, a learning rate that warms up, holds, and falls to zero over the last part. Every few minutes
DIR gets the weights (config.json, model.safetensors: usable at once) and all that `--resume` needs; log.jsonl tells how
it goes. With `--tokens` the same seed gives the same weights on the same machine; `--minutes` ends by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from lib.engine.base.muon import MuonAdam
from lib.engine.base.packing import EARLY_BLOCKS, Rows, batches, block
from lib.engine.base.probes import scores
from lib.engine.network import Config, Network, load, save
from lib.engine.template import Template
from lib.tokens import encodings

SEED = 20261121
# A step's tokens, in pieces small enough for a processor's cache; a row holds several conversations. Short rows cost a
# quarter less, so only every tenth block has long ones, with the conversations that need them.
PIECE_TOKENS, PIECES = 2048, 2
ROW, LONG_ROW, LONG_EVERY = 256, 512, 10
WARM_UP_STEPS, FALL = 100, 0.3
# The highest rate for weights that have learned already: enough to learn more, without losing what they know.
CONTINUED_RATE = 0.6
SHIPPED = "shipped"
SAVE_SECONDS, PROBE_SECONDS, PROBES = 180.0, 900.0, 12


@dataclass(slots=True)
class Progress:
    """How far pretraining is: enough to go on from here. `seconds` adds up over interruptions."""

    steps: int = 0
    tokens: int = 0
    block: int = 0
    batch: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """When pretraining ends: after so many minutes of work or tokens. `rate` is the highest factor on the way."""

    minutes: float | None
    tokens: int | None
    rate: float = 1.0

    def share(self, progress: Progress) -> float:
        """The part of the budget that is used up, from 0 to 1 and more."""
        if self.tokens is not None:
            return progress.tokens / self.tokens
        assert self.minutes is not None
        return progress.seconds / 60 / self.minutes

    def factor(self, progress: Progress) -> float:
        """What the learning rates are multiplied by: warm-up, then `rate`, then a straight line to 0."""
        warm = min(1.0, (progress.steps + 1) / WARM_UP_STEPS)
        return self.rate * max(0.0, min(warm, (1 - self.share(progress)) / FALL))


def pretrain(
    out: Path,
    budget: Budget,
    *,
    config: Config,
    resume: bool,
    compiled: bool,
    start: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Train until the budget is used up, writing to `out`; with `resume`, go on from what stands there.

    `start` is a folder with weights to begin with instead of random ones of the measures `config`.
    At the end `out/SHIPPED` holds the weights in bfloat16, half as large, as they come with Etude.
    """
    template = Template(encodings.load("etude_4k"), config.context)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    network, progress = Network(config), Progress()
    if start is not None:
        # The wording of prompts is known to these weights, so they are taught as later blocks are.
        network, progress = load(start), Progress(block=EARLY_BLOCKS)
    if resume and (out / "progress.json").exists():
        network = load(out)
        progress = Progress(**json.loads((out / "progress.json").read_text()))
    optimizer = MuonAdam(network)
    if progress.steps:
        optimizer.restore(load_file(out / "optimizer.safetensors"))
    loss_of = _loss_of(network.train(), compiled)
    started = clock() - progress.seconds
    saved = probed = progress.seconds
    while budget.share(progress) < 1:
        row = LONG_ROW if progress.block % LONG_EVERY == LONG_EVERY - 1 else ROW
        pieces = list(batches(block(template, SEED, progress.block, row), PIECE_TOKENS // row))
        for at in range(progress.batch, len(pieces) - PIECES + 1, PIECES):
            losses = [_learn(loss_of, piece) for piece in pieces[at : at + PIECES]]
            optimizer.step(budget.factor(progress))
            progress.steps += 1
            progress.tokens += sum(int((piece.owners > 0).sum()) for piece in pieces[at : at + PIECES])
            progress.batch = at + PIECES
            progress.seconds = clock() - started
            if progress.steps % 20 == 0:
                _log(out, {**asdict(progress), "loss": sum(losses) / PIECES, "factor": budget.factor(progress)})
            if progress.seconds - saved > SAVE_SECONDS:
                _keep(out, network, optimizer, progress)
                saved = progress.seconds
            if progress.seconds - probed > PROBE_SECONDS:
                _log(
                    out,
                    {
                        "steps": progress.steps,
                        "tokens": progress.tokens,
                        "scores": scores(network.eval(), template, PROBES),
                    },
                )
                network.train()
                probed = progress.seconds
            if budget.share(progress) >= 1:
                break
        else:
            progress.block, progress.batch = progress.block + 1, 0
    _keep(out, network, optimizer, progress)
    save(network, out / SHIPPED, dtype=torch.bfloat16)
    return progress


def _loss_of(network: Network, compiled: bool) -> Callable[[Rows], Tensor]:
    """The weighted loss of packed rows; bfloat16 is exact enough, and compiling saves a fifth of the time."""

    def loss(tokens: Tensor, mask: Tensor, targets: Tensor, shares: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            scores_of = network.logits(network(tokens, mask=mask))
        each = functional.cross_entropy(scores_of.float().flatten(0, 1), targets.flatten(), reduction="none")
        return (each * shares.flatten()).sum() / shares.sum()

    fast: Callable[..., Tensor] = torch.compile(loss, dynamic=False) if compiled else loss
    # The last token of a row predicts nothing; its share is 0, so what stands as its target does not matter.
    return lambda rows: fast(
        rows.tokens, rows.mask(), rows.tokens.roll(-1, 1), functional.pad(rows.shares[:, 1:], (0, 1))
    )


def _learn(loss_of: Callable[[Rows], Tensor], rows: Rows) -> float:
    loss = loss_of(rows)
    (loss / PIECES).backward()  # type: ignore[no-untyped-call]
    return float(loss.detach())


def _keep(out: Path, network: Network, optimizer: MuonAdam, progress: Progress) -> None:
    """Write weights, optimizer and progress to a folder of their own first, then put each in its place."""
    fresh = out / "fresh"
    save(network, fresh)
    save_file(optimizer.state(), fresh / "optimizer.safetensors")
    (fresh / "progress.json").write_text(json.dumps(asdict(progress)) + "\n")
    for name in ("config.json", "model.safetensors", "optimizer.safetensors", "progress.json"):
        os.replace(fresh / name, out / name)
    fresh.rmdir()


def _log(out: Path, line: dict[str, object]) -> None:
    with (out / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.engine.base.pretrain", description="Pretrain the built-in base model."
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder that gets weights, log and resume state")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="end after so many minutes of work")
    length.add_argument("--tokens", type=int, help="end after so many tokens")
    parser.add_argument("--resume", action="store_true", help="go on from what stands in the folder")
    parser.add_argument("--start", type=Path, help="the folder of weights to go on from")
    parser.add_argument("--threads", type=int, default=1, help="how many cores to use")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    budget = Budget(chosen.minutes, chosen.tokens, CONTINUED_RATE if chosen.start else 1.0)
    compiled = shutil.which("g++") is not None
    print(pretrain(chosen.out, budget, config=Config(), resume=chosen.resume, compiled=compiled, start=chosen.start))


if __name__ == "__main__":
    main()
