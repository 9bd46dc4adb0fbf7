"""The clusterer at work: from points and what a person demands to labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organizer import registry
from organizer.cluster.decisions import REPRESENTATIVES, Constraints
from organizer.cluster.incremental import place_points, unit_rows
from organizer.cluster.kmeans import KMeans, warm_start
from organizer.errors import ClusteringError
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.previous import PreviousClusters
from organizer.types import NOISE, Labels, PartSpec, Vectors

CLUSTERERS = "organizer.clusterers"
_DRAWN_FROM, _DRAWN_FROM_EACH = 20_000, 20

RequiredClusters = Mapping[int, Sequence[Labels]]
"""Cluster id -> for each of its modes the rows of the images that stand for it."""


@dataclass(frozen=True, slots=True)
class FittedLabels:
    """Labels and what they are.

    Attributes:
        labels: ``(n,)`` the mode of each image, from 0; NOISE for none.
        owners: For each mode the cluster that a person's decisions make it part of, or None.
        clusterer: What made the labels.
        algorithm: What really ran, for a person.
    """

    labels: Labels
    owners: tuple[int | None, ...]
    clusterer: PartSpec
    algorithm: str

    def clusters(self) -> tuple[Labels, dict[int, int]]:
        """The number of each mode's cluster, from 0, and the ids that are settled, by number."""
        number_of: dict[int, int] = {}
        numbers = np.empty(len(self.owners), dtype=np.int64)
        count = 0
        for mode, owner in enumerate(self.owners):
            if owner is None or owner not in number_of:
                if owner is not None:
                    number_of[owner] = count
                numbers[mode] = count
                count += 1
            else:
                numbers[mode] = number_of[owner]
        return numbers, {number: owner for owner, number in number_of.items()}


def required_clusters(
    constraints: Constraints, images: PreparedImages, before: PreviousClusters
) -> dict[int, list[Labels]]:
    """The clusters that have to be there, with the images that stand for them.

    Where those were moved away one by one, the most typical of its present members stand for a
    cluster. One of whose images none is here (the library has no vectors of them) is left out.
    """
    row_of = {image_id: row for row, image_id in enumerate(images.image_ids.tolist())}
    found = {}
    for cluster_id, groups in constraints.seeds.items():
        rows = [[row_of[i] for i in group if i in row_of] for group in groups]
        modes = [np.array(sorted(group), dtype=np.int64) for group in rows if group]
        if not modes:
            modes = _typical(images, np.flatnonzero(before.labels == cluster_id))
        if modes:
            found[cluster_id] = modes
    return found


def _typical(images: PreparedImages, members: Labels) -> list[Labels]:
    """One mode: the members nearest to their mean; none where there are no members."""
    if not len(members):
        return []
    mean = unit_rows(_mean(images, members)[None].astype(np.float32))
    nearest = np.argsort(place_points(images.points[members], mean).distances, kind="stable")
    return [np.sort(members[nearest[:REPRESENTATIVES]])]


def finds_own_k(algorithm: str) -> bool:
    """Whether a clusterer is not told how many clusters to make.

    Raises:
        SettingsError: No clusterer has that name.
    """
    parameters = inspect.signature(registry.part_factory(CLUSTERERS, algorithm)).parameters
    return "n_clusters" not in parameters


def fit_clusters(
    images: PreparedImages,
    before: PreviousClusters,
    required: RequiredClusters,
    constraints: Constraints,
    *,
    k: int,
    algorithm: str,
    seed: int,
    tell: Callable[[str], None],
) -> FittedLabels:
    """Cluster the images.

    Args:
        images: The images.
        before: Where they were.
        required: The clusters that have to be there.
        constraints: What a person said.
        k: Number of clusters; ignored by an algorithm that finds its own.
        algorithm: Name of the clusterer.
        seed: Of everything that draws.
        tell: Told what the person should know.

    Raises:
        SettingsError: No clusterer has that name.
        ClusteringError: The images cannot be clustered so.
    """
    if k < len(required) and not finds_own_k(algorithm):
        tell(f"there are {len(required)} clusters that you named or made: k = {k} is too few")
    if algorithm == "kmeans":
        return _kmeans(images, before, required, constraints, k=k, seed=seed, tell=tell)
    return _other(images, before, required, k=k, algorithm=algorithm, seed=seed)


