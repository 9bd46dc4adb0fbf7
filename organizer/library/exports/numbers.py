"""Numbers that every format can hold."""

from __future__ import annotations

import math


def finite(value: float | None) -> float | None:
    """A finite number as it is; None for any other."""
    return value if value is not None and math.isfinite(value) else None
