"""Chat examples for measuring: about a kilobyte each, several scripts, one in a hundred said twice. Made, not kept."""

from __future__ import annotations

import json
import random
from pathlib import Path

TEXT = (
    "order refund parcel late invoice wrong colour please thanks account locked password reset shipping delay broken "
    "screen café naïve größer über Straße журнал заказ 返品 注文 العميل merci demain factura pedido роза ok 2026 #4711 "
    'said "quoted" text\nnew line and tab\there if x < 3: return {"a": [1, 2]}'
)
WORDS = TEXT.split(" ")


def write_examples(path: Path, examples: int, seed: int = 7) -> Path:
    """Write that many supervised examples to `path`, the same ones for the same seed."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        line = ""
        for number in range(examples):
            if number % 100 != 99:
                line = json.dumps(_example(rng), ensure_ascii=number % 4 == 0)
            file.write(line + "\n")
    return path


def _example(rng: random.Random) -> dict[str, object]:
    messages = [{"role": "system", "content": "You answer customers of a small shop, briefly and politely."}]
    for _ in range(rng.choice((1, 1, 2))):
        messages.append({"role": "user", "content": " ".join(rng.choices(WORDS, k=rng.randint(20, 90)))})
        messages.append({"role": "assistant", "content": " ".join(rng.choices(WORDS, k=rng.randint(10, 60)))})
    return {"messages": messages}
