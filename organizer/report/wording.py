"""The names, meanings and sources of the scores, and how numbers are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

from organizer.report.contents import ReportContents
from organizer.types import NOISE, InternalScores, Silhouette, TruthScores

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
FEW_CLUSTERS = "needs two clusters, and more images than clusters"
ALONE = "there is no other cluster"
NOT_DRAWN = "none of its images is in the sample"
NO_LABEL = "none of its images has a label"

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


@dataclass(frozen=True, slots=True)
class Score:
    """A score as it is shown.

    Attributes:
        name: Its name.
        value: The number, or a dash.
        detail: Its error, or why there is no number.
        meaning: One plain sentence.
        source: Who defined it.
    """

    name: str
    value: str
    detail: str
    meaning: str
    source: str


def score_text(value: float | None, digits: int = 3) -> str:
    """A number as text; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    # The minus sign, not a hyphen, and none before a zero.
    text = f"{value:,.{digits}f}"
    is_zero = not text.strip("-0.,")
    return text.lstrip("-") if is_zero else text.replace("-", MINUS)


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; never 100% for less than all."""
    if share is None or not math.isfinite(share):
        return DASH
    text = f"{share:.{digits}%}"
    if share < 1 and text.startswith("100"):
        return f"{math.floor(share * 10 ** (digits + 2)) / 10**digits:.{digits}f}%"
    return text


def label_of(cluster_id: int, name: str | None) -> str:
    """The label of a cluster: its id, and its name where it has one."""
    if cluster_id == NOISE:
        return "unassigned"
    return f"{cluster_id} {name}" if name else f"cluster {cluster_id}"


def without_truth(contents: ReportContents) -> tuple[Score, ...]:
    """The scores that need no labels."""
    internal = contents.internal
    return (_silhouette(contents.silhouette), *_shape(internal))


def with_truth(truth: TruthScores) -> tuple[Score, ...]:
    """The scores against truth."""
    return tuple(
        Score(name, score_text(getattr(truth, field)), "", meaning, source)
        for field, name, meaning, source in _AGAINST_TRUTH
    )


def _silhouette(found: Silhouette | None) -> Score:
    detail = FEW_CLUSTERS if found is None else ""
    if found is not None and found.sampled:
        detail = (
            f"± {score_text(found.standard_error, 4)} (standard error), of a sample of "
            f"{found.n_scored:,} images"
        )
    return Score(
        "Silhouette",
        score_text(found.mean if found else None),
        detail,
        "How much nearer an image is to its own cluster than to the next one: 1 is well "
        "separated, 0 lies between two clusters, below 0 is nearer to the other one.",
        "Rousseeuw 1987",
    )


def _shape(internal: InternalScores) -> tuple[Score, ...]:
    def why(value: float | None) -> str:
        return FEW_CLUSTERS if value is None else ""

    return (
        Score(
            "Davies-Bouldin",
            score_text(internal.davies_bouldin),
            why(internal.davies_bouldin),
            "How wide clusters are compared with the distance to the most similar other cluster: "
            "0 is best, smaller is better.",
            "Davies and Bouldin 1979",
        ),
        Score(
            "Calinski-Harabasz",
            score_text(internal.calinski_harabasz, 1),
            why(internal.calinski_harabasz),
            "How far clusters are apart compared with how wide they are: larger is better; "
            "comparable only between clusterings of the same vectors.",
            "Calinski and Harabasz 1974",
        ),
        Score(
            "Inertia",
            score_text(internal.inertia, 1),
            "",
            "The sum of squared distances of all images to their centroid, which K-means "
            "minimises: it always falls when there are more clusters.",
            "MacQueen 1967",
        ),
    )


_AGAINST_TRUTH = (
    (
        "purity",
        "Purity",
        (
            "Share of images that are of their cluster's most frequent class; also the accuracy "
            "when each cluster is named after that class. It rises with the number of clusters."
        ),
        "Manning, Raghavan and Schütze 2008",
    ),
    (
        "acc",
        "ACC",
        (
            "Share of images that are right when each class is matched to one cluster only "
            "(Hungarian accuracy)."
        ),
        "Kuhn 1955",
    ),
    (
        "nmi",
        "NMI",
        (
            "How much information clusters and classes share, 0 to 1, arithmetic mean; also "
            "called V-measure. Not 0 by chance."
        ),
        "Strehl and Ghosh 2002",
    ),
    (
        "ami",
        "AMI",
        "NMI adjusted for chance: 0 is chance, 1 is full agreement.",
        "Vinh, Epps and Bailey 2010",
    ),
    (
        "ari",
        "ARI",
        ("Agreement over pairs of images, adjusted for chance: 0 is chance, 1 is full agreement."),
        "Hubert and Arabie 1985",
    ),
    (
        "fmi",
        "FMI",
        "Geometric mean of precision and recall over pairs of images in one cluster.",
        "Fowlkes and Mallows 1983",
    ),
    (
        "jaccard",
        "Jaccard",
        "Pairs together in both clusters and classes, of those together in either.",
        "Jaccard 1912",
    ),
    (
        "homogeneity",
        "Homogeneity",
        "1 where every cluster holds one class only.",
        "Rosenberg and Hirschberg 2007",
    ),
    (
        "completeness",
        "Completeness",
        "1 where every class lies in one cluster only.",
        "Rosenberg and Hirschberg 2007",
    ),
    (
        "bcubed_precision",
        "BCubed precision",
        "Of the images in an image's cluster, the share of its class; mean over images.",
        "Bagga and Baldwin 1998",
    ),
    (
        "bcubed_recall",
        "BCubed recall",
        "Of the images of an image's class, the share in its cluster; mean over images.",
        "Bagga and Baldwin 1998",
    ),
    (
        "bcubed_f1",
        "BCubed F1",
        "The harmonic mean of these two.",
        "Bagga and Baldwin 1998",
    ),
)
