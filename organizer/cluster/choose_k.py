"""How many clusters, with the evidence.

The silhouette (Rousseeuw 1987) in a reduced space chooses; the elbow of the inertia stands beside
it. `benchmarks/choose_k.py` has what the rule chooses on labelled photos.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.incremental import unit
from organizer.cluster.kmeans import KMeans
from organizer.errors import ClusteringError
from organizer.protocols import Reducer
from organizer.types import Candidate, Vectors

WEAK = 0.05
"""A silhouette below this says that the images have no clear groups."""

_SWEPT = 20_000
_SCORED = 4_000
_EVERY_K_UP_TO = 30
_STEP = 1.15


def candidates(n: int) -> list[int]:
    """The numbers of clusters to try for n different images: up to the square root of n.

    Every number up to 30, then steps of 15%.
    """
    if n < 3:
        return []
    highest = min(n - 1, max(10, math.isqrt(min(n, _SWEPT) - 1) + 1))
    ks = list(range(2, min(highest, _EVERY_K_UP_TO) + 1))
    while ks and ks[-1] < highest and ks[-1] >= _EVERY_K_UP_TO:
        ks.append(min(highest, math.ceil(ks[-1] * _STEP)))
    return ks


def sweep(
    vectors: Vectors,
    ks: Sequence[int],
    reducer: Reducer,
    *,
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Candidate, ...]:
    """The evidence for each k; one is marked as chosen, one as the elbow.

    Args:
        vectors: ``(n, dim)`` float32 of unit length. Above 20,000 a seeded sample is swept, and
            above 4,000 the silhouette is that of a seeded sample.
        ks: What to try, ascending.
        reducer: Makes the space in which the clusters are made and judged.
        seed: Of the samples and of K-means.
        progress: Told each k when it has been tried.

    Raises:
        ClusteringError: There is nothing to try.
    """
    if not ks:
        raise ClusteringError(
            "there are too few different images to choose a number of clusters",
            "ingest more photos; three different ones are the least",
        )
    draw = np.random.default_rng(seed)
    swept = unit(np.asarray(reducer.fit_transform(_sample(vectors, _SWEPT, draw)), np.float32))
    rows = _sample_rows(len(swept), _SCORED, draw)
    distances = _pairwise(swept[rows])
    found = []
    for k in ks:
        kmeans = KMeans(n_clusters=k, random_state=seed)
        labels = kmeans.fit_predict(swept)
        found.append(Candidate(k, _silhouette(distances, labels[rows]), kmeans.inertia_))
        progress(k)
    best = max(found, key=lambda candidate: (candidate.silhouette, -candidate.k)).k
    elbow = _elbow(found)
    return tuple(replace(item, chosen=item.k == best, elbow=item.k == elbow) for item in found)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and the evidence."""

    candidates: tuple[Candidate, ...]
    k: int
    second: int | None
    clear: bool
    rule: str


def choose(
    points: Vectors,
    ks: Sequence[int],
    *,
    method: str = "auto",
    seed: int,
    least: int = 1,
    progress: Callable[[int], None] = lambda _: None,
) -> Choice:
    """Shim until the other rule lands."""
    from organizer.reduce import pca

    found = sweep(points, [k for k in ks if k >= least], pca(), seed=seed, progress=progress)
    best = next(item for item in found if item.chosen)
    return Choice(found, best.k, None, best.silhouette >= WEAK, method)


def _silhouette(distances: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    from sklearn.metrics import silhouette_score

    n_labels = len(np.unique(labels))
    if not 2 <= n_labels < len(labels):
        return -1.0
    return float(silhouette_score(distances, labels, metric="precomputed"))


def _elbow(found: Sequence[Candidate]) -> int:
    """The k whose inertia lies farthest below the chord of the curve, both axes from 0 to 1."""
    k = np.array([candidate.k for candidate in found], dtype=float)
    inertia = np.array([candidate.inertia for candidate in found])
    if len(k) < 3 or inertia[0] <= inertia[-1]:
        return int(k[0])
    x = (k - k[0]) / (k[-1] - k[0])
    y = (inertia - inertia[-1]) / (inertia[0] - inertia[-1])
    return int(k[np.argmax(1 - x - y)])


def _pairwise(vectors: Vectors) -> NDArray[np.float32]:
    squared = np.maximum(2 - 2 * (vectors @ vectors.T), 0)
    np.fill_diagonal(squared, 0)
    return np.asarray(np.sqrt(squared), dtype=np.float32)


def _sample(vectors: Vectors, size: int, draw: np.random.Generator) -> Vectors:
    return vectors[_sample_rows(len(vectors), size, draw)]


def _sample_rows(n: int, size: int, draw: np.random.Generator) -> NDArray[np.int64]:
    if n <= size:
        return np.arange(n, dtype=np.int64)
    return np.sort(draw.choice(n, size, replace=False)).astype(np.int64)
