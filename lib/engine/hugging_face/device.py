"""On what a model of this machine runs, in which numbers it computes, and how much memory is free there.

CUDA computes in bfloat16 and Apple's MPS in float32; a processor in what `memory.bytes_per_number` says. It knows no
model and no job.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from lib.engine.hugging_face.memory import bytes_per_number, free_bytes


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute. `numbers` is what it multiplies in; weights that learn are always float32."""

    device: torch.device
    numbers: torch.dtype

    @property
    def bytes_per_number(self) -> int:
        """The size of one number that it multiplies, in bytes."""
        return self.numbers.itemsize

    def free_bytes(self) -> int:
        """The memory that is free on it now."""
        if self.device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.device)[0])
        if self.device.type == "mps":
            free = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
            return max(0, min(int(free), free_bytes()))
        return free_bytes()


def best(parameters: int) -> Device:
    """The device that trains and answers fastest here with a model of this size.

    On CUDA the same seed is made to give the same numbers.
    """
    if torch.cuda.is_available():
        # torchrun tells each process which of the machine's devices is its own.
        rank = int(os.environ.get("LOCAL_RANK", "0") or 0)
        # Both have to be said before the first product of matrices; without them sums are taken in any order.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        device = torch.device("cuda", rank % torch.cuda.device_count())
        # Processes of one training send their sums from the device that is current, which is the first unless said.
        torch.cuda.set_device(device)
        numbers = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
        return Device(device, numbers)
    if torch.backends.mps.is_available():
        return Device(torch.device("mps"), torch.float32)
    return Device(torch.device("cpu"), torch.bfloat16 if bytes_per_number(parameters) == 2 else torch.float32)