def _kmeans(
    images: PreparedImages,
    before: PreviousClusters,
    required: RequiredClusters,
    constraints: Constraints,
    *,
    k: int,
    seed: int,
    tell: Callable[[str], None],
) -> FittedLabels:
    owners: list[int | None] = [i for i, modes in required.items() for _ in modes]
    owners += [None] * max(k - len(required), 0)
    init = _warm(images, before, required, len(owners), seed=seed)
    params = {"n_clusters": len(owners), "random_state": seed}
    _, part = registry.create_part(CLUSTERERS, PartSpec("kmeans", params), options={"init": init})
    assert isinstance(part, KMeans)  # noqa: S101 - the name is ours
    labels = part.fit_predict(images.points, **_constrained(images, required, constraints, owners))
    found = len(part.cluster_centers_)
    if found < len(owners):
        tell(f"the images are too alike for {len(owners)} clusters: there are {found}")
    return FittedLabels(labels, tuple(owners[:found]), PartSpec("kmeans", params), part.algorithm_)


def _constrained(
    images: PreparedImages,
    required: RequiredClusters,
    constraints: Constraints,
    owners: Sequence[int | None],
) -> dict[str, Any]:
    """A person's decisions in the words of the clusterer: rows and numbers of owners."""
    if not required:
        return {}
    number_of = {cluster_id: number for number, cluster_id in enumerate(required)}
    fixed = np.full(len(images.image_ids), NOISE, dtype=np.int64)
    for number, modes in enumerate(required.values()):
        fixed[np.concatenate(list(modes))] = number
    banned: list[tuple[int, int]] = []
    for row, image_id in enumerate(images.image_ids.tolist()):
        cluster_id = constraints.fixed.get(image_id)
        if cluster_id in number_of:
            fixed[row] = number_of[cluster_id]
        others = constraints.banned.get(image_id, frozenset())
        refused = [number_of[other] for other in others if other in number_of]
        # One that is of no cluster at all is put to the pile afterwards.
        if len(refused) < len(required) or None in owners:
            banned += [(row, number) for number in refused]
    count = len(required)
    numbers = []
    for owner in owners:
        numbers.append(number_of[owner] if owner is not None else count)
        count += owner is None
    return {
        "fixed": fixed,
        "banned": np.array(banned, dtype=np.int64).reshape(-1, 2),
        "owners": np.array(numbers, dtype=np.int64),
    }


def _warm(
    images: PreparedImages,
    before: PreviousClusters,
    required: RequiredClusters,
    count: int,
    *,
    seed: int,
) -> Vectors | None:
    """Where to start: at the present clusters as their members lie in this space."""
    if before.clustering is None and not required:
        return None
    rows = [_with_members(images, before, i, modes) for i, modes in required.items()]
    starts = [_mean(images, mode) for modes in rows for mode in modes]
    free = sorted(set(before.ids) - set(required))
    members = [np.flatnonzero(before.labels == i) for i in free]
    members = [mine for mine in members if len(mine)]
    others = [_mean(images, mine) for mine in members]
    wanted = count - len(starts)
    sample = _sample(images.points, max(_DRAWN_FROM, _DRAWN_FROM_EACH * count), seed=seed)
    fixed = unit_rows(np.array(starts, dtype=np.float32).reshape(-1, images.points.shape[1]))
    if not wanted:
        return fixed
    if not starts and not others:
        return None
    if len(others) > wanted:
        counts = np.array([len(mine) for mine in members])
        joined = warm_start(
            images.points, unit_rows(np.stack(others).astype(np.float32)), counts, wanted, seed=seed
        )
        return np.concatenate([fixed, joined]) if len(fixed) else joined
    present = unit_rows(np.stack([*starts, *others]).astype(np.float32))
    counts = np.ones(len(present), dtype=np.int64)
    return warm_start(sample, present, counts, count, seed=seed)


