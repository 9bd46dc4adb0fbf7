"""What the picture data of a file consists of, without copying it."""

from __future__ import annotations

Pieces = list[memoryview]
"""Bytes that belong together, wherever in the file they lie."""

Parts = list[tuple[str, Pieces]]
"""The picture data of a file in order: the name of each part, at most 8 letters, and its bytes."""


def total(parts: Parts) -> int:
    """The number of bytes of some parts."""
    return sum(len(piece) for _, pieces in parts for piece in pieces)


def derived(label: str, value: str) -> tuple[str, Pieces]:
    """A part that is not in the file as such: what a decoder concludes from it."""
    return label, [memoryview(value.encode())]
