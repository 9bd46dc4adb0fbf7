"""A set of image ids that stays small: 16 bytes an id where a Python set takes over a hundred."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_LOOSE = 65_536
_DIGITS = 32
"""Hexadecimal digits of an id."""

IdArray = NDArray[np.bytes_]
"""``(n,)`` of 16 bytes. Two ids of equal length differ in this type exactly if they differ: numpy
ignores trailing zero bytes on both sides alike."""


class IdSet:
    """Ids, each 32 hexadecimal digits: most in one sorted array, the latest in a Python set."""

    def __init__(self, ids: Sequence[str] | IdArray = ()) -> None:
        self._sorted = np.unique(ids if isinstance(ids, np.ndarray) else pack_ids(ids))
        self._loose: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._loose)

    def __contains__(self, image_id: str) -> bool:
        packed = bytes.fromhex(image_id)
        if packed in self._loose:
            return True
        place = int(np.searchsorted(self._sorted, packed))
        return place < len(self._sorted) and bytes(self._sorted[place]) == packed.rstrip(b"\0")

    def add(self, ids: Iterable[str]) -> None:
        """Add ids that are not in the set."""
        self._loose.update(bytes.fromhex(image_id) for image_id in ids)
        if len(self._loose) > _LOOSE:
            loose = np.array(list(self._loose), dtype="S16")
            self._sorted = np.unique(np.concatenate([self._sorted, loose]))
            self._loose = set()

    def holds(self, ids: IdArray) -> NDArray[np.bool_]:
        """For each of many ids whether it is in the set."""
        loose = np.array(sorted(self._loose), dtype="S16")
        return contains_ids(self._sorted, ids) | contains_ids(loose, ids)


class IdRows:
    """The rows of ids in an array, to be looked up many at a time.

    Args:
        ids: ``(n,)`` ids, each once.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        packed = pack_ids(ids)
        self._order = np.argsort(packed, kind="stable")
        self._ids = packed[self._order]

    def of(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """``(m,)`` the row of each id; -1 for one that is not there."""
        wanted = pack_ids(ids)
        if not len(self._ids):
            return np.full(len(wanted), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        return np.where(self._ids[places] == wanted, self._order[places], -1)


def pack_ids(ids: Iterable[str]) -> IdArray:
    """Hexadecimal ids as an array of 16 bytes each."""
    listed = ids if isinstance(ids, list) else list(ids)
    whole = bytes.fromhex("".join(listed))
    if len(whole) == 16 * len(listed) and all(map(_DIGITS.__eq__, map(len, listed))):
        return np.frombuffer(whole, dtype="S16")
    return np.array([bytes.fromhex(image_id) for image_id in listed], dtype="S16")


def unpack_ids(ids: IdArray) -> list[str]:
    """The inverse of `pack_ids`."""
    return [bytes(packed).ljust(16, b"\0").hex() for packed in ids]


def contains_ids(ascending: IdArray, wanted: IdArray) -> NDArray[np.bool_]:
    """For each wanted id whether it is in a sorted array."""
    if not len(ascending):
        return np.zeros(len(wanted), dtype=np.bool_)
    places = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.asarray(ascending[places] == wanted)
