"""Novel clusters: enough unassigned images that are alike make a new cluster.

`benchmarks/identity.py` shows what is found on labelled photos of which some classes were held
back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from organizer.types import Labels, Vectors

_FEWEST = 8
_SHARE, _SHARE_OF_UNASSIGNED = 0.05, 0.02
_LINKED_AT_ONCE = 4_000
_LOOSER = 1.15
"""A group may be looser than the usual cluster by this factor: unassigned images lie scattered."""

_SEPARATE = 1.2
"""A group must lie this much farther from a cluster than its own images lie from each other, and
that cluster's from each other; groups between two clusters lie nearer."""


def smallest_group(counts: Labels, unassigned: int) -> int:
    """How many images that are alike make a cluster.

    8; a twentieth of the usual cluster, if that is more; and a fiftieth of the unassigned images,
    if that is more: where more than fifty clusters could be found, it is time to recluster.

    Args:
        counts: Members of each current cluster.
        unassigned: Number of unassigned images.
    """
    usual = float(np.median(counts)) if len(counts) else 0.0
    return max(_FEWEST, round(_SHARE * usual), round(_SHARE_OF_UNASSIGNED * unassigned))


def find_groups(vectors: Vectors, *, looseness: float, least: int, seed: int) -> Labels:
    """Groups of images that are about as close to each other as the members of a cluster are.

    Average linkage (Sokal and Michener 1958), cut where the mean distance between two groups
    exceeds that between two members of a usual cluster by 15%. Of more than 4,000 images a sample
    is grouped, and the others join the group that they are on average nearest to, if it is as near.

    Args:
        vectors: ``(n, dim)`` float32 of unit length, in the embedder's own space.
        looseness: Mean cosine distance between two members of a usual cluster.
        least: Images that a group must have.
        seed: Of the sample.

    Returns:
        ``(n,)`` numbers from 0, the largest group first; -1 for images in no group.
    """
    n, most = len(vectors), _LOOSER * looseness
    labels = np.full(n, -1, dtype=np.int64)
    if n < least:
        return labels
    rows = np.arange(n)
    if n > _LINKED_AT_ONCE:
        rows = np.sort(np.random.default_rng(seed).choice(n, _LINKED_AT_ONCE, replace=False))
    labels[rows] = _numbered(_linked(vectors[rows], most), max(2, round(least * len(rows) / n)))
    if len(rows) < n:
        rest = np.setdiff1d(np.arange(n), rows)
        labels[rest] = _nearest_group(vectors[rest], vectors[rows], labels[rows], most)
    return _numbered(labels, least)


def is_separate(group: Vectors, exemplars: list[Vectors]) -> bool:
    """Whether a group lies clearly apart from the cluster that is nearest to it.

    Args:
        group: ``(n, dim)`` float32 of unit length, two images or more.
        exemplars: For each mode of a cluster ``(r, dim)`` float32 of unit length.
    """
    mean = group.mean(axis=0)
    known = [vectors for vectors in exemplars if len(vectors)]
    if not known:
        return True
    between = [1 - float(mean @ vectors.mean(axis=0)) for vectors in known]
    nearest = int(np.argmin(between))
    inside = looseness(known[nearest]) if len(known[nearest]) > 1 else 0.0
    return between[nearest] >= _SEPARATE * max(looseness(group), inside)


def looseness(vectors: Vectors) -> float:
    """Mean cosine distance between two of some unit vectors; two are the least."""
    n = len(vectors)
    wide = vectors.astype(np.float64)
    total, own = float(np.square(wide.sum(axis=0)).sum()), float(np.square(wide).sum())
    return 1 - (total - own) / (n * (n - 1))


def _linked(vectors: Vectors, most: float) -> Labels:
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    upper = np.triu_indices(len(vectors), 1)
    distances = np.maximum(1 - vectors @ vectors.T, 0)[upper].astype(np.float64)
    tree = linkage(distances, method="average")
    return np.asarray(fcluster(tree, t=most, criterion="distance"), dtype=np.int64)


def _nearest_group(
    vectors: Vectors, known: Vectors, labels: Labels, most: float
) -> NDArray[np.int64]:
    """The group whose members are on average nearest, or -1 where none is near enough.

    The mean distance to the members of a group is one minus the product with their mean.
    """
    count = int(labels.max(initial=-1)) + 1
    if not count:
        return np.full(len(vectors), -1, dtype=np.int64)
    means = np.stack([known[labels == group].mean(axis=0) for group in range(count)])
    distances = 1 - vectors @ means.T
    return np.where(distances.min(axis=1) <= most, distances.argmin(axis=1), -1)


def _numbered(labels: Labels, least: int) -> Labels:
    """Groups that are large enough, renumbered by size."""
    found, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    counts = np.where(found < 0, 0, counts)
    order = np.lexsort((found, -counts))
    number = np.full(len(found), -1, dtype=np.int64)
    large = [place for place in order if counts[place] >= least]
    number[large] = np.arange(len(large))
    return np.asarray(number[inverse], dtype=np.int64)
