"""The time of a file's last change, as far as it can be kept."""

from __future__ import annotations

import os

_FARTHEST = 2**63 - 1
"""Nanoseconds that fit into 64 bits: to the year 2262. File systems hold dates beyond it."""


def modified_ns(status: os.stat_result) -> int:
    """When a file was changed last, in nanoseconds since the epoch, or the nearest that fits."""
    return max(-_FARTHEST, min(status.st_mtime_ns, _FARTHEST))
