"""Places, spreads and doubts against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.cluster.incremental import Placement, is_unsure, place, spread, unit
from organizer.types import Vectors


def _f32(values: object) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def _vectors(n: int, dim: int, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    return unit(draw.normal(size=(n, dim)).astype(np.float32))


def _blobs(centres: Vectors, each: int, scale: float, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    noise = draw.normal(scale=scale, size=(len(centres) * each, centres.shape[1]))
    return unit((np.repeat(centres, each, axis=0) + noise).astype(np.float32))


def _cosine(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a64, axis=1)[:, None] * np.linalg.norm(b64, axis=1)[None]
    return np.asarray(1 - a64 @ b64.T / lengths)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (50, 2), (300, 9)])
def test_place_equals_brute_force(n: int, k: int) -> None:
    vectors, centroids = _vectors(n, 12), _vectors(k, 12, seed=1)
    placed = place(vectors, centroids)
    distances = _cosine(vectors, centroids)
    ordered = np.sort(distances, axis=1)
    assert np.array_equal(placed.nearest, distances.argmin(axis=1))
    assert placed.distances == pytest.approx(ordered[:, 0], abs=1e-5)
    if k == 1:
        assert np.isinf(placed.margins).all()
    else:
        assert placed.margins == pytest.approx(ordered[:, 1] - ordered[:, 0], abs=1e-5)
        assert (placed.margins >= 0).all()


def test_place_does_not_depend_on_how_many_rows_there_are() -> None:
    vectors, centroids = _vectors(20_000, 4), _vectors(5, 4, seed=1)
    placed = place(vectors, centroids)
    distances = _cosine(vectors, centroids)
    assert placed.distances == pytest.approx(distances.min(axis=1), abs=1e-5)
    agrees = placed.nearest == distances.argmin(axis=1)
    # Only a tie in single precision may fall to the other side.
    assert (agrees | (placed.margins < 1e-5)).all()


def test_place_of_no_vectors_is_empty() -> None:
    placed = place(np.empty((0, 4), np.float32), _vectors(3, 4))
    assert len(placed.nearest) == len(placed.distances) == len(placed.margins) == 0


def test_a_centroid_itself_has_no_distance() -> None:
    centroids = _vectors(6, 8)
    placed = place(centroids, centroids)
    assert np.array_equal(placed.nearest, np.arange(6))
    assert (placed.distances >= 0).all()
    assert placed.distances == pytest.approx(0, abs=1e-6)


def test_spread_has_the_mean_and_the_deviation_of_each_cluster() -> None:
    vectors, centroids = _vectors(200, 6), _vectors(4, 6, seed=2)
    placed = place(vectors, centroids)
    found = spread(placed, 4)
    distances = _cosine(vectors, centroids).min(axis=1)
    for cluster in range(4):
        mine = distances[placed.nearest == cluster]
        assert found.means[cluster] == pytest.approx(mine.mean(), abs=1e-5)
        assert found.deviations[cluster] == pytest.approx(mine.std(), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_medoid_has_the_smallest_sum_of_distances(seed: int) -> None:
    vectors = _blobs(_vectors(4, 16, seed), 25, 0.15, seed)
    labels = np.repeat(np.arange(4), 25)
    means = unit(np.stack([vectors[labels == i].mean(axis=0) for i in range(4)]))
    placed = place(vectors, means)
    found = spread(placed, 4)
    for cluster in range(4):
        rows = np.flatnonzero(placed.nearest == cluster)
        sums = _cosine(vectors[rows], vectors[rows]).sum(axis=1)
        of_medoid = sums[np.flatnonzero(rows == found.medoids[cluster])[0]]
        assert of_medoid == pytest.approx(sums.min(), abs=1e-4)


def test_a_cluster_of_one_is_its_own_medoid_without_deviation() -> None:
    vectors = np.eye(3, dtype=np.float32)
    found = spread(place(vectors, vectors), 3)
    assert found.medoids.tolist() == [0, 1, 2]
    assert found.deviations == pytest.approx(0)


def test_a_far_outlier_is_unsure_and_members_are_not() -> None:
    centres = np.eye(3, 16, dtype=np.float32)
    vectors = _blobs(centres, 40, 0.05)
    centroids = unit(np.stack([vectors[i * 40 : (i + 1) * 40].mean(axis=0) for i in range(3)]))
    members = place(vectors, centroids)
    found = spread(members, 3)
    newcomers = np.zeros((2, 16), np.float32)
    newcomers[0, 9] = 1  # at right angles to every cluster
    newcomers[1] = centroids[2]
    doubts = is_unsure(place(newcomers, centroids), found.means, found.deviations)
    assert doubts.tolist() == [True, False]
    of_members = is_unsure(members, found.means, found.deviations)
    assert of_members.mean() < 0.05


def test_the_limit_is_three_deviations_beyond_the_mean() -> None:
    means, deviations = _f32([0.1, 0.2]), _f32([0.02, 0.01])
    distances = _f32([0.159, 0.161, 0.229, 0.231])
    placed = Placement(np.array([0, 0, 1, 1]), distances, np.ones(4, np.float32))
    assert is_unsure(placed, means, deviations).tolist() == [False, True, False, True]


def test_look_alikes_borrow_the_usual_deviation() -> None:
    means, deviations = _f32([0.0, 0.1, 0.1]), _f32([0.0, 0.04, 0.04])
    placed = Placement(np.array([0, 0]), _f32([0.05, 0.07]), np.ones(2, np.float32))
    assert is_unsure(placed, means, deviations).tolist() == [False, True]


def test_unit_leaves_zeros_and_scales_the_rest() -> None:
    scaled = unit(_f32([[0, 0], [3, 4], [-0.002, 0]]))
    assert scaled.dtype == np.float32
    assert scaled == pytest.approx(np.array([[0, 0], [0.6, 0.8], [-1, 0]]))
