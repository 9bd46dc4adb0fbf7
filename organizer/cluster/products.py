"""The nearest and the second nearest centroid of rows, from one matrix product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.metric_space import MetricSpace
from organizer.types import Labels, Vectors

Squares = NDArray[np.float32]
Nearest = tuple[Labels, Squares, Squares]
"""The nearest centroid of each row, the squared distance to it, and that to the second nearest."""

Compare = Callable[[Vectors, Squares], Nearest]
"""A block of rows and their squared lengths."""

Products = Callable[[Vectors], Compare]
"""What compares with these centroids."""

ParallelRun = Callable[[Callable[[Labels], Any], Sequence[Labels]], Iterator[Any]]
"""Runs a function over blocks of rows; what it gives comes in their order."""

_LONG = 50_000_000
"""Multiplications from which threads pay."""


def blas_products(space: MetricSpace) -> Products:
    """The nearest two by products of the processor's BLAS: one product, three passes over it."""
    return lambda centroids: _multiplying(*space.directions(centroids))


def _multiplying(directions: Vectors, offsets: Squares) -> Compare:
    transposed = np.ascontiguousarray(directions.T)
    alike = are_alike(offsets)

    def nearest(block: Vectors, squares: Squares) -> Nearest:
        scores = block @ transposed
        if alike:
            squares = squares + 2 * offsets[0]
        else:
            scores -= offsets
        rows = np.arange(len(block))
        first = scores.argmax(axis=1)
        best = scores[rows, first]
        scores[rows, first] = -np.inf
        return first, _distances(squares, best), _distances(squares, scores.max(axis=1))

    return nearest


def are_alike(offsets: Squares) -> bool:
    """Whether offsets differ by their rounding alone: taking them off would add it to products."""
    return float(np.ptp(offsets)) <= 1e-6 * float(np.abs(offsets).max(initial=0.0))


@contextmanager
def workers(work: int) -> Iterator[ParallelRun]:
    """Something that runs a function over blocks, on all cores where the work is long.

    Each thread multiplies its own block with a BLAS of one thread: the passes over the product
    (the maxima, conversions) then use all cores too, and no result depends on the order.
    """
    from threadpoolctl import (  # type: ignore[import-untyped]
        threadpool_info,
        threadpool_limits,
    )

    threads = 1
    if work >= _LONG:
        pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
        threads = max(pools, default=1)
    if threads == 1:
        yield map
        return
    from concurrent.futures import ThreadPoolExecutor

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _distances(squares: Squares, scores: Squares) -> Squares:
    return np.asarray(np.maximum(squares - 2 * scores, 0), dtype=np.float32)
