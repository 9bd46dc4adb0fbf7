"""Bursts instead of images: what a clusterer is given, and what becomes of its answer.

The clusterer, the choice of k, the lineage and what a person demands all work on rows. Here those
rows become observations, each named after one of its images, and the clusters of the observations
become the clusters of all their images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import Constraints
from organizer.cluster.pooling import pooled
from organizer.library.before import Before
from organizer.library.draft import states_of
from organizer.types import NOISE, Assignments, Labels, Vectors


@dataclass(frozen=True, slots=True)
class Observed:
    """The observations of some images.

    Attributes:
        image_ids: ``(n,)`` the images.
        numbers: ``(n,)`` the observation of each.
        firsts: ``(m,)`` the row of the image that each observation is named after.
        vectors: ``(m, dim)`` of unit length.
    """

    image_ids: NDArray[np.object_]
    numbers: Labels
    firsts: Labels
    vectors: Vectors

    @property
    def names(self) -> NDArray[np.object_]:
        """``(m,)`` the ids of the images that the observations are named after."""
        found: NDArray[np.object_] = self.image_ids[self.firsts]
        return found

    def before(self, before: Before) -> Before:
        """Where most images of each observation were."""
        labels = np.full(len(self.firsts), NOISE, dtype=np.int64)
        inside = np.flatnonzero(before.labels != NOISE)
        pairs = np.column_stack([self.numbers[inside], before.labels[inside]])
        found, counts = np.unique(pairs, axis=0, return_counts=True)
        # Of several with most images the one with the lowest id: written last.
        order = np.lexsort((-found[:, 1], counts))
        labels[found[order, 0]] = found[order, 1]
        return replace(before, labels=labels)

    def constraints(self, constraints: Constraints) -> Constraints:
        """What is demanded of images, as demanded of their observations."""
        names = self.names.tolist()
        name_of = {
            image_id: names[number]
            for image_id, number in zip(self.image_ids.tolist(), self.numbers.tolist(), strict=True)
        }
        seeds = {
            cluster_id: tuple(
                tuple(dict.fromkeys(name_of.get(image_id, image_id) for image_id in group))
                for group in groups
            )
            for cluster_id, groups in constraints.seeds.items()
        }
        return replace(
            constraints,
            fixed={name_of.get(i, i): cluster for i, cluster in constraints.fixed.items()},
            banned={name_of.get(i, i): clusters for i, clusters in constraints.banned.items()},
            seeds=seeds,
        )

    def members(self, observations: Assignments, constraints: Constraints) -> Assignments:
        """All images where their observations are, with the distances of these, which decided."""
        found = spread(observations, self.image_ids, self.numbers)
        states = states_of(self.image_ids, found.cluster_ids, constraints.fixed)
        return replace(found, states=states)


def observed(
    image_ids: Sequence[str], vectors: Vectors, numbers: Labels | None
) -> Observed:
    """Put images together; each is an observation where `numbers` is None.

    An observation is named after the image that is most typical of it.
    """
    ids = np.array(image_ids, dtype=object)
    if numbers is None:
        each = np.arange(len(ids), dtype=np.int64)
        return Observed(ids, each, each, vectors)
    means = pooled(vectors, numbers)
    nearness = np.array(
        [float(vector @ means[number]) for vector, number in zip(vectors, numbers, strict=True)]
    )
    order = np.lexsort((-nearness, numbers))
    firsts = order[np.flatnonzero(np.diff(numbers[order], prepend=-1))]
    return Observed(ids, numbers, firsts, means)


def spread(
    observations: Assignments, image_ids: NDArray[np.object_], numbers: Labels
) -> Assignments:
    """Each image where its observation is."""
    return replace(observations.take(numbers), image_ids=image_ids)
