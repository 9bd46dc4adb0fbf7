"""Copies, or photos of a burst -> which one to keep, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class KeepRule(StrEnum):
    """By what the file to keep is chosen: most pixels, sharpness, capture time, path."""

    LARGEST = "largest"
    SHARPEST = "sharpest"
    OLDEST = "oldest"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Contender:
    """What is known of a file that may be kept.

    Attributes:
        path: Where it lies.
        width: Of its picture, pixels.
        height: Of its picture, pixels.
        bytes: Its size.
        taken_at: When it was taken, ISO 8601; None where that is not known.
        sharpness: See `organizer.duplicates.sharpness`; of the subject where that is known. None
            where it was not measured.
        has_subject: Whether a detector found an animal on it.
        is_cut: Whether that reaches beyond the edge of the picture.
    """

    path: str
    width: int
    height: int
    bytes: int
    taken_at: str | None = None
    sharpness: float | None = None
    has_subject: bool = False
    is_cut: bool = False


def keep_order(contenders: Sequence[Contender], rule: KeepRule) -> list[int]:
    """Order contenders, the one to keep first.

    What is not known comes last; of equals the first by path is kept.

    Args:
        contenders: The files.
        rule: By what.

    Returns:
        Their places in `contenders`.

    Examples:
        >>> small, large = Contender("a.jpg", 100, 80, 5_000), Contender("b.jpg", 200, 160, 9_000)
        >>> keep_order([small, large], KeepRule.LARGEST)
        [1, 0]
    """

    def key(place: int) -> tuple[Any, ...]:
        one = contenders[place]
        return (*_rank(one, rule), -one.width * one.height, -one.bytes, one.path)

    return sorted(range(len(contenders)), key=key)


def _rank(one: Contender, rule: KeepRule) -> tuple[Any, ...]:
    if rule is KeepRule.SHARPEST:
        sharpness = -1.0 if one.sharpness is None else one.sharpness
        return (not one.has_subject, one.is_cut, -sharpness)
    if rule is KeepRule.OLDEST:
        return (one.taken_at is None, one.taken_at or "")
    return (one.path,) if rule is KeepRule.FIRST else ()


def why_kept(kept: Contender, others: Sequence[Contender], rule: KeepRule) -> str:
    """Why a contender is kept rather than others, in a few words."""
    if rule is KeepRule.SHARPEST:
        return _why_sharpest(kept, others)
    if rule is KeepRule.OLDEST:
        if kept.taken_at is None:
            return "no capture time is known: largest"
        return f"taken first: {kept.taken_at.replace('T', ' ')}"
    return "first by path" if rule is KeepRule.FIRST else _why_largest(kept, others)


def _why_largest(kept: Contender, others: Sequence[Contender]) -> str:
    size = kept.width * kept.height
    if any(size > one.width * one.height for one in others):
        return f"most pixels: {kept.width} x {kept.height}"
    if any(kept.bytes > one.bytes for one in others):
        return f"as many pixels, most bytes: {kept.bytes:,}"
    return "all are equal: first by path"


def _why_sharpest(kept: Contender, others: Sequence[Contender]) -> str:
    if kept.sharpness is None:
        return "sharpness cannot be measured: largest"
    if kept.has_subject and not all(one.has_subject for one in others):
        others = [one for one in others if one.has_subject]
        if not others:
            return "the only one with an animal on it"
    if kept.has_subject and not kept.is_cut and any(one.is_cut for one in others):
        others = [one for one in others if not one.is_cut]
        if not others:
            return "the only one with the whole animal in the picture"
    measured = [one.sharpness for one in others if one.sharpness is not None]
    of = "animal" if kept.has_subject else "picture"
    next_best = f", the next {max(measured):.0f}" if measured else ""
    return f"sharpest {of}: {kept.sharpness:.0f}{next_best}"