def _sample(points: Vectors, most: int, *, seed: int) -> Vectors:
    """What further starts are drawn from: the distances of all to all would not fit into memory."""
    if len(points) <= most:
        return points
    rows = np.random.default_rng(seed).choice(len(points), most, replace=False)
    return points[np.sort(rows)]


def _mean(images: PreparedImages, rows: Labels) -> NDArray[np.float64]:
    return np.asarray(images.points[rows].mean(axis=0, dtype=np.float64))


def _with_members(
    images: PreparedImages, before: PreviousClusters, cluster_id: int, modes: Sequence[Labels]
) -> list[Labels]:
    """The images of each mode of a cluster: those that stand for it, and its present members."""
    mine = np.flatnonzero(before.labels == cluster_id)
    if not len(mine):
        return list(modes)
    means = unit_rows(np.stack([_mean(images, mode) for mode in modes]).astype(np.float32))
    nearest = place_points(images.points[mine], means).nearest
    return [np.union1d(mode, mine[nearest == number]) for number, mode in enumerate(modes)]


def _other(
    images: PreparedImages,
    before: PreviousClusters,
    required: RequiredClusters,
    *,
    k: int,
    algorithm: str,
    seed: int,
) -> FittedLabels:
    """Any other clusterer: what a person demands is seen to in its labels."""
    options = {"n_clusters": k, "random_state": seed}
    spec, part = registry.create_part(CLUSTERERS, PartSpec(algorithm), options=options)
    labels = np.asarray(part.fit_predict(images.points), dtype=np.int64)
    found, labels = np.unique(labels, return_inverse=True)
    labels = labels - (1 if len(found) and found[0] == NOISE else 0)
    if labels.max(initial=NOISE) == NOISE:
        raise ClusteringError(
            f"{algorithm} found no clusters: every image is noise", "use another --algorithm"
        )
    labels, owners = _adopted(labels, required, before)
    params = {"n_clusters": k, "random_state": seed}
    return FittedLabels(labels, owners, PartSpec(spec.name, params, spec.version), algorithm)


def _adopted(
    labels: Labels, required: RequiredClusters, before: PreviousClusters
) -> tuple[Labels, tuple[int | None, ...]]:
    """Which found cluster is which of those that have to be there; the missing ones are made.

    The images that stand for a cluster go with it. They count for more than its other members.
    """
    from scipy.optimize import linear_sum_assignment

    labels = labels.copy()
    count = int(labels.max()) + 1
    votes = np.zeros((len(required), count))
    for number, (cluster_id, modes) in enumerate(required.items()):
        seeds = labels[np.concatenate(list(modes))]
        members = labels[before.labels == cluster_id]
        votes[number] += np.bincount(seeds[seeds != NOISE], minlength=count) * (len(labels) + 1)
        votes[number] += np.bincount(members[members != NOISE], minlength=count)
    taken = dict(zip(*linear_sum_assignment(votes, maximize=True), strict=True))
    owners: list[int | None] = [None] * count
    for number, (cluster_id, modes) in enumerate(required.items()):
        mode = int(taken.get(number, NOISE))
        if mode == NOISE or not votes[number, mode]:
            mode = len(owners)
            owners.append(cluster_id)
        owners[mode] = cluster_id
        labels[np.concatenate(list(modes))] = mode
    held, labels_held = np.unique(labels, return_inverse=True)
    shift = 1 if held[0] == NOISE else 0
    kept = held[shift:]
    return labels_held - shift, tuple(owners[mode] for mode in kept)
