"""Heads learned from decisions: the ridge they fit, what they would say of held-out decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from organizer.cluster.head import (
    TYPICAL_WEIGHT,
    DecidedImages,
    LearnedHead,
    fit_head,
    head_features,
    is_better,
    trusted_clusters,
)
from organizer.cluster.incremental import unit_rows
from organizer.types import Labels, Vectors
from tests.cards import blobs
from tests.conftest import examples

RIDGE = 0.01
"""The penalty that the docstrings name, where the weights add up to one."""


def decided(
    features: Vectors, cluster_ids: Labels, single: NDArray[np.bool_] | None = None
) -> DecidedImages:
    every = np.ones(len(cluster_ids), dtype=np.bool_)
    return DecidedImages(features, cluster_ids, every if single is None else single)


def fitted(images: DecidedImages) -> LearnedHead:
    head = fit_head(images)
    assert head is not None
    return head


def drawn(m: int, f: int, classes: int, *, seed: int, noise: float = 1.0) -> DecidedImages:
    """Decided images that are hard to tell apart, half of them decided by themselves."""
    draw = np.random.default_rng(seed)
    ids = np.concatenate([np.arange(classes), draw.integers(0, classes, m - classes)]) * 3 + 5
    centres = draw.normal(size=(classes, f))
    features = centres[(ids - 5) // 3] + noise * np.sqrt(f) * draw.normal(size=(m, f))
    return decided(unit_rows(features.astype(np.float32)), ids, draw.random(m) < 0.5)


def balanced(images: DecidedImages) -> NDArray[np.float64]:
    """The weight of each image, one after the other."""
    own = [1.0 if single else TYPICAL_WEIGHT for single in images.is_single]
    ids = images.cluster_ids.tolist()
    sums = {i: sum(w for w, j in zip(own, ids, strict=True) if j == i) for i in set(ids)}
    return np.array([w / sums[i] / len(sums) for w, i in zip(own, ids, strict=True)])


def refitted(images: DecidedImages, left_out: int | None) -> tuple[NDArray[np.float64], Labels]:
    """The scores of all images by an explicit ridge without one, and the clusters in order."""
    ids = np.unique(images.cluster_ids)
    x, weights = images.features.astype(np.float64), balanced(images)
    y = (images.cluster_ids[:, None] == ids).astype(np.float64)
    x_mean, y_mean = weights @ x, weights @ y
    rows = np.array([row for row in range(len(x)) if row != left_out])
    w, a, b = weights[rows, None], x[rows] - x_mean, y[rows] - y_mean
    solved = np.linalg.solve(a.T @ (w * a) + RIDGE * np.eye(x.shape[1]), a.T @ (w * b))
    return y_mean + (x - x_mean) @ solved, ids


SHAPES = [(12, 40, 3), (30, 8, 3), (24, 24, 4), (25, 24, 2)]
"""Fewer images than features, more, as many, and one more: both forms of the ridge."""


@pytest.mark.parametrize(("m", "f", "classes"), SHAPES)
def test_the_coefficients_are_those_of_a_balanced_ridge(m: int, f: int, classes: int) -> None:
    images = drawn(m, f, classes, seed=m)
    head = fitted(images)
    expected, ids = refitted(images, None)
    assert head.cluster_ids.tolist() == ids.tolist()
    assert head.coefficients.dtype == np.float32
    scores = images.features @ head.coefficients + head.offsets
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize(("m", "f", "classes"), SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_what_is_held_out_is_what_a_head_without_the_image_says(
    m: int, f: int, classes: int, seed: int
) -> None:
    images = drawn(m, f, classes, seed=seed)
    expected = []
    for row in range(m):
        scores, ids = refitted(images, row)
        expected.append(ids[scores[row].argmax()])
    head = fitted(images)
    assert head.held_out.tolist() == expected
    assert (head.held_out != images.cluster_ids).any(), "no image is hard: the test shows nothing"


@settings(max_examples=examples(25, soak=300), deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 30), st.integers(2, 20))
def test_the_order_of_the_images_changes_nothing(seed: int, m: int, f: int) -> None:
    images = drawn(m, f, min(3, m), seed=seed)
    order = np.random.default_rng(seed + 1).permutation(m)
    mixed = decided(images.features[order], images.cluster_ids[order], images.is_single[order])
    one, other = fitted(images), fitted(mixed)
    assert one.cluster_ids.tolist() == other.cluster_ids.tolist()
    assert one.temperature == other.temperature
    np.testing.assert_allclose(
        one.probabilities(images.features), other.probabilities(images.features), atol=1e-3
    )


@settings(max_examples=examples(15, soak=200), deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_a_cluster_with_more_images_weighs_no_more(seed: int, times: int) -> None:
    """All images of one cluster, each several times over: the same head."""
    images = drawn(14, 10, 3, seed=seed)
    rows = np.flatnonzero(images.cluster_ids == 5)
    more = np.concatenate([np.arange(14), np.repeat(rows, times - 1)])
    many = decided(images.features[more], images.cluster_ids[more], images.is_single[more])
    np.testing.assert_allclose(
        fitted(images).coefficients, fitted(many).coefficients, rtol=1e-3, atol=1e-4
    )


def test_an_image_that_was_decided_by_itself_weighs_as_much_as_eight_typical_ones() -> None:
    images = drawn(14, 10, 3, seed=4)
    one = decided(images.features, images.cluster_ids, np.ones(14, dtype=np.bool_))
    rows = np.concatenate([np.repeat(0, round(1 / TYPICAL_WEIGHT)), np.arange(1, 14)])
    typical = decided(images.features[rows], images.cluster_ids[rows], rows > 0)
    np.testing.assert_allclose(
        fitted(one).coefficients, fitted(typical).coefficients, rtol=1e-3, atol=1e-4
    )


def test_two_clusters_with_one_image_each_are_told_apart() -> None:
    vectors = blobs([1, 1])
    head = fitted(decided(vectors, np.array([7, 2])))
    assert head.cluster_ids.tolist() == [2, 7]
    likely = head.probabilities(blobs([5, 5], seed=3))
    assert (likely.argmax(axis=1) == [1] * 5 + [0] * 5).all()
    np.testing.assert_allclose(likely.sum(axis=1), 1)


@pytest.mark.parametrize("ids", [[], [4], [4, 4, 4]])
def test_there_is_no_head_for_fewer_than_two_clusters(ids: list[int]) -> None:
    vectors = blobs([len(ids)]) if ids else np.empty((0, 16), np.float32)
    assert fit_head(decided(vectors, np.array(ids, dtype=np.int64))) is None


def test_images_that_are_all_the_same_make_no_numbers_that_are_none() -> None:
    same = np.repeat(blobs([1]), 6, axis=0)
    head = fitted(decided(same, np.array([1, 1, 1, 2, 2, 2])))
    np.testing.assert_allclose(head.probabilities(same), 0.5, atol=1e-6)


# Calibration ---------------------------------------------------------------------------------


def test_a_head_is_the_surer_the_more_often_it_is_right() -> None:
    draw = np.random.default_rng(0)
    ids = np.repeat([1, 2], 60)
    right = fitted(decided(blobs([60, 60]), ids))
    wrong = fitted(decided(blobs([60, 60]), draw.permutation(ids)))
    none = fitted(decided(blobs([60, 60]), ids, np.zeros(120, dtype=np.bool_)))
    assert wrong.temperature < none.temperature < right.temperature


@pytest.mark.parametrize("seed", range(3))
def test_the_confidence_is_about_how_often_a_head_is_right(seed: int) -> None:
    """On images that nobody decided about, of kinds that overlap."""
    images = drawn(1_200, 30, 3, seed=seed, noise=0.6)
    known, new = np.arange(200), np.arange(200, 1_200)
    single = np.ones(200, dtype=np.bool_)
    head = fitted(decided(images.features[known], images.cluster_ids[known], single))
    likely = head.probabilities(images.features[new])
    found = head.cluster_ids[likely.argmax(axis=1)]
    right = (found == images.cluster_ids[new]).mean()
    assert 0.5 < right < 0.98, "too easy or too hard to tell"
    assert likely.max(axis=1).mean() == pytest.approx(right, abs=0.1)


# Whether it helps ----------------------------------------------------------------------------


def head_that_said(held_out: list[int]) -> LearnedHead:
    said = np.array(held_out)
    ids = np.array([1, 2, 3])
    return LearnedHead(
        ids, np.zeros((4, 3), np.float32), np.zeros(3, np.float32), temperature=5.0, held_out=said
    )


def test_a_head_is_better_only_if_it_is_right_more_often_than_the_clusters() -> None:
    images = decided(np.zeros((4, 4), np.float32), np.array([1, 1, 2, 3]))
    clusters = np.array([1, 2, 2, 1])
    assert is_better(head_that_said([1, 1, 2, 1]), clusters, images)
    assert not is_better(head_that_said([1, 1, 1, 1]), clusters, images), "as often is not better"
    assert not is_better(head_that_said([1, 2, 1, 1]), clusters, images)


def test_only_images_that_were_decided_by_themselves_say_whether_a_head_is_better() -> None:
    single = np.array([True, False, False, False])
    images = decided(np.zeros((4, 4), np.float32), np.array([1, 1, 2, 3]), single)
    clusters = np.array([1, 2, 1, 1])
    assert not is_better(head_that_said([1, 1, 2, 3]), clusters, images)
    nobody = decided(images.features, images.cluster_ids, np.zeros(4, dtype=np.bool_))
    assert not is_better(head_that_said([1, 1, 2, 3]), clusters, nobody)


def test_a_cluster_that_a_head_names_wrongly_more_often_than_rightly_is_not_trusted() -> None:
    images = decided(np.zeros((6, 4), np.float32), np.array([1, 1, 1, 1, 2, 2]))
    said = head_that_said([1, 2, 2, 2, 2, 1])
    # 1: right once of two; 2: right once of four; 3: never named.
    assert trusted_clusters(said, images).tolist() == [True, False, True]


# Features ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_features_are_the_vector_and_the_point_side_by_side(dtype: type) -> None:
    vectors: Vectors = blobs([3, 3]).astype(dtype)
    points: Vectors = blobs([3, 3], dim=5).astype(dtype)
    features = head_features(vectors, points)
    assert features.shape == (6, 21)
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=2e-3)
    similarity = features @ features.T
    wide, low = vectors.astype(np.float32), points.astype(np.float32)
    np.testing.assert_allclose(similarity, (wide @ wide.T + low @ low.T) / 2, atol=1e-3)


def test_a_head_of_half_precision_says_what_one_of_single_precision_says() -> None:
    images = drawn(30, 16, 3, seed=8)
    half = decided(images.features.astype(np.float16), images.cluster_ids, images.is_single)
    np.testing.assert_allclose(
        fitted(half).probabilities(half.features),
        fitted(images).probabilities(images.features),
        atol=0.02,
    )
