"""What a person's decisions teach about images that nobody decided about.

A head is learned from the decided images (`organizer.cluster.head`) whenever it is needed and never
stored: it follows from the decisions and the clustering, so it is right after an undo too, and is
never one of other vectors. Where held-out decisions show that it knows better than the clusters, it
assigns images. Decisions themselves come before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.fit import LIMIT, misfit
from organizer.cluster.head import (
    DecidedImages,
    LearnedHead,
    fit_head,
    head_features,
    is_better,
    trusted_clusters,
)
from organizer.cluster.incremental import place_in_cluster, place_points
from organizer.library.clustering.build import PreparedImages
from organizer.types import NOISE, ClusterModels, Exemplars, Labels, Vectors

CONFIDENT = 0.9
"""Probability from which an unassigned image is assigned, or a cluster suggested."""

_CLEARLY, _MORE_LIKELY_THAN_NOT = 2.0, 0.5
"""An image leaves its cluster for one that is twice as probable; where the head does not know its
cluster, for one that is more probable than all others together."""

MOST_DECIDED = 10_000
"""Decided images that a head is fitted to; of more, a seeded sample."""

_RIVAL_IMAGES, _RIVAL_UNTIL = 32, 3
"""Images of each cluster that nobody decided about, and the number of decisions about single images
of it after which these alone count. Without them whatever has no name yet is taken for the named
thing that it resembles most: 72% of the suggestions after ten decisions were right, and 94% with
them, on cuts of five labelled sets."""

_NO_RIVALS_FROM = 0.9
"""Where of the decisions about images of such clusters, three or more, so many were for a cluster
that had a name, these clusters are parts of named things."""


@dataclass(frozen=True, slots=True)
class ClusterHead:
    """A head and the clusters whose images it knows.

    Attributes:
        head: The head.
        decided: The images that it was fitted to.
        is_open: ``(c,)`` which of its clusters may take images: not those that nobody decided
            about, which are there so that their images are not taken for others', and not those
            that it is wrong about more often than right.
        knows_better: Whether it is right more often than the clusters are, on held-out decisions.
        models: The clusters.
        exemplars: Their exemplars.
    """

    head: LearnedHead
    decided: DecidedImages
    is_open: NDArray[np.bool_]
    knows_better: bool
    models: ClusterModels
    exemplars: Exemplars

    @classmethod
    def fit(
        cls,
        images: PreparedImages,
        fixed: Mapping[str, int],
        singly: Collection[str],
        models: ClusterModels,
        exemplars: Exemplars,
        *,
        required: Collection[int],
        points_of: Callable[[Vectors], Vectors],
    ) -> Self | None:
        """Fit a head to decided images.

        Args:
            images: Decided images.
            fixed: The clusters that they are fixed to.
            singly: Images that were decided by themselves.
            models: The clusters.
            exemplars: Their exemplars.
            required: The clusters that decisions are about.
            points_of: Transforms vectors to points in the clustering's space.

        Returns:
            None where fewer than two of the clusters have a decided image.
        """
        cluster_ids = np.array([fixed[i] for i in images.image_ids.tolist()], dtype=np.int64)
        known = np.flatnonzero(np.isin(cluster_ids, models.cluster_ids))
        images, cluster_ids = images.take(known), cluster_ids[known]
        if len(np.unique(cluster_ids)) < 2:
            return None
        single = np.array([i in singly for i in images.image_ids], dtype=np.bool_)
        nearest = _nearest_clusters(models, images.points)
        rivals = _rivals(models, nearest[single], cluster_ids[single], cluster_ids, required)
        vectors, of = _rival_vectors(models, exemplars, rivals)
        features = head_features(images.vectors, images.points)
        if len(of):
            features = np.concatenate([features, head_features(vectors, points_of(vectors))])
        decided = DecidedImages(
            features,
            np.concatenate([cluster_ids, of]),
            np.concatenate([single, np.zeros(len(of), dtype=np.bool_)]),
        )
        head = fit_head(decided)
        assert head is not None  # noqa: S101 - there are two clusters
        is_open = trusted_clusters(head, decided) & ~np.isin(head.cluster_ids, rivals)
        without = np.full(len(decided), NOISE, dtype=np.int64)  # of rivals it is not asked
        without[: len(cluster_ids)] = _nearest_without(models, images.points, cluster_ids)
        knows_better = is_better(head, without, decided)
        return cls(head, decided, is_open, knows_better, models, exemplars)

    def probabilities(self, vectors: Vectors, points: Vectors) -> NDArray[np.float64]:
        """``(n, c)`` the probability of each cluster, given that it is one of them."""
        return self.head.probabilities(head_features(vectors, points))

    def fits(self, vectors: Vectors, points: Vectors, cluster_ids: Labels) -> NDArray[np.bool_]:
        """Whether images lie as near to the members of clusters as these to each other.

        What does not is something else, however probable its cluster is among those that are known.
        """
        at = place_in_cluster(points, self.models.centroids, self.models.cluster_ids, cluster_ids)
        return misfit(self.models, self.exemplars, vectors, at.nearest) <= LIMIT

    def prefers(
        self, vectors: Vectors, points: Vectors, cluster_ids: Labels, others: Labels
    ) -> NDArray[np.bool_]:
        """Whether each image is at least as probable in one cluster as in another.

        Args:
            vectors: ``(n, dim)`` of unit length, in the embedder's own space.
            points: ``(n, d)`` of unit length, in the clustering's space.
            cluster_ids: ``(n,)`` the one cluster.
            others: ``(n,)`` the other; where the head does not know both, it has no preference.
        """
        likely = self.probabilities(vectors, points)
        known = [ids[:, None] == self.head.cluster_ids[None, :] for ids in (cluster_ids, others)]
        one, other = ((likely * which).sum(axis=1) for which in known)
        both = known[0].any(axis=1) & known[1].any(axis=1)
        return np.asarray(~both | (one >= other))

    def reassigned(
        self, vectors: Vectors, points: Vectors, cluster_ids: Labels, *, must_fit: bool
    ) -> Labels:
        """The clusters of images, where the head knows better in the clusters that it says.

        Args:
            vectors: ``(n, dim)`` of unit length, in the embedder's own space.
            points: ``(n, d)`` of unit length, in the clustering's space.
            cluster_ids: ``(n,)`` the cluster of each without the head; NOISE for none.
            must_fit: Whether an image that is in a cluster must fit the one that it comes to. One
                in none always must: unassigned stays an answer.
        """
        likely = self.probabilities(vectors, points)
        best = likely.argmax(axis=1)
        after, share = self.head.cluster_ids[best], likely.max(axis=1)
        known = cluster_ids[:, None] == self.head.cluster_ids[None, :]
        current = (likely * known).sum(axis=1)
        unknown = np.where(cluster_ids == NOISE, CONFIDENT, _MORE_LIKELY_THAN_NOT)
        needed = np.where(known.any(axis=1), _CLEARLY * current, unknown)
        changes = (share >= needed) & self.is_open[best]
        rows = np.flatnonzero(changes & (must_fit | (cluster_ids == NOISE)))
        if len(rows):
            changes[rows] = self.fits(vectors[rows], points[rows], after[rows])
        return np.where(changes, after, cluster_ids)


def _rivals(
    models: ClusterModels,
    nearest: Labels,
    chosen: Labels,
    decided: Labels,
    required: Collection[int],
) -> list[int]:
    """The clusters that nobody decided about, and that may be of something that has no name yet.

    Args:
        models: The clusters.
        nearest: The clusters that images lie in which were decided by themselves.
        chosen: The clusters that these were moved to.
        decided: The clusters of all decided images.
        required: The clusters that decisions are about.
    """
    open_clusters = [i for i in models.ids if i not in required]
    told = Counter(nearest.tolist())
    # A cluster of a kind that was new to the person has no images but those that were moved there.
    moved = Counter(chosen.tolist())
    named = {i for i, count in Counter(decided.tolist()).items() if count > moved.get(i, 0)}
    inside = np.isin(nearest, open_clusters)
    of_named = int(np.isin(chosen[inside], sorted(named)).sum())
    if of_named >= max(_RIVAL_UNTIL, _NO_RIVALS_FROM * int(inside.sum())):
        return []
    return [i for i in open_clusters if told.get(i, 0) < _RIVAL_UNTIL]


def _nearest_clusters(models: ClusterModels, points: Vectors) -> Labels:
    nearest: Labels = models.cluster_ids[place_points(points, models.centroids).nearest]
    return nearest


def _nearest_without(models: ClusterModels, points: Vectors, cluster_ids: Labels) -> Labels:
    """The cluster whose centroid is nearest to each of its members, if the member were not in it.

    Members that a person moved drag the centroid of a small cluster to where they lie, so what it
    says of them proves nothing.
    """
    own = place_in_cluster(points, models.centroids, models.cluster_ids, cluster_ids).nearest
    counts = models.counts[own].astype(np.float64)[:, None]
    left = counts * models.means[own] - points
    lengths = np.linalg.norm(left, axis=1)
    alone = (counts[:, 0] < 2) | (lengths == 0)
    similarities = points @ models.centroids.T
    similarities[np.arange(len(points)), own] = np.where(
        alone, -1, (left * points).sum(axis=1) / np.where(alone, 1, lengths)
    )
    nearest: Labels = models.cluster_ids[similarities.argmax(axis=1)]
    return nearest


def _rival_vectors(
    models: ClusterModels, exemplars: Exemplars, rivals: Sequence[int]
) -> tuple[Vectors, Labels]:
    """Exemplars of some clusters as ``(r, dim)`` float32 vectors, and the cluster of each."""
    cluster_of = dict(zip(models.mode_ids.tolist(), models.cluster_ids.tolist(), strict=True))
    of = np.array([cluster_of.get(int(m), NOISE) for m in exemplars.mode_ids], dtype=np.int64)
    rows = [np.flatnonzero(of == rival)[:_RIVAL_IMAGES] for rival in rivals]
    chosen = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    return exemplars.vectors[chosen].astype(np.float32), of[chosen]


def sampled_ids(fixed: Collection[str], singly: Collection[str], *, seed: int) -> list[str]:
    """The decided images to learn from: all, or a sample with those first that count more."""
    ids = sorted(fixed)
    if len(ids) <= MOST_DECIDED:
        return ids
    draw = np.random.default_rng(seed)
    order = [ids[row] for row in draw.permutation(len(ids)).tolist()]
    return sorted(sorted(order, key=lambda i: i not in singly)[:MOST_DECIDED])
