"""The checkpoints of a job: folders `checkpoints/step-N` that can be used in chat, and `resume/step-N` to go on from.

Both appear whole or not at all. It knows what lies in them and how many are kept, not when they are made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib.engine import sealed
from lib.engine.model import Model
from lib.errors import EngineError

# As many as OpenAI keeps.
CHECKPOINTS_KEPT = 3
STATE_FILE = "state.safetensors"
BEST = "best checkpoint"


class Checkpoints:
    """The checkpoints and the resume state in one job folder.

    Of several processes that share a training one `leads` and writes; the others only read.
    """

    def __init__(self, folder: Path, *, leads: bool = True) -> None:
        self._models = folder / "checkpoints"
        self._states = folder / "resume"
        self._leads = leads
        self._best: tuple[int, float] | None = None
        if leads:
            for parent in (self._models, self._states):
                parent.mkdir(exist_ok=True)
                sealed.clear_unfinished(parent)

    @property
    def best(self) -> int | None:
        """The step of the checkpoint with the lowest full validation loss; None without validation."""
        return self._best[0] if self._best else None

    def keep(self, step: int, model: Model, full_valid_loss: float = math.nan) -> Path:
        """Write what the model is after `step` as a model folder; remove all but the latest three and the best.

        EngineError for weights that are no finite numbers, since nothing could be said with them; OSError when full.
        """
        if not all(bool(weight.isfinite().all()) for weight in model.weights().values()):
            raise EngineError(
                f"The training diverged: at step {step} the weights are no finite numbers any more.",
                "Train again with a lower learning_rate_multiplier.",
            )
        folder = self._models / f"step-{step}"
        if math.isfinite(full_valid_loss) and (self._best is None or full_valid_loss < self._best[1]):
            self._best = step, full_valid_loss
        if self._leads:
            if not sealed.is_whole(folder):
                sealed.write(folder, model.save)
            for older_step, older in _by_step(self._models)[CHECKPOINTS_KEPT:]:
                if older_step != self.best:
                    sealed.remove(older)
        return folder

    def keep_state(self, step: int, state: Mapping[str, Tensor]) -> None:
        """Write what a training needs to go on after `step`; it takes the place of what was there."""
        if not self._leads:
            return
        folder = self._states / f"step-{step}"
        best = {BEST: torch.tensor(self._best, dtype=torch.float64)} if self._best else {}
        sealed.write(folder, lambda unfinished: save_file({**state, **best}, unfinished / STATE_FILE))
        for _, older in _by_step(self._states):
            if older != folder:
                sealed.remove(older)

    def state(self) -> tuple[int, dict[str, Tensor]] | None:
        """The latest step to go on from, and its state; None when there is none that is whole."""
        for step, folder in _by_step(self._states):
            if sealed.is_whole(folder):
                state = load_file(folder / STATE_FILE)
                best = state.pop(BEST, None)
                self._best = None if best is None else (int(best[0]), float(best[1]))
                return step, state
        return None


def _by_step(parent: Path) -> list[tuple[int, Path]]:
    """The step folders in `parent`, latest first."""
    folders = [(folder.name.removeprefix("step-"), folder) for folder in parent.glob("step-*")]
    return sorted(((int(step), folder) for step, folder in folders if step.isdecimal()), reverse=True)
