"""What is found out about a clustering: frozen values that evaluation gives and reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from organizer.types.clusterings import Labels


@dataclass(frozen=True, slots=True)
class Silhouette:
    """The silhouette of a clustering (Rousseeuw 1987).

    Attributes:
        mean: Over all images that were scored.
        per_cluster: Mean over each cluster's images that were scored.
        n_scored: Images that were scored; fewer than there are where a sample was drawn.
        sampled: Whether a sample was drawn.
        standard_error: Of the mean, because of the sample; 0.0 where all were scored.
        rows: ``(n_scored,)`` int64, which images were scored, ascending.
        values: ``(n_scored,)`` float64, the silhouette of each.
    """

    mean: float
    per_cluster: dict[int, float]
    n_scored: int
    sampled: bool
    standard_error: float
    rows: Labels = field(repr=False, compare=False)
    values: NDArray[np.float64] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """How compact a cluster is and how far from the others; distances are Euclidean.

    Attributes:
        cluster_id: The cluster.
        count: Its images.
        cohesion: Mean cosine similarity of the members to their centroid; 1 is compact.
        spread: Root of the mean squared distance of the members to their centroid.
        inertia: Sum of the squared distances of the members to their centroid.
        separation: Distance to the centroid of the nearest other cluster; None where it is alone.
        nearest: That cluster.
    """

    cluster_id: int
    count: int
    cohesion: float
    spread: float
    inertia: float
    separation: float | None
    nearest: int | None


@dataclass(frozen=True, slots=True)
class InternalScores:
    """How good a clustering is by its vectors alone.

    Attributes:
        davies_bouldin: Davies and Bouldin 1979, smaller is better; None where it is not defined.
        calinski_harabasz: Calinski and Harabasz 1974, larger is better; None likewise.
        inertia: Sum of the squared distances of all images to their centroid.
        clusters: The shape of each cluster, by id.
    """

    davies_bouldin: float | None
    calinski_harabasz: float | None
    inertia: float
    clusters: tuple[ClusterShape, ...]


@dataclass(frozen=True, slots=True)
class ClusterPurity:
    """What one cluster is made of: the share of its most frequent class, and that class."""

    purity: float
    majority: str
    count: int


@dataclass(frozen=True, slots=True)
class TruthScores:
    """A clustering against truth.

    Attributes:
        purity: Share of images that are of their cluster's most frequent class. It is also the
            accuracy that majority mapping gives.
        per_cluster: The same, cluster by cluster.
        nmi: Normalised mutual information, arithmetic mean; it is also the V-measure.
        ami: Adjusted mutual information, arithmetic mean.
        ari: Adjusted Rand index.
        acc: Share of images right under the best one-to-one matching of clusters and classes
            (Hungarian accuracy).
        fmi: Fowlkes-Mallows index, over pairs of images.
        jaccard: Jaccard coefficient, over pairs: together in both, of together in either.
        homogeneity: 1 where every cluster holds one class only.
        completeness: 1 where every class lies in one cluster only.
        bcubed_precision: Mean over images of the share of its cluster that is of its class.
        bcubed_recall: Mean over images of the share of its class that is in its cluster.
        bcubed_f1: Their harmonic mean.
        n_labelled: Images that were scored.
        classes: Their classes, sorted.
        cluster_ids: Their clusters, ascending.
        table: ``(clusters, classes)`` int64: how many images of each cluster are of each class.
        matched: Class of each cluster under the best one-to-one matching, None for one left over.
    """

    purity: float
    per_cluster: dict[int, ClusterPurity]
    nmi: float
    ami: float
    ari: float
    acc: float
    fmi: float
    jaccard: float
    homogeneity: float
    completeness: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    n_labelled: int
    classes: tuple[str, ...]
    cluster_ids: tuple[int, ...]
    table: Labels = field(repr=False, compare=False)
    matched: tuple[str | None, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes among the images that were scored."""
        return len(self.classes)


@dataclass(frozen=True, slots=True)
class Factor:
    """How much of a clustering goes with something that is not the subject of the photos.

    Attributes:
        name: "camera", "light" (day or infrared), "burst" or "brightness".
        nmi: Normalised mutual information (arithmetic mean) with the clusters.
        by_chance: What the same groups give when dealt out at random: NMI is never quite 0.
        groups: Number of groups: cameras, bursts, ...
        known: Images of which it is known; only these count.
    """

    name: str
    nmi: float
    by_chance: float
    groups: int
    known: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a cluster is what it is, one sentence for a person.

    Attributes:
        cluster_id: The cluster.
        text: The sentence, without the name of the cluster: "97% of its images are of one
            camera at night ...".
        is_doubtful: Whether it speaks against the cluster: one visit, or an exposure.
    """

    cluster_id: int
    text: str
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a clustering goes with besides what is in the photos.

    Attributes:
        factors: The strongest first; one of which nothing is known is left out.
        reasons: Of the clusters about which there is something to say.
        unknown: What could not be looked at, a sentence each: "no photo tells its camera".
    """

    factors: tuple[Factor, ...]
    reasons: tuple[Reason, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share that was estimated from a sample, with its 95% interval.

    Attributes:
        share: The estimate.
        low: Lower end of the interval.
        high: Upper end.
        answered: Images that a person looked at.
        right: Of these, how many are where they belong.
    """

    share: float
    low: float
    high: float
    answered: int
    right: int


@dataclass(frozen=True, slots=True)
class Audit:
    """How pure a clustering is, as far as a person looked at it.

    Attributes:
        overall: Of all images; each cluster counts by its size.
        per_cluster: By cluster id, of those of which images were looked at.
        unseen: Images in clusters of which none was looked at; they are not in `overall`.
    """

    overall: Proportion
    per_cluster: Mapping[int, Proportion]
    unseen: int
