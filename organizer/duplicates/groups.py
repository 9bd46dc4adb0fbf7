"""Pairs that are copies -> groups, each of one image to keep and its copies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from organizer.types import Labels

Confirm = Callable[[Labels, Labels], "np.ndarray[tuple[int], np.dtype[np.bool_]]"]
"""Tells of pairs of rows whether they are copies of one another."""


def group_copies(
    first: Labels, second: Labels, *, order: Sequence[int] | Labels, confirm: Confirm
) -> list[list[int]]:
    """Group images around those to keep.

    Every image of a group is like the one that is kept, not only like another copy: a long series,
    each photo of which is like the next, is no group.

    Args:
        first: ``(m,)`` rows of pairs that are copies.
        second: ``(m,)`` the other rows.
        order: All rows of the pairs, those that are kept rather than others first.
        confirm: Asked of an image that is kept and a copy of a copy of it.

    Returns:
        The groups of two images or more, each with the one that is kept first and the others in
        order; the groups in the order of these.
    """
    linked: dict[int, list[int]] = {}
    known: set[tuple[int, int]] = set()
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        linked.setdefault(a, []).append(b)
        linked.setdefault(b, []).append(a)
        known |= {(a, b), (b, a)}
    rank = {int(row): place for place, row in enumerate(order)}
    grouped: set[int] = set()
    groups: list[list[int]] = []
    for kept in sorted(linked, key=rank.__getitem__):
        if kept in grouped:
            continue
        copies = _copies_of(kept, linked, known, grouped, confirm)
        if copies:
            grouped |= {kept, *copies}
            groups.append([kept, *sorted(copies, key=rank.__getitem__)])
    return groups


def _copies_of(
    kept: int,
    linked: dict[int, list[int]],
    known: set[tuple[int, int]],
    grouped: set[int],
    confirm: Confirm,
) -> set[int]:
    """The copies of an image among those that are linked to it, directly or by way of copies."""
    copies: set[int] = set()
    seen, waiting = {kept}, deque([kept])
    while waiting:
        found = {
            row
            for link in waiting
            for row in linked[link]
            if row not in seen and row not in grouped
        }
        waiting.clear()
        seen |= found
        sure = {row for row in found if (kept, row) in known}
        doubtful = np.array(sorted(found - sure), dtype=np.int64)
        if len(doubtful):
            is_copy = confirm(np.full(len(doubtful), kept, dtype=np.int64), doubtful)
            sure |= set(doubtful[is_copy].tolist())
        copies |= sure
        waiting.extend(sorted(sure))
    return copies
