"""The scores of vectors and labels alone, against scikit-learn and by hand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from organizer.evaluate.shape import internal_scores
from organizer.types import NOISE


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(3, 60),
    k=st.integers(2, 8),
    dim=st.integers(1, 9),
    offset=st.sampled_from([0.0, 30.0]),
    seed=st.integers(0, 99),
)
def test_the_indices_are_those_of_scikit_learn(
    n: int, k: int, dim: int, offset: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    vectors = (draw.normal(size=(n, dim)) + offset).astype(np.float32)
    labels = draw.integers(0, k, n)
    found = internal_scores(vectors, labels)
    if not 2 <= len(np.unique(labels)) < n:
        assert found.davies_bouldin is None
        assert found.calinski_harabasz is None
        return
    exact = vectors.astype(np.float64)
    assert found.davies_bouldin == pytest.approx(davies_bouldin_score(exact, labels), rel=1e-6)
    wanted = calinski_harabasz_score(exact, labels)
    assert found.calinski_harabasz == pytest.approx(wanted, rel=1e-6)


def test_each_cluster_has_the_shape_that_it_has() -> None:
    vectors = np.array([[0, 0], [2, 0], [10, 0], [10, 4], [50, 50]], dtype=np.float32)
    found = internal_scores(vectors, np.array([3, 3, 8, 8, NOISE]))
    first, second = found.clusters
    assert (first.cluster_id, first.count, first.nearest) == (3, 2, 8)
    assert (first.spread, first.inertia) == pytest.approx((1, 2))
    assert (second.spread, second.inertia) == pytest.approx((2, 8))
    # (0, 0) has no direction; (2, 0) has that of its centroid.
    assert first.cohesion == pytest.approx(0.5)
    angles = np.arctan2([0, 4], 10) - np.arctan2(2, 10)
    assert second.cohesion == pytest.approx(np.cos(angles).mean())
    assert first.separation == second.separation == pytest.approx(np.hypot(9, 2))
    assert found.inertia == pytest.approx(10)


def test_more_rows_than_a_block_in_half_precision() -> None:
    draw = np.random.default_rng(1)
    vectors: Any = draw.normal(size=(20_000, 6)).astype(np.float16)
    labels = draw.integers(0, 300, 20_000)
    found = internal_scores(vectors, labels)
    exact = vectors.astype(np.float64)
    assert found.davies_bouldin == pytest.approx(davies_bouldin_score(exact, labels), rel=1e-9)
    by_hand = sum(
        ((exact[labels == i] - exact[labels == i].mean(axis=0)) ** 2).sum() for i in range(300)
    )
    assert found.inertia == pytest.approx(by_hand)


def test_a_cluster_that_is_alone_is_separated_from_nothing() -> None:
    found = internal_scores(np.eye(3, dtype=np.float32), np.zeros(3, dtype=np.int64))
    assert found.clusters[0].separation is None
    assert found.clusters[0].nearest is None
    assert found.davies_bouldin is None


def test_identical_images_are_compact_and_nothing_divides_by_zero() -> None:
    vectors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    found = internal_scores(vectors, np.array([0, 0, 0, 1, 1, 1]))
    assert found.davies_bouldin == 0
    assert found.calinski_harabasz == 1
    assert found.inertia == 0


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=3, max_size=40))
def test_copies_in_several_clusters_are_what_scikit_learn_says(
    images: list[tuple[int, int]],
) -> None:
    kinds = np.random.default_rng(3).normal(size=(4, 3)).astype(np.float32)
    vectors = kinds[[kind for kind, _ in images]]
    labels = np.array([label for _, label in images])
    found = internal_scores(vectors, labels)
    if 2 <= len(np.unique(labels)) < len(labels):
        # Where centroids coincide scikit-learn divides rounding by rounding.
        if _centroids_differ(images):
            exact = vectors.astype(np.float64)
            wanted = davies_bouldin_score(exact - exact.mean(axis=0), labels)
            assert found.davies_bouldin == pytest.approx(wanted, rel=1e-6, abs=1e-6)
        assert found.davies_bouldin is not None
        assert found.davies_bouldin < 1e6
        assert found.calinski_harabasz is not None
        assert found.calinski_harabasz < 1e9


def test_nothing_but_noise_has_no_scores() -> None:
    found = internal_scores(np.eye(3, dtype=np.float32), np.full(3, NOISE))
    assert (found.davies_bouldin, found.inertia, found.clusters) == (None, 0.0, ())


def _centroids_differ(images: list[tuple[int, int]]) -> bool:
    """Whether no two clusters hold the kinds in equal shares: four points in space are affinely
    independent, so that equal shares alone give equal centroids."""
    by_label: dict[int, Counter[int]] = {}
    for kind, label in images:
        by_label.setdefault(label, Counter())[kind] += 1
    shares = [
        tuple(Fraction(held[kind], held.total()) for kind in range(4)) for held in by_label.values()
    ]
    return len(set(shares)) == len(shares)
