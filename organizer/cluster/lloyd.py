"""Lloyd's iterations that leave out products which cannot change anything.

Each row keeps an upper bound of the distance to its own centroid and a lower bound of that to any
other one. Centroids move less and less, and by the triangle inequality a bound changes by no more
than the centroid moved (Hamerly 2010). A few centroids that jump would spoil the one lower bound
of each row, so those that moved most are compared with directly; how many is chosen in each
iteration, so that the products left to do are fewest. Labels are those of Lloyd's algorithm but for
ties within float32's rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.constrained import Constraints
from organizer.cluster.products import Compare, Nearest, Products, Run
from organizer.cluster.space import Space, rows_at_once
from organizer.types import Labels, Vectors

_SAMPLE = 2_048
_WORTH_WHILE = 0.9
"""Tightening the bounds reads all open rows once more: it has to save this much at least."""

_SHIFTED_AT_ONCE = 8_192


@dataclass(frozen=True, slots=True)
class Fit:
    """Where one start led.

    Attributes:
        labels: ``(n,)`` int64, the nearest allowed centroid of each row.
        centroids: ``(k, dim)`` float32, none without a member.
        kept: ``(k,)`` int64, which of the centroids at the start these were.
        inertia: Sum of squared distances to the own centroid.
        n_iter: Iterations that ran.
    """

    labels: Labels
    centroids: Vectors
    kept: Labels
    inertia: float
    n_iter: int


def lloyd(
    space: Space,
    start: Vectors,
    *,
    products: Products,
    run: Run,
    constraints: Constraints,
    max_iter: int,
    tol: float,
) -> Fit:
    """Lloyd's iterations from some centroids.

    Args:
        space: The vectors.
        start: ``(k, dim)`` float32 in the coordinates of the space.
        products: Who multiplies.
        run: Who runs blocks.
        constraints: What holds in every iteration.
        max_iter: Iterations at most.
        tol: Stop when no larger share of the rows changed their centroid in an iteration.
    """
    state = _State(space, start, products, run, constraints)
    iteration = 0
    for iteration in range(1, max_iter + 1):
        moved = state.assign()
        if not moved:
            break
        state.update()
        if moved <= tol * len(space):
            state.assign()
            break
    else:
        state.assign()
    # A cluster may have lost its last row just now; it may still get one that lies far out.
    for _ in range(len(start)):
        if not state.relocated:
            break
        state.update()
        state.assign()
    return state.result(iteration)


class _State:
    """Labels, bounds and sums between two iterations."""

    def __init__(
        self,
        space: Space,
        start: Vectors,
        products: Products,
        run: Run,
        constraints: Constraints,
    ) -> None:
        n, k = len(space), len(start)
        self.space, self.products, self.run, self.constraints = space, products, run, constraints
        self.centroids, self.lengths = start, _lengths(start)
        self.labels = np.full(n, -1, dtype=np.int64)
        self.summed = self.labels.copy()
        self.upper = np.full(n, np.inf, dtype=np.float32)
        self.lower = np.zeros(n, dtype=np.float32)
        self.sums = np.zeros((k, space.dim))
        self.drift = np.zeros(k, dtype=np.float32)
        self.step = rows_at_once(max(k, space.dim))
        self.relocated = 0
        self.slop = space.rounding() + 1e-6 * float((start**2).sum(axis=1).max(initial=0.0))

    def assign(self) -> int:
        """Give each row its nearest centroid; the number of rows that changed theirs."""
        before = self.labels.copy()
        if before[0] < 0:
            self._compare(np.arange(len(before)), None)
        else:
            self._compare_open()
        self._constrain()
        self._fill_empty()
        return int(np.count_nonzero(before != self.labels))

    def update(self) -> None:
        """Move each centroid to the mean of its rows; one without rows stays."""
        self._sum_changes()
        counts = np.bincount(self.labels, minlength=len(self.centroids))
        lengths = np.linalg.norm(self.sums, axis=1) if self.space.spherical else counts
        there = (counts > 0) & (lengths > 0)
        moved = self.centroids.copy()
        moved[there] = self.sums[there] / lengths[there, None]
        change = np.linalg.norm(moved.astype(np.float64) - self.centroids, axis=1)
        self.drift = np.asarray(change * (1 + 1e-6), dtype=np.float32)
        self.centroids, self.lengths = moved, _lengths(moved)

    def result(self, n_iter: int) -> Fit:
        """What is there now, without the clusters that are empty."""
        counts = np.bincount(self.labels, minlength=len(self.centroids))
        kept = np.flatnonzero(counts)
        labels = (np.cumsum(counts > 0) - 1)[self.labels]
        inertia = sum(self.run(self._inertia, self._chunks(np.arange(len(labels)))))
        return Fit(labels, self.centroids[kept], kept, float(inertia), n_iter)

    def _compare_open(self) -> None:
        """Compare the rows whose bounds do not tell, with as few centroids as will do."""
        self.upper += self.drift[self.labels]
        order = np.argsort(-self.drift, kind="stable")
        farthest = self.drift[order[0]]
        is_open = self.upper > self.lower - farthest - np.sqrt(self.slop) * 1e-3
        self.lower[~is_open] -= farthest
        rows = np.flatnonzero(is_open)
        if len(rows):
            n_movers = self._plan(rows, self.drift[order])
            self._compare(rows, None if n_movers is None else order[:n_movers], order)

    def _plan(self, rows: Labels, drift: NDArray[np.float32]) -> int | None:
        """How many of the centroids that moved most to compare with all open rows; None is all.

        A row whose bounds do not tell even then is compared with all k. For m movers that makes
        ``m + k * share of such rows`` products a row, which a sample of the rows tells.
        """
        k = len(drift)
        sample = rows[:: max(1, len(rows) // _SAMPLE)]
        upper = self._own(self.space.take(sample), sample)
        slack = np.sort(self.lower[sample] - upper)
        failing = np.searchsorted(slack, drift) / len(sample)
        cost = np.arange(k) * (1 - failing) + k * failing
        best = int(cost.argmin())
        return best if cost[best] <= _WORTH_WHILE * k else None

    def _compare(self, rows: Labels, movers: Labels | None, order: Labels | None = None) -> None:
        compare = self.products(self.centroids)
        if movers is None:
            list(self.run(lambda chunk: self._compare_all(chunk, compare), self._chunks(rows)))
            return
        assert order is not None  # noqa: S101 - for the type checker
        rest = float(self.drift[order[len(movers)]]) if len(movers) < len(order) else 0.0
        some = self.products(self.centroids[movers]) if len(movers) else None

        def both(chunk: Labels) -> None:
            block = self.space.take(_as_slice(chunk))
            self.upper[chunk] = self._own(block, chunk)
            fails = self.upper[chunk] > self.lower[chunk] - rest
            self._keep(chunk[fails], compare(block[fails], self.space.squares[chunk[fails]]))
            passing = chunk[~fails]
            self.lower[passing] -= rest
            if some is not None and len(passing):
                self._meet(passing, movers, some(block[~fails], self.space.squares[passing]))

        list(self.run(both, self._chunks(rows)))

    def _compare_all(self, chunk: Labels, compare: Compare) -> None:
        block = self.space.take(_as_slice(chunk))
        self._keep(chunk, compare(block, self.space.squares[chunk]))

    def _keep(self, rows: Labels, found: Nearest) -> None:
        """Rows that were compared with all centroids."""
        first, best, second = found
        self.labels[rows] = first
        self.upper[rows] = np.sqrt(best + self.slop)
        self.lower[rows] = np.sqrt(np.maximum(second - self.slop, 0))

    def _meet(self, rows: Labels, movers: Labels, found: Nearest) -> None:
        """Rows that were compared with some centroids, and cannot be nearer to any other."""
        first, best, second = found
        first = movers[first]
        own = self.labels[rows]
        rival = np.where(first == own, second, best)
        wins = (first != own) & (best < np.square(self.upper[rows]) - self.slop)
        self.labels[rows[wins]] = first[wins]
        far = np.sqrt(np.maximum(rival - self.slop, 0))
        self.lower[rows] = np.minimum(self.lower[rows], far)
        # Whoever changes: the former centroid and the second mover are now among the others.
        former = np.sqrt(np.maximum(np.square(self.upper[rows]) - 2 * self.slop, 0))
        others = np.minimum(former, np.sqrt(np.maximum(second - self.slop, 0)))
        self.lower[rows[wins]] = np.minimum(self.lower[rows], others)[wins]
        self.upper[rows[wins]] = np.sqrt(best[wins] + self.slop)

    def _own(self, block: Vectors, rows: Labels) -> NDArray[np.float32]:
        """Upper bound of the distance of rows to their own centroids."""
        return np.asarray(np.sqrt(self._squared(block, rows) + self.slop), dtype=np.float32)

    def _squared(self, block: Vectors, rows: Labels) -> NDArray[np.float32]:
        own = self.centroids[self.labels[rows]]
        products = np.einsum("ij,ij->i", block, own)
        squared = self.space.squares[rows] - 2 * products + self.lengths[self.labels[rows]]
        return np.asarray(np.maximum(squared, 0), dtype=np.float32)

    def _inertia(self, chunk: Labels) -> float:
        block = self.space.take(_as_slice(chunk))
        block = block - self.centroids[self.labels[chunk]]
        return float(np.einsum("ij,ij->i", block, block).sum(dtype=np.float64))

    def _constrain(self) -> None:
        """The nearest allowed centroid of each constrained row; bounds leave these rows alone."""
        held = self.constraints
        for start in range(0, len(held.rows), self.step):
            part = slice(start, start + self.step)
            rows = held.rows[part]
            distances = self.lengths - 2 * (self.space.take(rows) @ self.centroids.T)
            distances[~held.allowed(part)] = np.inf
            self.labels[rows] = distances.argmin(axis=1)
        self.upper[held.rows], self.lower[held.rows] = -np.inf, np.inf

    def _fill_empty(self) -> None:
        """Give each empty cluster the free row that lies farthest from its own centroid.

        Not where all lie on their centroids: those images cannot be told apart.
        """
        self.relocated = 0
        counts = np.bincount(self.labels, minlength=len(self.centroids))
        for empty in np.flatnonzero(counts == 0):
            far = np.where(counts[self.labels] > 1, self.upper, -np.inf)
            row = int(far.argmax())
            if not far[row] > 2 * np.sqrt(2 * self.slop):
                return
            counts[self.labels[row]] -= 1
            counts[empty] += 1
            self.labels[row] = empty
            self.upper[row], self.lower[row] = np.inf, 0
            self.relocated += 1

    def _sum_changes(self) -> None:
        """Bring the sums up to date with the labels: only rows that changed are read."""
        changed = np.flatnonzero(self.summed != self.labels)
        if 2 * len(changed) > len(self.labels):
            self.sums[:] = 0
            self.summed[:] = -1
            changed = np.arange(len(self.labels))
        for start in range(0, len(changed), _SHIFTED_AT_ONCE):
            rows = changed[start : start + _SHIFTED_AT_ONCE]
            self.sums += self._shift(rows)
        self.summed[changed] = self.labels[changed]

    def _shift(self, rows: Labels) -> Vectors:
        from scipy.sparse import coo_matrix

        were = np.flatnonzero(self.summed[rows] >= 0)
        clusters = np.concatenate([self.labels[rows], self.summed[rows][were]])
        columns = np.concatenate([np.arange(len(rows)), were])
        signs = np.ones(len(columns), dtype=np.float32)
        signs[len(rows) :] = -1
        shape = (len(self.centroids), len(rows))
        matrix = coo_matrix((signs, (clusters, columns)), shape=shape).tocsr()
        return np.asarray(matrix @ self.space.take(_as_slice(rows)))

    def _chunks(self, rows: Labels) -> list[Labels]:
        return [rows[start : start + self.step] for start in range(0, len(rows), self.step)]


def _lengths(centroids: Vectors) -> NDArray[np.float32]:
    """Squared lengths."""
    return np.asarray(np.einsum("ij,ij->i", centroids, centroids), dtype=np.float32)


def _as_slice(rows: Labels) -> Labels | slice:
    """Rows that follow each other as a slice, which numpy does not copy."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
