"""Scores against scikit-learn and against what the definitions say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.cluster.incremental import unit_rows
from organizer.evaluate.external import against_truth
from organizer.evaluate.internal import silhouette
from organizer.types import NOISE, Labels, Vectors

_TRUTHS = ("ant", "bee", "cat")


def _vectors(n: int, dim: int = 8, seed: int = 0) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


def _labels(n: int, k: int, seed: int = 1) -> Labels:
    return np.random.default_rng(seed).integers(0, k, n)


# Silhouette ----------------------------------------------------------------------------------


def test_the_silhouette_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import silhouette_samples, silhouette_score

    vectors, labels = _vectors(120), _labels(120, 5) * 10
    found = silhouette(vectors, labels)
    assert found is not None
    assert found.mean == pytest.approx(silhouette_score(vectors, labels), abs=1e-6)
    each = silhouette_samples(vectors, labels)
    assert set(found.per_cluster) == {0, 10, 20, 30, 40}
    for label, mean in found.per_cluster.items():
        assert mean == pytest.approx(each[labels == label].mean(), abs=1e-6)
    assert (found.n_scored, found.sampled) == (120, False)


def test_the_silhouette_is_that_of_its_definition() -> None:
    vectors, labels = _vectors(30), _labels(30, 3)
    found = silhouette(vectors, labels)
    assert found is not None
    values = [_silhouette_of(row, vectors, labels) for row in range(30)]
    assert found.mean == pytest.approx(np.mean(values), abs=1e-5)


def test_noise_is_not_scored() -> None:
    vectors, labels = _vectors(60), _labels(60, 3)
    labels[::4] = NOISE
    found, without = (
        silhouette(vectors, labels),
        silhouette(vectors[labels >= 0], labels[labels >= 0]),
    )
    assert found is not None
    assert found == without
    assert found.n_scored == np.count_nonzero(labels >= 0)


@pytest.mark.parametrize(
    "labels",
    [[0] * 6, [0, 1, 2, 3, 4, 5], [NOISE] * 6, [NOISE, NOISE, NOISE, NOISE, 0, 1], [0]],
    ids=["one cluster", "each its own", "only noise", "two images", "one image"],
)
def test_an_undefined_silhouette_is_none(labels: list[int]) -> None:
    assert silhouette(_vectors(len(labels)), np.array(labels)) is None


def test_no_images_have_no_silhouette() -> None:
    assert silhouette(np.empty((0, 4), np.float32), np.empty(0, np.int64)) is None


@pytest.mark.slow
def test_a_large_clustering_is_scored_by_a_sample() -> None:
    centres = np.repeat(np.eye(2, 4, dtype=np.float32), 10_100, axis=0)
    vectors = unit_rows(centres + 0.1 * _vectors(20_200, 4))
    labels = np.repeat([0, 1], 10_100)
    found = silhouette(vectors, labels, seed=3)
    assert found is not None
    assert (found.n_scored, found.sampled) == (5_000, True)
    some = silhouette(vectors[::20], labels[::20])
    assert some is not None
    assert found.mean == pytest.approx(some.mean, abs=0.01)


# Truth ---------------------------------------------------------------------------------------


@st.composite
def _clusterings(draw: st.DrawFn) -> tuple[Labels, list[str]]:
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(_TRUTHS)), min_size=1, max_size=40)
    )
    return np.array([label for label, _ in pairs]), [truth for _, truth in pairs]


@settings(deadline=None)
@given(_clusterings())
def test_truth_scores_are_those_of_their_definitions(case: tuple[Labels, list[str]]) -> None:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    labels, truth = case
    found = against_truth(labels, truth)
    assert found.purity == pytest.approx(_purity(labels, truth))
    assert found.acc == pytest.approx(_accuracy(labels, truth))
    assert found.nmi == pytest.approx(_nmi(labels, truth), abs=1e-6)
    assert found.nmi == pytest.approx(normalized_mutual_info_score(truth, labels))
    assert found.ari == pytest.approx(_ari(labels, truth), abs=1e-6)
    assert found.ari == pytest.approx(adjusted_rand_score(truth, labels))
    assert found.n_labelled == len(truth)
    assert found.n_classes == len(set(truth))


@settings(deadline=None)
@given(_clusterings())
def test_the_purity_of_each_cluster_adds_up_to_the_whole(
    case: tuple[Labels, list[str]],
) -> None:
    labels, truth = case
    found = against_truth(labels, truth)
    assert set(found.per_cluster) == set(labels.tolist())
    for label, scored in found.per_cluster.items():
        members = [truth[row] for row in np.flatnonzero(labels == label)]
        assert scored.count == len(members)
        most = max(Counter(members).values())
        assert scored.purity == pytest.approx(most / len(members))
        assert scored.majority == min(c for c, n in Counter(members).items() if n == most)
    right = sum(scored.purity * scored.count for scored in found.per_cluster.values())
    assert found.purity == pytest.approx(right / len(labels))


def test_a_perfect_clustering_scores_one_whatever_its_ids() -> None:
    found = against_truth(np.array([7, 7, 3, 3, 99]), ["a", "a", "b", "b", "c"])
    assert (found.purity, found.nmi, found.ari, found.acc) == pytest.approx((1, 1, 1, 1))


def test_more_clusters_than_classes_cost_accuracy_but_not_purity() -> None:
    found = against_truth(np.array([0, 0, 1, 2, 3, 3]), ["a", "a", "a", "b", "b", "b"])
    assert found.purity == 1
    assert found.acc == pytest.approx(4 / 6)


@settings(deadline=None, max_examples=80)
@given(_clusterings())
def test_truth_scores_are_those_of_scikit_learn(case: tuple[Labels, list[str]]) -> None:
    from sklearn import metrics

    labels, truth = case
    found = against_truth(labels, truth)
    assert found.ami == pytest.approx(metrics.adjusted_mutual_info_score(truth, labels))
    assert found.ari == pytest.approx(metrics.adjusted_rand_score(truth, labels))
    assert found.nmi == pytest.approx(metrics.normalized_mutual_info_score(truth, labels))
    assert found.nmi == pytest.approx(metrics.v_measure_score(truth, labels))
    assert found.fmi == pytest.approx(metrics.fowlkes_mallows_score(truth, labels))
    assert found.homogeneity == pytest.approx(metrics.homogeneity_score(truth, labels))
    assert found.completeness == pytest.approx(metrics.completeness_score(truth, labels))
    table = metrics.cluster.contingency_matrix(labels, truth)
    np.testing.assert_array_equal(found.table, table)


@settings(deadline=None, max_examples=80)
@given(_clusterings())
def test_pairs_and_bcubed_are_those_of_counting_by_hand(case: tuple[Labels, list[str]]) -> None:
    labels, truth = case
    found = against_truth(labels, truth)
    n = len(truth)
    pairs = [(labels[i] == labels[j], truth[i] == truth[j]) for i in range(n) for j in range(i)]
    either = sum(cluster or label for cluster, label in pairs)
    both = sum(cluster and label for cluster, label in pairs)
    assert found.jaccard == pytest.approx(both / either if either else 1.0)
    precision, recall = 0.0, 0.0
    for i in range(n):
        cluster = {j for j in range(n) if labels[j] == labels[i]}
        label = {j for j in range(n) if truth[j] == truth[i]}
        precision += len(cluster & label) / len(cluster) / n
        recall += len(cluster & label) / len(label) / n
    assert found.bcubed_precision == pytest.approx(precision)
    assert found.bcubed_recall == pytest.approx(recall)
    assert found.bcubed_f1 == pytest.approx(2 / (1 / precision + 1 / recall))


@settings(deadline=None, max_examples=40)
@given(_clusterings())
def test_the_matching_is_what_the_accuracy_counts(case: tuple[Labels, list[str]]) -> None:
    labels, truth = case
    found = against_truth(labels, truth)
    class_of = dict(zip(found.cluster_ids, found.matched, strict=True))
    right = [class_of[int(i)] == name for i, name in zip(labels, truth, strict=True)]
    assert np.mean(right) == pytest.approx(found.acc)
    used = [name for name in found.matched if name is not None]
    assert len(used) == len(set(used)) == min(len(found.classes), len(found.cluster_ids))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_tie_goes_to_the_first_class_by_name(order: tuple[int, ...]) -> None:
    truth = ["wolf", "fox", "wolf", "fox"]
    found = against_truth(np.zeros(4, np.int64), [truth[place] for place in order])
    assert found.per_cluster[0].majority == "fox"


def _silhouette_of(row: int, vectors: Vectors, labels: Labels) -> float:
    distances = np.linalg.norm(vectors.astype(np.float64) - vectors[row], axis=1)
    own = (labels == labels[row]).copy()
    own[row] = False
    if not own.any():
        return 0.0
    inside = distances[own].mean()
    outside = min(
        distances[labels == other].mean() for other in set(labels.tolist()) - {labels[row]}
    )
    return float((outside - inside) / max(inside, outside))


def _counts(labels: Labels, truth: Sequence[str]) -> Counter[tuple[int, str]]:
    return Counter(zip(labels.tolist(), truth, strict=True))


def _purity(labels: Labels, truth: Sequence[str]) -> float:
    counts = _counts(labels, truth)
    best = [max(n for (i, _), n in counts.items() if i == label) for label in set(labels.tolist())]
    return sum(best) / len(truth)


def _accuracy(labels: Labels, truth: Sequence[str]) -> float:
    counts = _counts(labels, truth)
    clusters, classes = sorted(set(labels.tolist())), sorted(set(truth))
    slots: list[str | None] = [*classes, *[None] * len(clusters)]
    ways = permutations(slots, len(clusters))
    right = (
        sum(counts[i, c] for i, c in zip(clusters, way, strict=True) if c is not None)
        for way in ways
    )
    return max(right) / len(truth)


def _entropy(values: Sequence[object]) -> float:
    n = len(values)
    return -sum(c / n * math.log(c / n) for c in Counter(values).values())


def _nmi(labels: Labels, truth: Sequence[str]) -> float:
    of_labels, of_truth = _entropy(labels.tolist()), _entropy(truth)
    if of_labels == of_truth == 0:
        return 1.0
    both = _entropy(list(zip(labels.tolist(), truth, strict=True)))
    return 2 * (of_labels + of_truth - both) / (of_labels + of_truth)


def _ari(labels: Labels, truth: Sequence[str]) -> float:
    together = sum(math.comb(n, 2) for n in _counts(labels, truth).values())
    in_labels = sum(math.comb(n, 2) for n in Counter(labels.tolist()).values())
    in_truth = sum(math.comb(n, 2) for n in Counter(truth).values())
    pairs = math.comb(len(truth), 2)
    if pairs == 0 or in_labels == in_truth == 0 or in_labels == in_truth == pairs:
        return 1.0
    by_chance = in_labels * in_truth / pairs
    return (together - by_chance) / ((in_labels + in_truth) / 2 - by_chance)
