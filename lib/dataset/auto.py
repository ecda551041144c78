"""What "auto" becomes: the number of epochs and the batch size for a number of examples.

OpenAI does not publish its rules. These are the epochs of its cookbook, which agree with all real jobs that are known
(10 examples → 10 epochs, 11 → 9, 14 → 7, 25 → 4, 60, 85 and 104 → 3), and about 0.2 % of the examples as the batch
size, which Azure documents and which agrees with OpenAI's batch size of 1 up to 525 examples.
"""

from __future__ import annotations

TARGET_EPOCHS = 3
FEW_EXAMPLES = 100
MANY_EXAMPLES = 25_000
MOST_EPOCHS = 25

EXAMPLES_PER_BATCH_ITEM = 500
LARGEST_BATCH = 256


def auto_epochs(n_examples: int) -> int:
    """How many times a service goes through this many examples when it may choose: between 1 and 25."""
    if n_examples * TARGET_EPOCHS < FEW_EXAMPLES:
        return min(MOST_EPOCHS, FEW_EXAMPLES // max(1, n_examples))
    if n_examples * TARGET_EPOCHS > MANY_EXAMPLES:
        return max(1, MANY_EXAMPLES // n_examples)
    return TARGET_EPOCHS


def auto_batch_size(n_examples: int) -> int:
    """How many examples make one step when the service may choose: between 1 and 256."""
    return min(LARGEST_BATCH, max(1, round(n_examples / EXAMPLES_PER_BATCH_ITEM)))
