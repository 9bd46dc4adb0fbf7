"""Bursts instead of images: what a clusterer is given, and what becomes of its answer.

The clusterer, the choice of k, the lineage and what a person demands all work on rows. Here those
rows become observations, each named after one of its images, and the clusters of the observations
become the clusters of all their images.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from organizer.cluster.decisions import Constraints
from organizer.cluster.pooling import pool_vectors
from organizer.library.clustering.build import assignment_states
from organizer.library.clustering.preprocessing import IncomingObservations, Preprocessor
from organizer.library.clustering.previous import PreviousClusters
from organizer.types import NOISE, Assignments, Labels, Vectors


@dataclass(frozen=True, slots=True)
class Observations:
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

    def before(self, before: PreviousClusters) -> PreviousClusters:
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
        found = replace(observations.take(self.numbers), image_ids=self.image_ids)
        states = assignment_states(self.image_ids, found.cluster_ids, constraints.fixed)
        return replace(found, states=states)

    def settled(self, observations: Assignments, since: Labels) -> Assignments:
        """All images of some observations where these are; of `since` those of each image."""
        row_of = {image_id: row for row, image_id in enumerate(observations.image_ids.tolist())}
        at = np.array([row_of.get(name, NOISE) for name in self.names.tolist()], dtype=np.int64)
        rows = np.flatnonzero(at[self.numbers] != NOISE)
        found = observations.take(at[self.numbers[rows]])
        return replace(found, image_ids=self.image_ids[rows], since=since[rows])


def make_observations(
    image_ids: Sequence[str], vectors: Vectors, numbers: Labels | None
) -> Observations:
    """Put images together; each is an observation where `numbers` is None.

    An observation is named after the image that is most typical of it.
    """
    ids = np.array(image_ids, dtype=object)
    if numbers is None:
        each = np.arange(len(ids), dtype=np.int64)
        return Observations(ids, each, each, vectors)
    means = pool_vectors(vectors, numbers)
    nearness = np.array(
        [float(vector @ means[number]) for vector, number in zip(vectors, numbers, strict=True)]
    )
    order = np.lexsort((-nearness, numbers))
    firsts = order[np.flatnonzero(np.diff(numbers[order], prepend=-1))]
    return Observations(ids, numbers, firsts, means)


def join_bursts(
    preprocessor: Preprocessor,
    new: tuple[Sequence[str], Vectors],
    there: tuple[Assignments, Vectors],
    *,
    singly: Container[str],
) -> IncomingObservations:
    """New images as the observations that they make with the images of their bursts.

    A new image of a burst that has images in a cluster is of that observation, and goes there, if
    it lies near enough to them. The others make observations with each other, and with those of
    their bursts that are unsure.

    Args:
        preprocessor: Of the clustering.
        new: The images and ``(n, dim)`` vectors of theirs.
        there: The images of their bursts that are in the clustering, and theirs.
        singly: Images of which a person said where they belong: their bursts need not follow.
    """
    (image_ids, vectors), (burst_members, known) = new, there
    bursts, bursts_there = (
        preprocessor.bursts_of(image_ids),
        preprocessor.bursts_of(burst_members.image_ids),
    )
    leads = _leads(burst_members, bursts_there, singly)
    means = {
        burst: {cluster_id: _mean(known[rows])[0] for cluster_id, rows in of_burst.items()}
        for burst, of_burst in leads.items()
    }
    followed: dict[tuple[int, int], list[int]] = {}
    for row, burst in enumerate(bursts.tolist()):
        cluster_id = _nearest_lead(preprocessor, vectors[row], means.get(burst, {}))
        if cluster_id != NOISE:
            followed.setdefault((burst, cluster_id), []).append(row)
    follows = {row for rows in followed.values() for row in rows}
    rest = np.array([row for row in range(len(vectors)) if row not in follows], dtype=np.int64)
    waiting = np.flatnonzero(burst_members.unsure & ~np.isin(bursts_there, list(leads)))
    found, new_means = _among_themselves(
        preprocessor, image_ids, vectors, rest, (burst_members, known, waiting)
    )
    numbers = np.empty(len(vectors), dtype=np.int64)
    numbers[rest] = found
    grown = [new_means]
    for number, ((burst, cluster_id), rows) in enumerate(followed.items(), start=len(new_means)):
        numbers[rows] = number
        grown.append(_mean(np.concatenate([known[leads[burst][cluster_id]], vectors[rows]])))
    homes = [NOISE] * len(new_means) + [cluster_id for _, cluster_id in followed]
    return IncomingObservations(np.concatenate(grown), numbers, np.array(homes, dtype=np.int64))


def _nearest_lead(preprocessor: Preprocessor, vector: Vectors, means: Mapping[int, Vectors]) -> int:
    """The cluster in which an image is near enough to its burst; NOISE where there is none.

    Where there was no burst to measure what is near, an image is seen by itself.
    """
    nearest, found = float("inf"), NOISE
    for cluster_id, mean in means.items():
        distance = float(1 - vector @ mean)
        if distance < nearest and distance <= preprocessor.limit:
            nearest, found = distance, cluster_id
    return found


def _among_themselves(
    preprocessor: Preprocessor,
    image_ids: Sequence[str],
    vectors: Vectors,
    rows: Labels,
    there: tuple[Assignments, Vectors, Labels],
) -> tuple[Labels, Vectors]:
    """The observations that some new images make, with images of their bursts that wait.

    Returns:
        The observation of each, from 0, and their vectors.
    """
    burst_members, known, waiting = there
    ids = [*(image_ids[row] for row in rows), *burst_members.image_ids[waiting].tolist()]
    every = np.concatenate([vectors[rows], known[waiting]])
    if not len(rows):
        return np.empty(0, dtype=np.int64), vectors[:0]
    numbers = preprocessor.observations(ids, every)
    assert numbers is not None  # noqa: S101 - bursts are taken as one
    # The new images come first, so theirs are the first observations.
    count = int(numbers[: len(rows)].max()) + 1
    return numbers[: len(rows)], pool_vectors(every, numbers)[:count]


def _mean(vectors: Vectors) -> Vectors:
    """``(1, dim)``: that of one observation."""
    return pool_vectors(vectors, np.zeros(len(vectors), dtype=np.int64))


def _leads(
    burst_members: Assignments, bursts: Labels, singly: Container[str]
) -> dict[int, dict[int, list[int]]]:
    """For each burst the clusters that new images of it may follow, with the rows that are there.

    Images that a person placed one by one are followed only where there are no others.
    """
    leads: dict[bool, dict[int, dict[int, list[int]]]] = {True: {}, False: {}}
    rows = zip(
        bursts.tolist(),
        burst_members.cluster_ids.tolist(),
        burst_members.image_ids.tolist(),
        strict=True,
    )
    for row, (burst, cluster_id, image_id) in enumerate(rows):
        if cluster_id != NOISE:
            of_burst = leads[image_id in singly].setdefault(burst, {})
            of_burst.setdefault(cluster_id, []).append(row)
    return {**leads[True], **leads[False]}
