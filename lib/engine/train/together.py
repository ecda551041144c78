"""Several processes that share one training, as `torchrun` starts them: each takes its part of the examples.

All hold the same weights and take the same steps, because what each has found out is added up before anything is done
with it. A wish to stop goes round with the sums, so that all stop after the same step. It knows numbers and tensors, no
training.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn

from lib.engine.train import rank
from lib.engine.train.batches import Indices
from lib.engine.train.stop import Parted, Stopped


class Together:
    """The processes of a training; a process that is alone is one of one, and nothing is sent."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._size = rank.size()
        self.leads = rank.rank() == 0
        if self._size > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def share(self, examples: Indices) -> Indices:
        """This process's part of examples: neighbours go to different processes, so like lengths are shared evenly."""
        return examples[rank.rank() :: self._size]

    def summed(self, numbers: Tensor, stopped: bool) -> Tensor:
        """The sums of a vector over all processes. Raises Stopped when one of them was asked to stop, else Parted."""
        if self._size == 1:
            total = numbers
        else:
            flag = numbers.new_tensor([float(stopped)])
            total = torch.cat((numbers, flag)).to(self._device)
            self._add_up(total)
            stopped = bool(total[-1])
            total = total[:-1].to(numbers.device)
        if stopped:
            raise Stopped
        return total

    def add_gradients(self, weights: Iterable[nn.Parameter], stopped: bool) -> None:
        """Put the sum over all processes into the gradient of each weight. Raises Stopped and Parted as `summed`.

        A weight that has no gradient in any process has none afterwards either.
        """
        if self._size == 1:
            if stopped:
                raise Stopped
            return
        held = list(weights)
        reached = self.summed(torch.tensor([float(weight.grad is not None) for weight in held]), stopped)
        pieces = []
        for weight, times in zip(held, reached.tolist(), strict=True):
            if times:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad.contiguous()
                pieces.append(weight.grad)
        self._add_up(*pieces)

    @torch.no_grad()
    def agree(self, weights: Iterable[Tensor]) -> None:
        """Give every process the first one's values. Raises Parted."""
        if self._size == 1:
            return
        try:
            for weight in weights:
                distributed.broadcast(weight.data, 0)
            # Nobody writes anything before all have read what there was.
            distributed.barrier()
        except RuntimeError as error:
            raise Parted from error

    def _add_up(self, *pieces: Tensor) -> None:
        try:
            # All are on their way at once; nothing is copied.
            for work in [distributed.all_reduce(piece, async_op=True) for piece in pieces]:
                work.wait()
        except RuntimeError as error:
            raise Parted from error
