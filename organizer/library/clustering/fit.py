"""Run a clusterer under constraints: from points to labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from organizer import registry
from organizer.cluster.decisions import Constraints
from organizer.cluster.kmeans import KMeans
from organizer.counts import count_text
from organizer.errors import ClusteringError
from organizer.library.clustering.build import PreparedImages
from organizer.library.clustering.previous import PreviousClusters
from organizer.library.clustering.required import RequiredClusters, match_required
from organizer.library.clustering.starts import starting_centroids
from organizer.types import NOISE, Labels, PartSpec

CLUSTERERS = "organizer.clusterers"


@dataclass(frozen=True, slots=True)
class FittedLabels:
    """The labels that a clusterer gave.

    Attributes:
        labels: ``(n,)`` the mode of each image, from 0; NOISE for none.
        owners: For each mode the required cluster that it is part of, or None.
        clusterer: What made the labels.
        algorithm: What really ran, for a person.
    """

    labels: Labels
    owners: tuple[int | None, ...]
    clusterer: PartSpec
    algorithm: str

    def clusters(self) -> tuple[Labels, dict[int, int]]:
        """The number of each mode's cluster, from 0, and the ids of required ones, by number."""
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


def finds_own_k(algorithm: str) -> bool:
    """Whether a clusterer finds the number of clusters itself.

    Raises:
        SettingsError: No clusterer has that name.
    """
    parameters = inspect.signature(registry.part_factory(CLUSTERERS, algorithm)).parameters
    return "n_clusters" not in parameters


def trains(algorithm: str) -> bool:
    """Whether a clusterer trains a network: see `organizer.training`. Nothing is made.

    Raises:
        SettingsError: No clusterer has that name.
    """
    factory = registry.part_factory(CLUSTERERS, algorithm)
    return hasattr(factory, "train") and hasattr(factory, "embedder_family")


def fit_clusters(
    images: PreparedImages,
    previous: PreviousClusters,
    required: RequiredClusters,
    constraints: Constraints,
    *,
    k: int,
    algorithm: PartSpec,
    seed: int,
    note: Callable[[str], None],
) -> FittedLabels:
    """Cluster the images.

    Args:
        images: The images.
        previous: The clusters that they were in.
        required: The clusters that there have to be.
        constraints: The constraints on single images.
        k: Number of clusters; ignored by an algorithm that finds its own.
        algorithm: The clusterer, with its own options.
        seed: Random seed.
        note: Called with what the person should know.

    Raises:
        SettingsError: No clusterer has that name.
        ClusteringError: The images cannot be clustered so.
    """
    if k < len(required) and not finds_own_k(algorithm.name):
        note(f"you named or made {count_text(len(required), 'cluster')}: k = {k} is too few")
    if algorithm.name == "kmeans":
        return _fit_kmeans(images, previous, required, constraints, k=k, seed=seed, note=note)
    return _fit_other(images, previous, required, k=k, algorithm=algorithm, seed=seed)


def _fit_kmeans(
    images: PreparedImages,
    previous: PreviousClusters,
    required: RequiredClusters,
    constraints: Constraints,
    *,
    k: int,
    seed: int,
    note: Callable[[str], None],
) -> FittedLabels:
    owners: list[int | None] = [i for i, modes in required.items() for _ in modes]
    owners += [None] * max(k - len(required), 0)
    init = starting_centroids(images, previous, required, len(owners), seed=seed)
    params = {"n_clusters": len(owners), "random_state": seed}
    _, part = registry.create_part(CLUSTERERS, PartSpec("kmeans", params), options={"init": init})
    assert isinstance(part, KMeans)  # noqa: S101 - the name is ours
    arguments = constraint_arguments(images, required, constraints, free=None in owners)
    if arguments:
        arguments["owners"] = _owner_numbers(required, owners)
    labels = part.fit_predict(images.points, **arguments)
    found = len(part.cluster_centers_)
    if found < len(owners):
        note(f"the images are too alike for {len(owners)} clusters: there are {found}")
    return FittedLabels(labels, tuple(owners[:found]), PartSpec("kmeans", params), part.algorithm_)


def constraint_arguments(
    images: PreparedImages,
    required: RequiredClusters,
    constraints: Constraints,
    *,
    free: bool,
) -> dict[str, Any]:
    """Constraints as arguments of `KMeans.fit_predict`: rows, and numbers of required clusters.

    Args:
        images: The images.
        required: The clusters that there have to be; they are numbered in their order.
        constraints: The constraints on single images.
        free: Whether there are clusters besides the required ones.
    """
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
        excluded = [number_of[other] for other in others if other in number_of]
        # An image that is excluded from every cluster is unassigned afterwards.
        if len(excluded) < len(required) or free:
            banned += [(row, number) for number in excluded]
    return {"fixed": fixed, "banned": np.array(banned, dtype=np.int64).reshape(-1, 2)}


def _owner_numbers(required: RequiredClusters, owners: Sequence[int | None]) -> Labels:
    """The number of each mode's owner; every mode that nobody owns has a number of its own."""
    number_of = {cluster_id: number for number, cluster_id in enumerate(required)}
    count = len(required)
    numbers = []
    for owner in owners:
        numbers.append(number_of[owner] if owner is not None else count)
        count += owner is None
    return np.array(numbers, dtype=np.int64)


def _fit_other(
    images: PreparedImages,
    previous: PreviousClusters,
    required: RequiredClusters,
    *,
    k: int,
    algorithm: PartSpec,
    seed: int,
) -> FittedLabels:
    """Run any other clusterer, and match its labels with the required clusters afterwards."""
    options = {"n_clusters": k, "random_state": seed}
    spec, part = registry.create_part(CLUSTERERS, algorithm, options=options)
    labels = np.asarray(part.fit_predict(images.points), dtype=np.int64)
    found, labels = np.unique(labels, return_inverse=True)
    labels = labels - (1 if len(found) and found[0] == NOISE else 0)
    if labels.max(initial=NOISE) == NOISE:
        raise ClusteringError(
            f"{algorithm.name} found no clusters: every image is noise", "use another --algorithm"
        )
    labels, owners = match_required(labels, required, previous)
    params = {**algorithm.params, "n_clusters": k, "random_state": seed}
    made = PartSpec(spec.name, params, spec.version)
    return FittedLabels(labels, owners, made, algorithm.name)
