"""Lloyd's iterations that leave out products which cannot change anything.

Each row keeps an upper bound of the distance to its own centroid and a lower bound of that to any
other one. Centroids move less and less, and by the triangle inequality a bound changes by no more
than the centroid moved (Hamerly 2010). A few centroids that jump would spoil the one lower bound
of each row, so those that moved most are compared with directly; how many is chosen in each
iteration, so that the products left to do are fewest. Labels are those of Lloyd's algorithm but for
ties within float32's rounding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.constrained import RowConstraints
from organizer.cluster.metric_space import MetricSpace, as_slice, rows_at_once
from organizer.cluster.products import Nearest, ParallelRun, Products
from organizer.cluster.sums import CentroidSums
from organizer.types import Labels, Vectors

_SAMPLE = 2_048
_WORTH_WHILE = 0.9
"""Tightening the bounds reads all open rows once more: it has to save this much at least."""

_READING, _TIGHTENING = 20, 25
"""What it costs a row to be read and copied, and to have the exact distance to its own centroid,
in products of a matrix product: these are bound by memory, not by arithmetic."""

_NEARLY_ALL = 0.8
_FARTHEST = 256


@dataclass(frozen=True, slots=True)
class LloydFit:
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


class Lloyd(Protocol):
    """Lloyd's iterations from some centroids, wherever they run."""

    def __call__(
        self,
        space: MetricSpace,
        start: Vectors,
        *,
        constraints: RowConstraints,
        max_iter: int,
        tol: float,
    ) -> LloydFit:
        """Iterate.

        Args:
            space: The vectors.
            start: ``(k, dim)`` float32 in the coordinates of the space.
            constraints: What holds in every iteration.
            max_iter: Iterations at most.
            tol: Stop when no larger share of the rows changed their centroid in an iteration.
        """
        ...


def lloyd(
    space: MetricSpace,
    start: Vectors,
    *,
    products: Products,
    run: ParallelRun,
    constraints: RowConstraints,
    max_iter: int,
    tol: float,
) -> LloydFit:
    """See `Lloyd`, on the processor: `run` runs blocks, `products` multiplies."""
    return iterate(
        _BoundedState(space, start, products, run, constraints), max_iter=max_iter, tol=tol
    )


def iterate(state: LloydState, *, max_iter: int, tol: float) -> LloydFit:
    """Iterate until few rows change; see `Lloyd`."""
    n_iter = 0
    for n_iter in range(1, max_iter + 1):  # noqa: B007 - the last one is returned
        moved = state.assign()
        if not moved:
            break
        state.update()
        if moved <= tol * len(state.space):
            state.assign()
            break
    else:
        state.assign()
    # A cluster may have lost its last row just now; it may still get one that lies far out.
    for _ in range(len(state.centroids)):
        if not state.relocated:
            break
        state.update()
        state.assign()
    return state.result(n_iter)


