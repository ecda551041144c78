"""Looking at examples without learning from them: their score, the loss of each, and the loss of each row.

The work is shared among the processes of a training, and ends when one of them is asked to stop. It knows no step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lib.engine.model import Model
from lib.engine.train.batches import Indices, runs
from lib.engine.train.objective import Objective
from lib.engine.train.scoring import Score, said
from lib.engine.train.stop import Stop
from lib.engine.train.together import Together


class Measuring:
    """Measures what a model says. Every method raises Stopped, and Parted when another process is gone."""

    def __init__(self, model: Model, together: Together, stop: Stop) -> None:
        self._model = model
        self._together = together
        self._stop = stop

    def score(self, objective: Objective, examples: Indices) -> Score:
        """The score of all these examples together."""
        total = objective.blank

        def look(group: Indices) -> None:
            nonlocal total
            total += objective.score(group)[1]

        stopped = self._over(objective.runs(self._together.share(examples)), look)
        return total.with_numbers(self._together.summed(total.numbers(), stopped))

    def each(self, objective: Objective, examples: Indices) -> NDArray[np.float64]:
        """The mean loss of each of these examples; not a number where nothing is trained on."""
        losses = torch.zeros(len(objective.counts), dtype=torch.float64)

        def look(group: Indices) -> None:
            losses[group] = objective.score(group)[0].cpu().double()

        stopped = self._over(objective.runs(self._together.share(examples)), look)
        summed = self._together.summed(losses, stopped).numpy()
        with np.errstate(invalid="ignore"):
            means: NDArray[np.float64] = summed[examples] / objective.counts[examples]
        return means

    def rows(self, objective: Objective, rows: Indices) -> Tensor:
        """The summed loss of each of these rows, among zeros for all others."""
        losses = torch.zeros(len(objective.corpus), dtype=torch.float64)

        def look(group: Indices) -> None:
            losses[group] = said(self._model, objective.corpus, group).losses.cpu().double()

        stopped = self._over(runs(self._together.share(rows), objective.corpus.lengths), look)
        return self._together.summed(losses, stopped)

    def _over(self, groups: Iterable[Indices], look: Callable[[Indices], None]) -> bool:
        """Look at group after group; whether that was ended by a wish to stop."""
        with torch.no_grad():
            for group in groups:
                if self._stop.wanted:
                    return True
                look(group)
        return False
