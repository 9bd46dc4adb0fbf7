"""Clusters, their members and models, and what became of the previous ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from organizer.types.embeddings import PartSpec, Vectors

Labels = NDArray[np.int64]

NOISE = -1
"""The label of an image that belongs to no cluster."""


class AssignmentState(StrEnum):
    """How an image came to its cluster: by its distance, by a person's decision, or not at all."""

    AUTO = "auto"
    UNSURE = "unsure"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Candidate:
    """The evidence for one number of clusters. None where something was not computed.

    Attributes:
        k: Number of clusters.
        silhouette: -1 to 1, larger is better: a mean over clusters, cosine distance.
        inertia: Sum of squared Euclidean distances to the centroids.
        chosen: Whether this is the choice.
        elbow: Whether the inertia has its elbow here.
        second: Whether this is the second best.
        davies_bouldin: Smaller is better.
        calinski_harabasz: Larger is better.
        gap: The gap statistic, larger is better.
        gap_error: Its error, s_k.
        stability: Agreement of two halves' models on all images, up to 1.
    """

    k: int
    silhouette: float
    inertia: float
    chosen: bool = False
    elbow: bool = False
    second: bool = False
    davies_bouldin: float | None = None
    calinski_harabasz: float | None = None
    gap: float | None = None
    gap_error: float | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True)
