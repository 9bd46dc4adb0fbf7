"""How many clusters, with the evidence.

The silhouette, each cluster counting alike, chooses; stability tells whether to trust it.
`benchmarks/choose_k.py` has what the rule chooses on labelled photos.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from organizer.cluster import evidence
from organizer.cluster.kmeans import KMeans
from organizer.errors import ClusteringError
from organizer.types import Candidate, Vectors

KMethod = Literal["auto", "silhouette", "elbow", "gap", "stability"]

CLEAR_SILHOUETTE = 0.65
"""In a smoothed space, a silhouette below this means that the images have no clear groups.

Smoothing draws together what is near, also where there are no groups. Photos that a network
separates lie at 0.67 and above there, Gaussian noise below 0.6; Kaufman and Rousseeuw (1990) call
it a strong structure from 0.7.
"""

WEAK = 0.1
"""The same in a space that was not smoothed."""

CLEAR_STABILITY = 0.8
"""Halves of the images that agree less than this mean that the groups are those of chance.

The value that Tibshirani and Walther (2005) give for their prediction strength.
"""

SWEPT = 5_000
"""Points that are clustered for each k; above, a seeded sample."""

_STARTS = 4
_HIGHEST = 200
_EVERY_K_UP_TO = 30
_STEP = 1.15


@dataclass(frozen=True, slots=True)
class KChoice:
    """A number of clusters and the evidence for it.

    Attributes:
        candidates: The evidence for each k that was tried, ascending.
        k: The choice.
        second: The next best, None where only one was tried.
        clear: False where there is no clear number of clusters: k is then merely the best.
        rule: What chose, one line for a person.
        clear_from: The silhouette from which the choice is clear.
    """

    candidates: tuple[Candidate, ...]
    k: int
    second: int | None
    clear: bool
    rule: str
    clear_from: float

    @property
    def chosen(self) -> Candidate:
        """The evidence for the choice."""
        return next(item for item in self.candidates if item.chosen)


def candidate_ks(n: int) -> list[int]:
    """The numbers of clusters to try for n different images: up to twice the square root of n.

    Every number up to 30, then steps of 15%, at most 200.
    """
    if n < 3:
        return []
    highest = min(n - 1, _HIGHEST, max(10, math.isqrt(4 * n - 1) + 1))
    ks = list(range(2, min(highest, _EVERY_K_UP_TO) + 1))
    while ks[-1] < highest and ks[-1] >= _EVERY_K_UP_TO:
        ks.append(min(highest, math.ceil(ks[-1] * _STEP)))
    return ks


def choose_k(
    points: Vectors,
    ks: Sequence[int],
    *,
    method: KMethod = "auto",
    seed: int,
    least: int = 1,
    clear_from: float = CLEAR_SILHOUETTE,
    progress: Callable[[int], None] = lambda _: None,
) -> KChoice:
    """The best of some numbers of clusters.

    Args:
        points: ``(n, d)`` float32 of unit length, in the clustering space. Above 5,000 a seeded
            sample is clustered.
        ks: What to try, ascending; those that are not below the number of points are left out.
        method: "auto" and "silhouette" choose by the silhouette, "elbow" by the inertia, "gap" by
            the first k within an error of the next one's gap, "stability" by halves that agree.
        seed: Of the sample and of K-means.
        least: Clusters that there must be, whatever the evidence.
        clear_from: The silhouette that a clear choice has; `WEAK` where the space is not smoothed.
        progress: Called with each k when it has been tried.

    Raises:
        ClusteringError: There is nothing to try.
    """
    points = _sample(points, seed)
    ks = [k for k in ks if max(2, least) <= k < len(points)]
    if not ks:
        raise ClusteringError(
            "there are too few different images to choose a number of clusters",
            "ingest more photos, or give a smaller range; three different images are the least",
        )
    found = []
    for k in ks:
        found.append(_evidence(points, k, seed, stable=method == "stability"))
        progress(k)
    if method == "gap":
        found = _with_gaps(points, found, seed)
    best, second = _ranked(found, method)
    found = [_with_stability(points, item, seed, (best, second)) for item in found]
    bend = evidence.elbow(ks, [item.inertia for item in found])
    marked = tuple(
        replace(item, chosen=item.k == best, second=item.k == second, elbow=item.k == bend)
        for item in found
    )
    return KChoice(marked, best, second, _is_clear(marked, clear_from), _RULES[method], clear_from)


_RULES = {
    "auto": "the largest silhouette, each cluster counting alike",
    "silhouette": "the largest silhouette, each cluster counting alike",
    "elbow": "the elbow of the inertia",
    "gap": "the first gap within an error of the next",
    "stability": "the halves of the images that agree best",
}


def _evidence(points: Vectors, k: int, seed: int, *, stable: bool) -> Candidate:
    kmeans = KMeans(n_clusters=k, n_init=_STARTS, random_state=seed)
    labels = kmeans.fit_predict(points)
    return Candidate(
        k,
        # Points that cannot be distinguished make fewer clusters than k: not a candidate.
        evidence.space_silhouette(points, labels) if len(kmeans.cluster_centers_) == k else -1.0,
        kmeans.inertia_,
        davies_bouldin=evidence.davies_bouldin(points, labels),
        calinski_harabasz=evidence.calinski_harabasz(points, labels),
        stability=evidence.stability(points, k, seed=seed) if stable else None,
    )


def _with_gaps(points: Vectors, found: Sequence[Candidate], seed: int) -> list[Candidate]:
    gaps, errors = evidence.gaps(points, [item.k for item in found], seed=seed)
    return [
        replace(item, gap=float(gap), gap_error=float(error))
        for item, gap, error in zip(found, gaps, errors, strict=True)
    ]


def _with_stability(
    points: Vectors, item: Candidate, seed: int, wanted: tuple[int, int | None]
) -> Candidate:
    if item.k not in wanted or item.stability is not None:
        return item
    return replace(item, stability=evidence.stability(points, item.k, seed=seed))


def _ranked(found: Sequence[Candidate], method: KMethod) -> tuple[int, int | None]:
    """The best and the second best k."""
    if method == "gap":
        order = _by_gap(found)
    elif method == "elbow":
        order = _by_elbow(found)
    elif method == "stability":
        order = _by_stability(found)
    else:
        order = [c.k for c in sorted(found, key=lambda c: (-c.silhouette, c.k))]
    return order[0], order[1] if len(order) > 1 else None


def _by_gap(found: Sequence[Candidate]) -> list[int]:
    """Tibshirani's rule first: the first k of which gap(k) >= gap(next) - s(next)."""
    rest = [c.k for c in sorted(found, key=lambda c: (-_number(c.gap), c.k))]
    for item, after in pairwise(found):
        if _number(item.gap) >= _number(after.gap) - (after.gap_error or 0.0):
            return [item.k, *(k for k in rest if k != item.k)]
    return rest


