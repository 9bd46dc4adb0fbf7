"""Centring by groups: what all photos of a camera have in common is taken out of their vectors.

The mean of a group (the photos of one camera, those taken in infrared) is subtracted from each of
its vectors and the mean of all is added: the location half of what ComBat does to the batches of
a laboratory (Johnson, Li and Rabinovic 2007, Biostatistics 8). As there, the mean of a small group
is drawn towards that of all, for a camera that saw one animal has that animal in its mean: the mean
of all counts for as many images as there is variance within the groups to one between them.

It takes out what differs between groups, whatever that is: where one camera sees foxes and another
one owls, the difference of fox and owl goes too. `benchmarks/centring.py` measures both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.reduce.neighbours import normalised
from organizer.types import Vectors

LEAST_PRIOR = 2.0
"""Images that the mean of all counts for in the mean of a group, at least: one photo is no mean."""

_MOST_PRIOR = 1e6
_NAMES, _COUNTS, _SUMS = "center.names", "center.counts", "center.sums"
_FITTED, _PRIOR = "center.fitted", "center.prior"
_ROWS_AT_ONCE = 8_192


class Centring:
    """The means of groups of vectors.

    A group that is unknown when this is fitted is learned from its first images, and better with
    each further one. The groups that are known stay as they are, and so do their images.

    Args:
        names: The group of each row of what was counted; one may have several rows.
        counts: ``(r,)`` int64, how many vectors.
        sums: ``(r, dim)`` float64, their sum.
        fitted: So many rows, the first ones, are those that this was fitted to.
        prior: Images that the mean of all counts for in the mean of a group.
    """

    def __init__(
        self,
        names: Sequence[str],
        counts: NDArray[np.int64],
        sums: NDArray[np.float64],
        fitted: int,
        prior: float,
    ) -> None:
        self._names, self._counts, self._sums = list(names), counts, sums
        self._fitted, self._prior = fitted, prior
        self._mean = sums[:fitted].sum(axis=0) / max(int(counts[:fitted].sum()), 1)
        self._shift_of = self._shifts()

    @classmethod
    def fit(cls, vectors: NDArray[Any], groups: Sequence[str]) -> Self:
        """Measure the groups of ``(n, dim)`` unit vectors."""
        names, counts, sums = _counted(vectors, groups)
        return cls(names, counts, sums, len(names), _prior(vectors, counts, sums))

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]]) -> Self | None:
        """As it was stored; None where the state is that of no centring."""
        if _NAMES not in state:
            return None
        names = [str(name) for name in state[_NAMES]]
        fitted, prior = int(state[_FITTED][0]), float(state[_PRIOR][0])
        return cls(names, state[_COUNTS], state[_SUMS], fitted, prior)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was fitted and learned."""
        once = {_FITTED: np.array([self._fitted]), _PRIOR: np.array([self._prior])}
        return _rows(self._names, self._counts, self._sums) | once

    def knows(self, group: str) -> bool:
        """Whether any vector of a group was counted."""
        return group in self._shift_of

    def learn(self, vectors: NDArray[Any], groups: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Take images of groups in that this was not fitted to.

        Returns:
            What the state has more than before, to be appended to each array; empty for nothing.
        """
        fitted = set(self._names[: self._fitted])
        rows = [row for row, name in enumerate(groups) if name not in fitted]
        if not rows:
            return {}
        names, counts, sums = _counted(vectors[rows], [groups[row] for row in rows])
        self._names += names
        self._counts = np.concatenate([self._counts, counts])
        self._sums = np.concatenate([self._sums, sums])
        self._shift_of = self._shifts()
        return _rows(names, counts, sums)

    def centred(self, vectors: NDArray[Any], groups: Sequence[str]) -> NDArray[Any]:
        """The vectors without what their groups have in common.

        Args:
            vectors: ``(n, dim)`` float32 or float16 of unit length.
            groups: The group of each; one that is unknown is at the mean of all.

        Returns:
            ``(n, dim)`` of unit length, of the type of the vectors.
        """
        found = np.empty_like(vectors)
        nothing = np.zeros(vectors.shape[1], dtype=np.float32)
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            shifts = np.stack([self._shift_of.get(name, nothing) for name in groups[rows]])
            block = vectors[rows].astype(np.float32, copy=False)
            shifts[~block.any(axis=1)] = 0  # a vector without features stays zero
            found[rows] = normalised(block + shifts)
        return found

    def _shifts(self) -> dict[str, Vectors]:
        """What is added to the vectors of each group."""
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self._names):
            rows.setdefault(name, []).append(row)
        shifts = {}
        for name, mine in rows.items():
            count, total = self._counts[mine].sum(), self._sums[mine].sum(axis=0)
            shrunk = (total + self._prior * self._mean) / (count + self._prior)
            shifts[name] = (self._mean - shrunk).astype(np.float32)
        return shifts


def _counted(
    vectors: NDArray[Any], groups: Sequence[str]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
    names, number = np.unique(np.array(groups, dtype=np.str_), return_inverse=True)
    counts = np.bincount(number, minlength=len(names)).astype(np.int64)
    sums = np.zeros((len(names), vectors.shape[1]))
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        np.add.at(sums, number[rows], vectors[rows].astype(np.float64))
    return [str(name) for name in names], counts, sums


def _prior(vectors: NDArray[Any], counts: NDArray[np.int64], sums: NDArray[np.float64]) -> float:
    """The variance within the groups to that between them, by the moments of a one-way layout."""
    n, groups = int(counts.sum()), len(counts)
    if groups < 2 or n == groups:
        return LEAST_PRIOR
    squares = sum(
        float(np.square(vectors[start : start + _ROWS_AT_ONCE].astype(np.float64)).sum())
        for start in range(0, n, _ROWS_AT_ONCE)
    )
    of_means = float((np.square(sums).sum(axis=1) / counts).sum())
    within = (squares - of_means) / (n - groups)
    between = (of_means - float(np.square(sums.sum(axis=0)).sum()) / n) / (groups - 1)
    usual = (n - float(np.square(counts).sum()) / n) / (groups - 1)
    variance = (between - within) / usual
    if variance * _MOST_PRIOR <= within:
        return _MOST_PRIOR
    return max(LEAST_PRIOR, within / variance)


def _rows(
    names: Sequence[str], counts: NDArray[np.int64], sums: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    return {_NAMES: np.array(names, dtype=np.str_), _COUNTS: counts, _SUMS: sums}