class ClusterModels:
    """The clusters of a clustering as a model, a row a mode, sorted by cluster and mode.

    A cluster has one mode, or several where a person merged what lies apart: an animal by day and
    in infrared.

    Attributes:
        cluster_ids: ``(m,)`` int64, the cluster of each mode.
        mode_ids: ``(m,)`` int64, unique in the clustering.
        means: ``(m, dim)`` float64, the exact mean of the members' points (of unit length each) in
            the clustering's space.
        counts: ``(m,)`` int64 members.
        distance_means: ``(m,)`` float64, mean cosine distance of the members to their centroid.
        distance_m2s: ``(m,)`` float64, sum of the squared deviations from that mean.
        fit_means: ``(m,)`` float64, how far a member lies from the exemplars of its mode, in the
            embedder's own space: the mean; see `organizer.cluster.fit`.
        fit_deviations: ``(m,)`` float64, its standard deviation.
        medoids: The most typical image of each mode.
        origins: How each mode came to be, for a person: "recluster", "ingest 5", "split of 3".
    """

    cluster_ids: Labels
    mode_ids: Labels
    means: NDArray[np.float64]
    counts: Labels
    distance_means: NDArray[np.float64]
    distance_m2s: NDArray[np.float64]
    fit_means: NDArray[np.float64]
    fit_deviations: NDArray[np.float64]
    medoids: tuple[str, ...]
    origins: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.cluster_ids)

    @property
    def ids(self) -> list[int]:
        """The ids of the clusters, ascending, each once."""
        return [int(i) for i in np.unique(self.cluster_ids)]

    @property
    def centroids(self) -> Vectors:
        """``(m, dim)`` float32: the means, scaled to unit length."""
        norms = np.linalg.norm(self.means, axis=1, keepdims=True)
        return np.asarray(self.means / np.where(norms > 0, norms, 1), dtype=np.float32)

    @property
    def deviations(self) -> NDArray[np.float64]:
        """``(m,)`` standard deviation of the members' distances to their centroid."""
        return np.asarray(np.sqrt(self.distance_m2s / np.maximum(self.counts, 1)))

    def row_of(self, mode_id: int) -> int:
        """The row of a mode."""
        return int(np.flatnonzero(self.mode_ids == mode_id)[0])

    def take(self, rows: NDArray[Any]) -> Self:
        """Some rows, by number or by mask."""
        numbers = np.arange(len(self))[rows]
        arrays = {
            item.name: getattr(self, item.name)[numbers]
            for item in fields(self)
            if item.name not in {"medoids", "origins"}
        }
        return type(self)(
            **arrays,
            medoids=tuple(self.medoids[row] for row in numbers),
            origins=tuple(self.origins[row] for row in numbers),
        )

    @classmethod
    def joined(cls, parts: Sequence[ClusterModels]) -> ClusterModels:
        """Several models as one, sorted."""
        arrays = {
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(cls)
            if item.name not in {"medoids", "origins"}
        }
        whole = cls(
            **arrays,
            medoids=tuple(medoid for part in parts for medoid in part.medoids),
            origins=tuple(origin for part in parts for origin in part.origins),
        )
        return whole.take(np.lexsort((whole.mode_ids, whole.cluster_ids)))


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Some members of each mode, which show where a cluster has images and where it has none.

    Attributes:
        mode_ids: ``(e,)`` int64, the mode of each.
        vectors: ``(e, dim)`` float16 of unit length, in the embedder's own space.
    """

    mode_ids: Labels
    vectors: NDArray[np.float16]

    @classmethod
    def joined(cls, parts: Sequence[Exemplars]) -> Exemplars:
        """Several, one below the other."""
        some = [part for part in parts if len(part.mode_ids)] or list(parts[:1])
        return cls(
            np.concatenate([part.mode_ids for part in some]),
            np.concatenate([part.vectors for part in some]),
        )

    def of(self, mode_id: int) -> Vectors:
        """``(r, dim)`` float32: those of one mode."""
        return np.asarray(self.vectors[self.mode_ids == mode_id], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Assignments:
    """Which image is in which cluster, row by row.

    Attributes:
        image_ids: ``(n,)`` ids as Python strings in an object array.
        cluster_ids: ``(n,)`` int64; NOISE for an unassigned image.
        candidates: ``(n,)`` int64, the nearest cluster, also of an unassigned image.
        distances: ``(n,)`` float32 cosine distance to that cluster's nearest centroid.
        margins: ``(n,)`` float32, how much farther the second nearest cluster is.
        states: ``(n,)`` values of `AssignmentState`.
        since: ``(n,)`` int64, the ingest that assigned the image; 0 if the clustering was made
            of it.
    """

    image_ids: NDArray[np.object_]
    cluster_ids: Labels
    candidates: Labels
    distances: NDArray[np.float32]
    margins: NDArray[np.float32]
    states: NDArray[np.object_]
    since: Labels

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        for item in fields(self):
            if getattr(self, item.name).shape != (n,):
                raise ValueError(f"{n} ids, {item.name} of {getattr(self, item.name).shape}")

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def unassigned(self) -> NDArray[np.bool_]:
        """``(n,)`` whether an image is unassigned: in no cluster, as none fits."""
        return np.asarray(self.states == AssignmentState.UNSURE.value)

    def take(self, rows: NDArray[Any]) -> Self:
        """Some rows, by number or by mask."""
        return type(self)(*(getattr(self, item.name)[rows] for item in fields(self)))

    def with_rows(self, rows: Labels, changed: Assignments) -> Assignments:
        """The same members, with some of them as they are in `changed`.

        Args:
            rows: ``(m,)`` the row of each, once; negative for one that is no member.
            changed: The m members.
        """
        here = rows >= 0
        columns = {item.name: getattr(self, item.name) for item in fields(self)}
        for name, column in columns.items():
            if name != "image_ids":
                columns[name] = column.copy()
                columns[name][rows[here]] = getattr(changed, name)[here]
        return type(self)(**columns)

    @classmethod
    def empty(cls) -> Assignments:
        """No members."""
        number, text = np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
        decimal = np.empty(0, dtype=np.float32)
        return cls(text, number, number, decimal, decimal, text, number)

    @classmethod
    def joined(cls, parts: Sequence[Assignments]) -> Assignments:
        """Several, one below the other."""
        names = [item.name for item in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Clustering:
    """A clustering of images and what made it.

    Attributes:
        members: Which image is where.
        models: The clusters.
        exemplars: Their exemplars.
        embedder: What made the vectors.
        reducer: What made the space in which the clusters lie.
        space: The fitted state of the reducer, by name.
        clusterer: What made the labels.
        evidence: One candidate for each k that was tried; empty where the user gave k.
        algorithm: What really ran, for a person: the method, its implementation, the device.
    """

    members: Assignments
    models: ClusterModels
    exemplars: Exemplars
    embedder: PartSpec
    reducer: PartSpec
    space: Mapping[str, NDArray[Any]]
    clusterer: PartSpec
    evidence: tuple[Candidate, ...] = ()
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class ClusterSplit:
    """An old cluster of which several new ones hold a good part."""

    cluster_id: int
    into: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClusterMerge:
    """A new cluster that holds most of several old ones."""

    cluster_id: int
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineageReport:
    """What a clustering made of the previous one.

    Every old id is in `kept` or in `retired`, every new id in `kept` or in `new`; `split` and
    `merged` tell how.
    """

    kept: tuple[int, ...] = ()
    split: tuple[ClusterSplit, ...] = ()
    merged: tuple[ClusterMerge, ...] = ()
    new: tuple[int, ...] = ()
    retired: tuple[int, ...] = ()
    images_moved: int = 0
