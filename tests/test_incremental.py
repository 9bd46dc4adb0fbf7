"""Places and running figures against brute force."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from organizer.cluster.incremental import (
    ModeSums,
    fit_models,
    grow_models,
    place_in_cluster,
    place_points,
    unit_rows,
    unit_rows_in_place,
)
from organizer.types import ClusterModels, Labels, Vectors


def _f32(values: object) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def _vectors(n: int, dim: int, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    return unit_rows(draw.normal(size=(n, dim)).astype(np.float32))


def _cosine(a: Vectors, b: Vectors) -> NDArray[np.float64]:
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a64, axis=1)[:, None] * np.linalg.norm(b64, axis=1)[None]
    return np.asarray(1 - a64 @ b64.T / lengths)


def _models(points: Vectors, labels: Labels, clusters: list[int] | None = None) -> ClusterModels:
    k = int(labels.max()) + 1
    ids = np.array([f"{i:032x}" for i in range(len(points))], dtype=object)
    return fit_models(
        points,
        labels,
        ids,
        mode_ids=range(1, k + 1),
        cluster_ids=clusters or list(range(1, k + 1)),
        origins=["recluster"] * k,
    )


# Places -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), [(1, 1), (50, 2), (300, 9)])
def test_place_equals_brute_force(n: int, k: int) -> None:
    vectors, centroids = _vectors(n, 12), _vectors(k, 12, seed=1)
    placed = place_points(vectors, centroids)
    distances = _cosine(vectors, centroids)
    ordered = np.sort(distances, axis=1)
    assert np.array_equal(placed.nearest, distances.argmin(axis=1))
    assert placed.distances == pytest.approx(ordered[:, 0], abs=1e-5)
    if k == 1:
        assert np.isinf(placed.margins).all()
    else:
        assert placed.margins == pytest.approx(ordered[:, 1] - ordered[:, 0], abs=1e-5)
        assert (placed.margins >= 0).all()


@pytest.mark.parametrize("owners", [[1, 1, 2, 5, 5, 5], [1, 2, 3, 4, 5, 6], [7] * 6])
def test_the_margin_is_that_to_another_cluster_not_to_another_mode(owners: list[int]) -> None:
    vectors, centroids = _vectors(80, 10), _vectors(6, 10, seed=1)
    placed = place_points(vectors, centroids, np.array(owners))
    distances = _cosine(vectors, centroids)
    for row in range(80):
        best = int(distances[row].argmin())
        assert placed.nearest[row] == best
        others = [distances[row, c] for c in range(6) if owners[c] != owners[best]]
        margin = min(others) - distances[row, best] if others else np.inf
        assert placed.margins[row] == pytest.approx(margin, abs=1e-5)


def test_a_given_cluster_has_its_nearest_mode_and_a_signed_margin() -> None:
    vectors, centroids = _vectors(60, 10), _vectors(5, 10, seed=1)
    owners, given_ones = np.array([1, 1, 2, 3, 3]), np.tile([1, 2, 3], 20)
    placed = place_in_cluster(vectors, centroids, owners, given_ones)
    distances = _cosine(vectors, centroids)
    for row in range(60):
        own = np.flatnonzero(owners == given_ones[row])
        best = own[distances[row, own].argmin()]
        other = distances[row, owners != given_ones[row]].min()
        assert placed.nearest[row] == best
        assert placed.distances[row] == pytest.approx(distances[row, best], abs=1e-5)
        assert placed.margins[row] == pytest.approx(other - distances[row, best], abs=1e-5)


def test_half_precision_places_as_its_float32_values_do() -> None:
    vectors, centroids = _vectors(500, 32).astype(np.float16), _vectors(6, 32, seed=1)
    half, full = (
        place_points(vectors, centroids),
        place_points(vectors.astype(np.float32), centroids),
    )
    assert np.array_equal(half.nearest, full.nearest)
    assert np.array_equal(half.distances, full.distances)


def test_place_does_not_depend_on_how_many_rows_there_are() -> None:
    vectors, centroids = _vectors(20_000, 4), _vectors(5, 4, seed=1)
    placed = place_points(vectors, centroids)
    distances = _cosine(vectors, centroids)
    assert placed.distances == pytest.approx(distances.min(axis=1), abs=1e-5)
    agrees = placed.nearest == distances.argmin(axis=1)
    # Only a tie in single precision may fall to the other side.
    assert (agrees | (placed.margins < 1e-5)).all()


def test_place_of_no_vectors_is_empty() -> None:
    placed = place_points(np.empty((0, 4), np.float32), _vectors(3, 4))
    assert len(placed.nearest) == len(placed.distances) == len(placed.margins) == 0


def test_unit_leaves_zeros_and_scales_the_rest() -> None:
    scaled = unit_rows(_f32([[0, 0], [3, 4], [-0.002, 0]]))
    assert scaled.dtype == np.float32
    assert scaled == pytest.approx(np.array([[0, 0], [0.6, 0.8], [-1, 0]]))


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_scaling_in_place_is_the_same_without_a_second_array(kind: type) -> None:
    vectors: NDArray[Any] = np.random.default_rng(0).normal(size=(9_000, 8)).astype(kind)
    expected = unit_rows(vectors.astype(np.float32))
    scaled = unit_rows_in_place(vectors)
    assert scaled is vectors
    assert scaled.dtype == kind
    assert scaled == pytest.approx(expected, abs=1e-3 if kind is np.float16 else 1e-6)


# Models -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_model_is_what_its_members_make_it(seed: int) -> None:
    draw = np.random.default_rng(seed)
    points, labels = _vectors(90, 8, seed), draw.integers(0, 4, 90)
    labels[:5] = -1  # unsure
    models = _models(points, labels)
    for row in range(4):
        mine = points[labels == row].astype(np.float64)
        assert models.counts[row] == len(mine)
        assert models.means[row] == pytest.approx(mine.mean(axis=0))
        centroid = mine.mean(axis=0) / np.linalg.norm(mine.mean(axis=0))
        assert models.centroids[row] == pytest.approx(centroid, abs=1e-6)
        distances = 1 - mine @ centroid
        assert models.distance_means[row] == pytest.approx(distances.mean(), abs=1e-6)
        assert models.deviations[row] == pytest.approx(distances.std(), abs=1e-6)
        medoid = int(models.medoids[row], 16)
        sums = _cosine(mine, mine).sum(axis=1)
        own = np.flatnonzero(np.flatnonzero(labels == row) == medoid)[0]
        assert sums[own] == pytest.approx(sums.min(), abs=1e-4)


def test_rows_are_sorted_by_cluster_and_mode() -> None:
    points = _vectors(30, 6)
    models = _models(points, np.arange(30) % 3, clusters=[9, 2, 9])
    assert models.cluster_ids.tolist() == [2, 9, 9]
    assert models.mode_ids.tolist() == [2, 1, 3]
    assert models.ids == [2, 9]
    assert models.means[models.row_of(1)] == pytest.approx(points[::3].astype(float).mean(axis=0))


def test_models_can_be_taken_apart_and_put_together() -> None:
    models = _models(_vectors(40, 6), np.arange(40) % 4)
    parts = [models.take(np.array([3, 1])), models.take(models.cluster_ids == 1)]
    joined = ClusterModels.joined(parts)
    assert joined.cluster_ids.tolist() == [1, 2, 4]
    assert joined.medoids == (models.medoids[0], models.medoids[1], models.medoids[3])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    late=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_running_figures_are_those_of_one_pass_whatever_the_batches(
    seed: int, late: int, cuts: list[int]
) -> None:
    """Means and counts are exactly those of all members together (up to float64)."""
    draw = np.random.default_rng(seed)
    points = _vectors(40 + late, 7, seed)
    labels = np.concatenate([np.arange(40) % 3, draw.integers(0, 3, late)])
    models = _models(points[:40], labels[:40])
    distances = place_in_cluster(points, models.centroids, models.cluster_ids, labels + 1).distances
    sums = ModeSums.zero(models)
    bounds = sorted({0, late, *(min(cut, late) for cut in cuts)})
    for start, end in itertools.pairwise(bounds):
        rows = slice(40 + start, 40 + end)
        sums.add(points[rows], labels[rows], distances[rows])
    now = sums.added_to(models)
    at_once = grow_models(models, points[40:], labels[40:], distances[40:])
    for row in range(3):
        mine = points[labels == row].astype(np.float64)
        assert now.counts[row] == len(mine)
        assert now.means[row] == pytest.approx(mine.mean(axis=0), abs=1e-12)
        assert now.means[row] == pytest.approx(at_once.means[row], abs=1e-12)
        seen = distances[labels == row].astype(np.float64)
        assert now.distance_means[row] == pytest.approx(seen.mean(), abs=1e-6)
        assert now.deviations[row] == pytest.approx(seen.std(), abs=1e-5)
    assert now.medoids == models.medoids