def _by_elbow(found: Sequence[Candidate]) -> list[int]:
    """The elbow, then that of the rest."""
    first = evidence.elbow([c.k for c in found], [c.inertia for c in found])
    rest = [c for c in found if c.k != first]
    if not rest:
        return [first]
    return [first, evidence.elbow([c.k for c in rest], [c.inertia for c in rest])]


def _by_stability(found: Sequence[Candidate]) -> list[int]:
    """The most stable first; of those that are alike to a hundredth, the one with most clusters.

    Groups that are merged as wholes come again as surely as the groups themselves.
    """
    order = sorted(found, key=lambda c: (-_number(c.stability and round(c.stability, 2)), -c.k))
    return [item.k for item in order]


def _number(value: float | None) -> float:
    return -math.inf if value is None else value


def _is_clear(marked: Sequence[Candidate], clear_from: float) -> bool:
    """Whether the chosen clusters are compact, and come again where they can be made again."""
    best = next(item for item in marked if item.chosen)
    stable = best.stability is None or best.stability >= CLEAR_STABILITY
    return best.silhouette >= clear_from and stable


def _sample(points: Vectors, seed: int) -> Vectors:
    if len(points) <= SWEPT:
        return np.asarray(points, dtype=np.float32)
    rows = np.random.default_rng(seed).choice(len(points), SWEPT, replace=False)
    return np.asarray(points[np.sort(rows)], dtype=np.float32)
