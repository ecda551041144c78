"""The checkpoints of a job: folders `checkpoints/step-N` that can be used in chat, and `resume/step-N` to go on from.

Both appear whole or not at all. It knows what lies in them and how many are kept, not when they are made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from lib.engine import sealed
from lib.engine.model import Model
from lib.errors import EngineError

# As many as OpenAI keeps.
CHECKPOINTS_KEPT = 3
STATE_FILE = "state.safetensors"


class Checkpoints:
    """The checkpoints and the resume state in one job folder."""

    def __init__(self, folder: Path) -> None:
        self._models = folder / "checkpoints"
        self._states = folder / "resume"
        for parent in (self._models, self._states):
            parent.mkdir(exist_ok=True)
            sealed.clear_unfinished(parent)

    def keep(self, step: int, model: Model) -> Path:
        """Write what the model is after `step` as a model folder and remove all but the latest three.

        EngineError for weights that are no finite numbers, since nothing could be said with them; OSError when full.
        """
        if not all(bool(weight.isfinite().all()) for weight in model.weights().values()):
            raise EngineError(
                f"The training diverged: at step {step} the weights are no finite numbers any more.",
                "Train again with a lower learning_rate_multiplier.",
            )
        folder = self._models / f"step-{step}"
        if not sealed.is_whole(folder):
            sealed.write(folder, model.save)
        for _, older in _by_step(self._models)[CHECKPOINTS_KEPT:]:
            shutil.rmtree(older)
        return folder

    def keep_state(self, step: int, state: dict[str, Tensor]) -> None:
        """Write what a training needs to go on after `step`; it takes the place of what was there."""
        folder = self._states / f"step-{step}"
        sealed.write(folder, lambda unfinished: save_file(state, unfinished / STATE_FILE))
        for _, older in _by_step(self._states):
            if older != folder:
                shutil.rmtree(older)

    def state(self) -> tuple[int, dict[str, Tensor]] | None:
        """The latest step to go on from, and its state; None when there is none that is whole."""
        for step, folder in _by_step(self._states):
            if sealed.is_whole(folder):
                return step, load_file(folder / STATE_FILE)
        return None


def _by_step(parent: Path) -> list[tuple[int, Path]]:
    """The step folders in `parent`, latest first."""
    folders = [(folder.name.removeprefix("step-"), folder) for folder in parent.glob("step-*")]
    return sorted(((int(step), folder) for step, folder in folders if step.isdecimal()), reverse=True)
