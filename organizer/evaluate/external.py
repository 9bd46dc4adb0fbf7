"""Scores against known truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from organizer.types import ClusterPurity, Labels, TruthScores


def against_truth(labels: Labels, truth: Sequence[str]) -> TruthScores:
    """Score labels against the truth of the same images; there must be at least one.

    All is computed from the table of clusters and classes: O(n + clusters x classes), whatever the
    number of pairs. Purity as in Manning, Raghavan and Schuetze 2008, 16.3; BCubed as in Bagga and
    Baldwin 1998; the others are scikit-learn's definitions.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_mutual_info_score, homogeneity_completeness_v_measure

    classes, of_class = np.unique(np.asarray(truth, dtype=object).astype(str), return_inverse=True)
    cluster_ids, of_cluster = np.unique(labels, return_inverse=True)
    table = _table(of_cluster, of_class, (len(cluster_ids), len(classes)))
    rows, columns = linear_sum_assignment(table, maximize=True)
    matched = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(of_class, of_cluster)
    pairs = _pairs(table)
    precision, recall = _bcubed(table)
    names = [str(name) for name in classes]
    return TruthScores(
        purity=float(table.max(axis=1).sum() / len(labels)),
        per_cluster={
            int(i): _purity(row, names) for i, row in zip(cluster_ids, table, strict=True)
        },
        nmi=float(v_measure),
        ami=float(adjusted_mutual_info_score(of_class, of_cluster)),
        ari=_adjusted_rand(pairs),
        acc=float(table[rows, columns].sum() / len(labels)),
        fmi=_fowlkes_mallows(pairs),
        jaccard=_jaccard(pairs),
        homogeneity=float(homogeneity),
        completeness=float(completeness),
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f1=2 * precision * recall / (precision + recall),
        n_labelled=len(labels),
        classes=tuple(names),
        cluster_ids=tuple(int(i) for i in cluster_ids),
        table=table,
        matched=tuple(
            names[matched[row]] if row in matched else None for row in range(len(cluster_ids))
        ),
    )


def _table(of_cluster: Labels, of_class: Labels, shape: tuple[int, int]) -> Labels:
    cells = np.bincount(of_cluster * shape[1] + of_class, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(np.int64)


def _purity(row: Labels, classes: Sequence[str]) -> ClusterPurity:
    # Of equally frequent classes the first by name, so that a report does not change by itself.
    largest, total = int(row.argmax()), int(row.sum())
    return ClusterPurity(float(row[largest] / total), classes[largest], total)


def _pairs(table: Labels) -> tuple[int, int, int, int]:
    """Pairs of images: together in both, in clusters, in classes, and all. Exact integers."""

    def choose_2(counts: NDArray[np.int64]) -> int:
        return sum(int(count) * (int(count) - 1) // 2 for count in counts.ravel())

    return (
        choose_2(table),
        choose_2(table.sum(axis=1)),
        choose_2(table.sum(axis=0)),
        choose_2(np.array([table.sum()])),
    )


def _adjusted_rand(pairs: tuple[int, int, int, int]) -> float:
    """Hubert and Arabie 1985. Two partitions that are the same trivial one agree wholly."""
    both, clusters, classes, all_pairs = pairs
    expected = clusters * classes / all_pairs if all_pairs else 0.0
    most = (clusters + classes) / 2
    return 1.0 if most == expected else float((both - expected) / (most - expected))


def _fowlkes_mallows(pairs: tuple[int, int, int, int]) -> float:
    """Fowlkes and Mallows 1983: the geometric mean of the precision and the recall of pairs."""
    both, clusters, classes, _ = pairs
    return both / np.sqrt(clusters * classes) if both else 0.0


def _jaccard(pairs: tuple[int, int, int, int]) -> float:
    """Pairs together in both, of those together in either; no pair at all is full agreement."""
    both, clusters, classes, _ = pairs
    either = clusters + classes - both
    return both / either if either else 1.0


def _bcubed(table: Labels) -> tuple[float, float]:
    squares = table.astype(np.float64) ** 2
    n = table.sum()
    precision = (squares / table.sum(axis=1, keepdims=True)).sum() / n
    recall = (squares / table.sum(axis=0, keepdims=True)).sum() / n
    return float(precision), float(recall)
