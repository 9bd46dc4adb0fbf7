"""Counts in plain words: "1 image", "1,000 images"."""

from __future__ import annotations


def count_text(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    Args:
        count: How many.
        noun: What one is called, with its verb where one follows: "image", "image has".
        plural: What several are called; the noun with an s where it is empty.

    Examples:
        >>> count_text(1, "image has", "images have")
        '1 image has'
        >>> count_text(2_000, "image")
        '2,000 images'
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
