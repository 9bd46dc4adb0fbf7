"""New images as observations, with the images of their bursts that are clustered already."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from organizer.cluster.pooling import pool_vectors
from organizer.library.clustering.preprocessing import Preprocessor
from organizer.types import NOISE, Assignments, Labels, Vectors


@dataclass(frozen=True, slots=True)
class IncomingObservations:
    """Observations that are about to be assigned to clusters.

    Attributes:
        vectors: ``(m, dim)`` of unit length, one for each observation.
        numbers: ``(n,)`` the observation of each image.
        cluster_ids: ``(m,)`` the cluster that an observation is in already, because images of its
            burst are; NOISE for a new observation.
    """

    vectors: Vectors
    numbers: Labels
    cluster_ids: Labels


def single_observations(vectors: Vectors) -> IncomingObservations:
    """Images of which each is an observation."""
    n = len(vectors)
    return IncomingObservations(
        vectors, np.arange(n, dtype=np.int64), np.full(n, NOISE, dtype=np.int64)
    )


def observe_bursts(
    preprocessor: Preprocessor,
    new: tuple[Sequence[str], Vectors],
    clustered: tuple[Assignments, Vectors],
    *,
    singly: Container[str],
) -> IncomingObservations:
    """Pool new images with the images of their bursts.

    A new image of a burst that has images in a cluster becomes part of that observation, if it is
    near enough to them. The others make observations with each other, and with the unassigned
    images of their bursts.

    Args:
        preprocessor: That of the clustering.
        new: The image ids and their ``(n, dim)`` vectors.
        clustered: The assignments of the images of their bursts, and the vectors of these.
        singly: Images that were decided by themselves: their bursts need not follow them.
    """
    (image_ids, vectors), (burst_members, known) = new, clustered
    bursts = preprocessor.bursts_of(image_ids)
    member_bursts = preprocessor.bursts_of(burst_members.image_ids)
    leads = _leads(burst_members, member_bursts, singly)
    followed = _followers(preprocessor, vectors, bursts, leads, known)
    follows = {row for rows in followed.values() for row in rows}
    rest = np.array([row for row in range(len(vectors)) if row not in follows], dtype=np.int64)
    waiting = np.flatnonzero(burst_members.unassigned & ~np.isin(member_bursts, list(leads)))
    found, new_means = _new_observations(
        preprocessor, image_ids, vectors, rest, (burst_members, known, waiting)
    )
    numbers = np.empty(len(vectors), dtype=np.int64)
    numbers[rest] = found
    means = [new_means]
    for number, ((burst, cluster_id), rows) in enumerate(followed.items(), start=len(new_means)):
        numbers[rows] = number
        means.append(_mean(np.concatenate([known[leads[burst][cluster_id]], vectors[rows]])))
    cluster_ids = [NOISE] * len(new_means) + [cluster_id for _, cluster_id in followed]
    return IncomingObservations(
        np.concatenate(means), numbers, np.array(cluster_ids, dtype=np.int64)
    )


def _leads(
    burst_members: Assignments, bursts: Labels, singly: Container[str]
) -> dict[int, dict[int, list[int]]]:
    """For each burst the clusters that its new images may follow, with the rows of the members.

    Images that were decided by themselves are followed only where there are no others.
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


def _followers(
    preprocessor: Preprocessor,
    vectors: Vectors,
    bursts: Labels,
    leads: Mapping[int, Mapping[int, Sequence[int]]],
    known: Vectors,
) -> dict[tuple[int, int], list[int]]:
    """The rows of new images that follow their burst into a cluster, by burst and cluster."""
    means = {
        burst: {cluster_id: _mean(known[list(rows)])[0] for cluster_id, rows in of_burst.items()}
        for burst, of_burst in leads.items()
    }
    followed: dict[tuple[int, int], list[int]] = {}
    for row, burst in enumerate(bursts.tolist()):
        cluster_id = _nearest_lead(preprocessor, vectors[row], means.get(burst, {}))
        if cluster_id != NOISE:
            followed.setdefault((burst, cluster_id), []).append(row)
    return followed


def _nearest_lead(preprocessor: Preprocessor, vector: Vectors, means: Mapping[int, Vectors]) -> int:
    """The cluster whose images of the burst are near enough to an image; NOISE for none.

    Where no burst was measured, the limit is not a number and no image follows.
    """
    nearest, found = float("inf"), NOISE
    for cluster_id, mean in means.items():
        distance = float(1 - vector @ mean)
        if distance < nearest and distance <= preprocessor.limit:
            nearest, found = distance, cluster_id
    return found


def _new_observations(
    preprocessor: Preprocessor,
    image_ids: Sequence[str],
    vectors: Vectors,
    rows: Labels,
    clustered: tuple[Assignments, Vectors, Labels],
) -> tuple[Labels, Vectors]:
    """The observations that new images make with the unassigned images of their bursts.

    Returns:
        The observation of each of `rows`, from 0, and the ``(m, dim)`` vectors of the observations.
    """
    burst_members, known, waiting = clustered
    ids = [*(image_ids[row] for row in rows), *burst_members.image_ids[waiting].tolist()]
    every = np.concatenate([vectors[rows], known[waiting]])
    if not len(rows):
        return np.empty(0, dtype=np.int64), vectors[:0]
    numbers = preprocessor.observations(ids, every)
    assert numbers is not None  # noqa: S101 - bursts are one observation
    # The new images come first, so theirs are the first observations.
    count = int(numbers[: len(rows)].max()) + 1
    return numbers[: len(rows)], pool_vectors(every, numbers)[:count]


def _mean(vectors: Vectors) -> Vectors:
    """``(1, dim)`` the vector of one observation."""
    return pool_vectors(vectors, np.zeros(len(vectors), dtype=np.int64))