class LloydState(ABC):
    """Labels and centroids between two iterations."""

    def __init__(self, space: MetricSpace, start: Vectors, constraints: RowConstraints) -> None:
        n, k = len(space), len(start)
        self.space, self.constraints = space, constraints
        self.centroids = start
        self.directions, self.offsets = space.directions(start)
        self.labels = np.full(n, -1, dtype=np.int64)
        self.upper = np.full(n, np.inf, dtype=np.float32)
        self.lower = np.zeros(n, dtype=np.float32)
        self.drift = np.zeros(k, dtype=np.float32)
        self.step = rows_at_once(max(k, space.dim))
        self.relocated = 0
        self.slop = space.rounding

    @abstractmethod
    def compare(self) -> None:
        """Give each row its nearest centroid, and an upper bound of the distance to it."""

    @abstractmethod
    def sums(self) -> NDArray[np.float64]:
        """``(k, dim)``, the sums of each cluster's rows."""

    @abstractmethod
    def inertia(self) -> float:
        """Sum of squared distances to the own centroid."""

    def assign(self) -> int:
        """Give each row its nearest centroid; the number of rows that changed theirs."""
        previous = self.labels.copy()
        self.compare()
        self._constrain()
        self._fill_empty()
        return int(np.count_nonzero(previous != self.labels))

    def update(self) -> None:
        """Move each centroid to the mean of its rows; one without rows stays."""
        sums = self.sums()
        counts = np.bincount(self.labels, minlength=len(self.centroids))
        lengths = np.linalg.norm(sums, axis=1) if self.space.spherical else counts
        has_mean = (counts > 0) & (lengths > 0)
        moved = self.centroids.copy()
        moved[has_mean] = sums[has_mean] / lengths[has_mean, None]
        if (counts == 1).any():
            # To the last bit, so that look-alikes stay apart.
            alone = np.flatnonzero(counts[self.labels] == 1)
            moved[self.labels[alone]] = self.space.take(alone)
        change = np.linalg.norm(moved.astype(np.float64) - self.centroids, axis=1)
        self.drift = np.asarray(change * (1 + 1e-6), dtype=np.float32)
        self.centroids = moved
        self.directions, self.offsets = self.space.directions(moved)

    def result(self, n_iter: int) -> LloydFit:
        """The current state, without empty clusters."""
        counts = np.bincount(self.labels, minlength=len(self.centroids))
        kept = np.flatnonzero(counts)
        labels = (np.cumsum(counts > 0) - 1)[self.labels]
        return LloydFit(labels, self.centroids[kept], kept, self.inertia(), n_iter)

    def _constrain(self) -> None:
        """The nearest allowed centroid of each constrained row; bounds leave these rows alone."""
        held = self.constraints
        for start in range(0, len(held.rows), self.step):
            part = slice(start, start + self.step)
            rows = held.rows[part]
            distances = self.offsets - self.space.take(rows) @ self.directions.T
            distances[~held.allowed(part)] = np.inf
            self.labels[rows] = distances.argmin(axis=1)
        self.upper[held.rows], self.lower[held.rows] = -np.inf, np.inf

    def _fill_empty(self) -> None:
        """Give each empty cluster one of the free rows that lie farthest from their own centroids.

        Not one that lies on its centroid: such images cannot be distinguished.
        """
        self.relocated = 0
        counts = np.bincount(self.labels, minlength=len(self.centroids))
        empty = np.flatnonzero(counts == 0).tolist()
        for row in self._farthest(max(_FARTHEST, 4 * len(empty))) if empty else ():
            if counts[self.labels[row]] > 1:
                counts[self.labels[row]] -= 1
                self.labels[row] = empty.pop()
                self.upper[row], self.lower[row] = np.inf, 0
                self.relocated += 1
            if not empty:
                return

    def _farthest(self, most: int) -> Labels:
        """Free rows off their centroids, the farthest first, of those with the highest bounds."""
        rows = np.arange(len(self.labels))
        if len(rows) > most:
            rows = np.sort(np.argpartition(self.upper, -most)[-most:])
        rows = rows[self.upper[rows] > -np.inf]
        difference = self.space.take(rows) - self.centroids[self.labels[rows]]
        squared = np.einsum("ij,ij->i", difference, difference)
        order = np.argsort(-squared, kind="stable")
        return np.asarray(rows[order[squared[order] > self.slop / 8]], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What open rows are compared with: the movers, after none of the rest moved more than this."""

    movers: Labels
    rest: float
    tighten: bool


class _BoundedState(LloydState):
    """Compares on the processor, and only what the bounds of the distances leave open."""

    def __init__(
        self,
        space: MetricSpace,
        start: Vectors,
        products: Products,
        run: ParallelRun,
        constraints: RowConstraints,
    ) -> None:
        super().__init__(space, start, constraints)
        self.products, self.run = products, run
        self.running_sums = CentroidSums(space, len(start))

    def compare(self) -> None:
        """See `LloydState`."""
        if self.labels[0] < 0:
            self._compare(np.arange(len(self.labels)))
        else:
            self._compare_open()

    def sums(self) -> NDArray[np.float64]:
        """See `LloydState`."""
        self.running_sums.update(self.labels)
        return self.running_sums.sums

    def inertia(self) -> float:
        """See `LloydState`."""
        return float(sum(self.run(self._inertia, self._chunks(np.arange(len(self.labels))))))

    def _compare_open(self) -> None:
        """Compare the rows whose bounds do not decide, with as few centroids as suffice."""
        self.upper += self.drift[self.labels]
        order = np.argsort(-self.drift, kind="stable")
        farthest = self.drift[order[0]]
        is_open = self.upper > self.lower - farthest - 1e-3 * np.sqrt(self.slop)
        rows = np.flatnonzero(is_open)
        if len(rows) > _NEARLY_ALL * len(is_open):
            rows = np.arange(len(is_open))  # not worth selecting
        else:
            self.lower[~is_open] -= farthest
        if not len(rows):
            return
        plan = self._plan(rows, order)
        if plan is None:
            self._compare(rows)
        else:
            self._compare_some(rows, plan)

    def _plan(self, rows: Labels, order: Labels) -> _Plan | None:
        """What to compare the open rows with; None is all centroids.

        A row whose bounds do not decide even after the centroids that moved most are left out is
        compared with all k. For m such movers that makes ``m + k * share of these rows`` products
        a row, and a sample of the rows estimates the share, with and without tight upper bounds.
        """
        sample = rows[:: max(1, len(rows) // _SAMPLE)]
        tight = self._own(self.space.take(sample), sample)
        most, plan = _WORTH_WHILE * len(order), None
        for tighten, upper in ((False, self.upper[sample]), (True, tight)):
            slack = np.sort(self.lower[sample] - upper)
            failing = np.searchsorted(slack, self.drift[order]) / len(sample)
            cost = np.arange(len(order)) + len(order) * failing
            cost += _READING + _TIGHTENING * tighten
            best = int(cost.argmin())
            if cost[best] < most:
                rest = float(self.drift[order[best]])
                most, plan = float(cost[best]), _Plan(order[:best], rest, tighten)
        return plan

    def _compare(self, rows: Labels) -> None:
        """Compare with all centroids."""
        compare = self.products(self.centroids)

        def every(chunk: Labels) -> None:
            block = self.space.take(as_slice(chunk))
            self._keep(chunk, compare(block, self.space.squares[chunk]))

        list(self.run(every, self._chunks(rows)))

    def _compare_some(self, rows: Labels, plan: _Plan) -> None:
        """Compare with the movers, and with all centroids where the bounds do not decide."""
        compare = self.products(self.centroids)
        movers = self.products(self.centroids[plan.movers]) if len(plan.movers) else None

        def some(chunk: Labels) -> None:
            block, squares = self.space.take(as_slice(chunk)), self.space.squares[chunk]
            if plan.tighten:
                self.upper[chunk] = self._own(block, chunk)
            self.lower[chunk] -= plan.rest
            fails = self.upper[chunk] > self.lower[chunk]
            if 2 * np.count_nonzero(fails) > len(chunk):
                self._keep(chunk, compare(block, squares))
                return
            if movers is not None:
                self._merge_bounds(chunk, block, plan.movers, movers(block, squares))
            if fails.any():
                self._keep(chunk[fails], compare(block[fails], squares[fails]))

        list(self.run(some, self._chunks(rows)))

    def _keep(self, rows: Labels, found: Nearest) -> None:
        """Rows that were compared with all centroids."""
        first, best, second = found
        self.labels[rows] = first
        self.upper[rows] = np.sqrt(best + self.slop)
        self.lower[rows] = np.sqrt(np.maximum(second - self.slop, 0))

    def _merge_bounds(self, rows: Labels, block: Vectors, movers: Labels, found: Nearest) -> None:
        """Rows that were compared with some centroids, and cannot be nearer to any other."""
        first, best, second = found
        first = movers[first]
        close = (first != self.labels[rows]) & (np.sqrt(best) < self.upper[rows])
        self.upper[rows[close]] = self._own(block[close], rows[close])
        wins = close & (best < np.square(self.upper[rows]) - self.slop)
        rival = np.where(first == self.labels[rows], second, best)
        # Where a mover wins, the former centroid and the second mover are among the others.
        former = np.maximum(np.square(self.upper[rows]) - 2 * self.slop, 0)
        rival = np.where(wins, np.minimum(former, second), rival)
        others = np.sqrt(np.maximum(rival - self.slop, 0))
        self.lower[rows] = np.minimum(self.lower[rows], others)
        self.labels[rows[wins]] = first[wins]
        self.upper[rows[wins]] = np.sqrt(best[wins] + self.slop)

    def _own(self, block: Vectors, rows: Labels) -> NDArray[np.float32]:
        """Upper bound of the distance of rows to their own centroids."""
        own = self.labels[rows]
        products = np.einsum("ij,ij->i", block, self.directions[own])
        squared = self.space.squares[rows] - 2 * (products - self.offsets[own])
        return np.asarray(np.sqrt(np.maximum(squared, 0) + self.slop), dtype=np.float32)

    def _inertia(self, chunk: Labels) -> float:
        block = self.space.take(as_slice(chunk))
        block = block - self.centroids[self.labels[chunk]]
        return float(np.einsum("ij,ij->i", block, block).sum(dtype=np.float64))

    def _chunks(self, rows: Labels) -> list[Labels]:
        return [rows[start : start + self.step] for start in range(0, len(rows), self.step)]
