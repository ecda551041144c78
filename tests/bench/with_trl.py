"""`python -m tests.bench.with_trl MODEL EXAMPLES ROOM RATE BATCH NUMBERS`: the same by TRL's SFTTrainer.

All of SFTConfig is left at its defaults (so gradient checkpointing is on, examples are padded in shuffled batches, and
loss, entropy and accuracy are logged every ten steps) but for this:

- `assistant_only_loss`, the batch size, one epoch, and the learning rate with its warm-up, decay, betas and weight
  decay as Etude's, so that both learn the same in the same steps;
- the processor and no saving, no reports to services, no progress bar: all of which cost time;
- `bf16` where NUMBERS is "float32", because this processor may be faster without its default.

Prints one JSON line as `with_etude` does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from lib.engine.train import descent


class Timed(TrainerCallback):
    """Remembers the CPU time at each step's end."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.times.append(time.process_time())


class Counting(SFTTrainer):
    """Remembers what each step reads, without its padding and with it, what of it is trained, and its loss."""

    def training_step(self, model: Any, inputs: Any, *rest: Any) -> Any:
        mask = inputs["attention_mask"]
        read = int(mask.sum()), mask.numel(), int((inputs["labels"][:, 1:] != -100).sum())
        loss = super().training_step(model, inputs, *rest)
        seen.append((*read, loss))
        return loss


seen: list[tuple[int, int, int, Any]] = []


def main() -> None:
    base, examples, room, rate, batch, numbers = sys.argv[1:]
    lines = [json.loads(line) for line in Path(examples).read_text(encoding="utf-8").splitlines()]
    steps = -(-len(lines) // int(batch))
    settings = SFTConfig(
        output_dir=room,
        assistant_only_loss=True,
        per_device_train_batch_size=int(batch),
        num_train_epochs=1,
        learning_rate=float(rate),
        warmup_steps=max(1, round(descent.WARM_UP_SHARE * steps)),
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": descent.FINAL_SHARE},
        adam_beta1=descent.BETAS[0],
        adam_beta2=descent.BETAS[1],
        weight_decay=descent.WEIGHT_DECAY,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **({"bf16": False} if numbers == "float32" else {}),
    )
    timed = Timed()
    trainer = Counting(model=base, args=settings, train_dataset=Dataset.from_list(lines), callbacks=[timed])
    trainer.train()
    trainer.save_model(room)
    told = {
        "cpu_seconds": timed.times[-1] - timed.times[0],
        "tokens": sum(one[0] for one in seen[1:]),
        "computed": sum(one[1] for one in seen[1:]),
        "losses": [float(one[3]) for one in seen],
        "counts": [one[2] for one in seen],
        "folder": room,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
