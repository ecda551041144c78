"""How sure a share is: Wilson's interval, which stays honest for few examples and for shares of 0 and 1."""

from __future__ import annotations

import math

Z95 = 1.959963984540054


def wilson(right: int, of: int, z: float = Z95) -> tuple[float, float]:
    """The interval around right/of, both between 0 and 1; nothing measured says nothing: (0, 1). `z` is for 95 %.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if of == 0:
        return 0.0, 1.0
    share = right / of
    middle = share + z * z / (2 * of)
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    # At 0 and 1 the ends are the share itself, up to rounding.
    return max(0.0, min(share, (middle - spread) / scale)), min(1.0, max(share, (middle + spread) / scale))
