"""Scores against known truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from organizer.types import Labels


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
        purity: Share of images that are of their cluster's most frequent class.
        per_cluster: The same, cluster by cluster.
        nmi: Normalised mutual information, arithmetic mean (scikit-learn's).
        ari: Adjusted Rand index.
        acc: Share of images right under the best one-to-one matching of clusters and classes
            (Hungarian accuracy).
        n_labelled: Images that were scored.
        n_classes: Classes among them.
    """

    purity: float
    per_cluster: dict[int, ClusterPurity]
    nmi: float
    ari: float
    acc: float
    n_labelled: int
    n_classes: int


def against_truth(labels: Labels, truth: Sequence[str]) -> TruthScores:
    """Score labels against the truth of the same images; there must be at least one."""
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix

    counts = np.asarray(contingency_matrix(truth, labels))
    rows, columns = linear_sum_assignment(counts, maximize=True)
    per_cluster = {int(label): _purity(labels, truth, label) for label in np.unique(labels)}
    return TruthScores(
        purity=float(counts.max(axis=0).sum() / len(labels)),
        per_cluster=per_cluster,
        nmi=float(normalized_mutual_info_score(truth, labels)),
        ari=float(adjusted_rand_score(truth, labels)),
        acc=float(counts[rows, columns].sum() / len(labels)),
        n_labelled=len(labels),
        n_classes=len(counts),
    )


def _purity(labels: Labels, truth: Sequence[str], label: int) -> ClusterPurity:
    members = Counter(truth[int(row)] for row in np.flatnonzero(labels == label))
    # Of equally frequent classes the first by name, so that a report does not change by itself.
    majority, count = min(members.items(), key=lambda item: (-item[1], item[0]))
    total = sum(members.values())
    return ClusterPurity(count / total, majority, total)
