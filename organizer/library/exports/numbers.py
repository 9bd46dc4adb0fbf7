"""Numbers as every format can hold them."""

from __future__ import annotations

import math


def finite(value: float | None) -> float | None:
    """A number; None for what is none."""
    return value if value is not None and math.isfinite(value) else None
