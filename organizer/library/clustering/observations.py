"""Observations: images, or bursts of images that are clustered as one.

The clusterer, the choice of k, the lineage and the constraints all work on rows. Here those rows
become observations, each named after one of its images, and the clusters of the observations become
the clusters of all their images.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import Constraints
from organizer.cluster.pooling import pool_vectors
from organizer.library.clustering.build import assignment_states
from organizer.library.clustering.previous import PreviousClusters
from organizer.types import NOISE, Assignments, Labels, Vectors


@dataclass(frozen=True, slots=True)
class Observations:
    """Images and the observations that they are part of.

    Attributes:
        image_ids: ``(n,)`` the images.
        numbers: ``(n,)`` the observation of each image.
        firsts: ``(m,)`` the row of the image that each observation is named after.
        vectors: ``(m, dim)`` the vectors of the observations, of unit length.
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

    def previous(self, previous: PreviousClusters) -> PreviousClusters:
        """The cluster that most images of each observation were in."""
        return replace(previous, labels=self.majority(previous.labels))

    def majority(self, of_images: Labels) -> Labels:
        """``(m,)`` the label of most images of each observation; NOISE where none has one.

        Args:
            of_images: ``(n,)`` the label of each image, NOISE for none.
        """
        labels = np.full(len(self.firsts), NOISE, dtype=np.int64)
        inside = np.flatnonzero(of_images != NOISE)
        pairs = np.column_stack([self.numbers[inside], of_images[inside]])
        found, counts = np.unique(pairs, axis=0, return_counts=True)
        # Of several with most images the one with the lowest id: written last.
        order = np.lexsort((-found[:, 1], counts))
        labels[found[order, 0]] = found[order, 1]
        return labels

    def constraints(self, constraints: Constraints) -> Constraints:
        """Constraints on images, as constraints on their observations."""
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

    def names_of(self, image_ids: Collection[str]) -> set[str]:
        """The names of the observations that some images are part of."""
        names = self.names.tolist()
        pairs = zip(self.image_ids.tolist(), self.numbers.tolist(), strict=True)
        return {names[number] for image_id, number in pairs if image_id in image_ids}

    def assignments(self, observations: Assignments, constraints: Constraints) -> Assignments:
        """All images in the clusters of their observations, with the distances of these."""
        found = replace(observations.take(self.numbers), image_ids=self.image_ids)
        states = assignment_states(self.image_ids, found.cluster_ids, constraints.fixed)
        return replace(found, states=states)

    def assignments_of(self, observations: Assignments, since: Labels) -> Assignments:
        """As `assignments`, for the images of some observations alone.

        Args:
            observations: The assignments of some observations.
            since: ``(n,)`` the ingest that assigned each image.
        """
        row_of = {image_id: row for row, image_id in enumerate(observations.image_ids.tolist())}
        at = np.array([row_of.get(name, NOISE) for name in self.names.tolist()], dtype=np.int64)
        rows = np.flatnonzero(at[self.numbers] != NOISE)
        found = observations.take(at[self.numbers[rows]])
        return replace(found, image_ids=self.image_ids[rows], since=since[rows])


def make_observations(
    image_ids: Sequence[str], vectors: Vectors, numbers: Labels | None
) -> Observations:
    """Pool images into observations; each is one of its own where `numbers` is None.

    An observation is named after the image that is nearest to its mean.
    """
    ids = np.array(image_ids, dtype=object)
    if numbers is None:
        each = np.arange(len(ids), dtype=np.int64)
        return Observations(ids, each, each, vectors)
    means = pool_vectors(vectors, numbers)
    similarities = np.array(
        [float(vector @ means[number]) for vector, number in zip(vectors, numbers, strict=True)]
    )
    order = np.lexsort((-similarities, numbers))
    firsts = order[np.flatnonzero(np.diff(numbers[order], prepend=-1))]
    return Observations(ids, numbers, firsts, means)


def observation_vectors(vectors: Vectors, numbers: Labels | None) -> Vectors:
    """``(n, dim)`` the vector of each image's observation; its own where `numbers` is None."""
    return vectors if numbers is None else pool_vectors(vectors, numbers)[numbers]
