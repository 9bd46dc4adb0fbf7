"""Whether new images fit: members do, outliers and look-alikes do not."""

from __future__ import annotations

import numpy as np
import pytest

from organizer.cluster.fit import LIMIT, calibrate, is_ambiguous, misfit
from organizer.cluster.incremental import fit_models, place_points, unit_rows
from organizer.types import ClusterModels, Exemplars, Labels, Vectors
from tests.cards import blobs, truth_of


def _fitted(vectors: Vectors, labels: Labels, *, seed: int = 0) -> tuple[ClusterModels, Exemplars]:
    k = int(labels.max()) + 1
    ids = np.array([f"{i:032x}" for i in range(len(vectors))], dtype=object)
    models = fit_models(
        vectors,
        labels,
        ids,
        mode_ids=range(1, k + 1),
        cluster_ids=range(1, k + 1),
        origins=["recluster"] * k,
    )
    return calibrate(models, vectors, labels, seed=seed)


def test_the_figures_are_the_members_mean_distance_to_their_three_nearest_exemplars() -> None:
    vectors, labels = blobs([40, 50]), truth_of([40, 50])
    models, exemplars = _fitted(vectors, labels)
    for row, size in enumerate([40, 50]):
        mine = vectors[labels == row].astype(np.float64)
        known = exemplars.of(row + 1).astype(np.float64)
        assert len(known) == size, "small clusters have all members as exemplars"
        distances = 1 - mine @ known.T
        own = distances < 1e-3
        assert own.sum(axis=1).tolist() == [1] * size
        distances[own] = np.inf
        three = np.sort(distances, axis=1)[:, :3].mean(axis=1)
        weight = size / (size + 8)
        usual = np.median([three.mean()])
        assert models.fit_means[row] == pytest.approx(three.mean(), rel=0.1)
        assert weight * three.std() < models.fit_deviations[row]
        assert usual > 0


def test_members_fit_and_outliers_do_not() -> None:
    vectors, labels = blobs([60, 60, 60]), truth_of([60, 60, 60])
    models, exemplars = _fitted(vectors, labels)
    more = blobs([60, 60, 60], seed=9)
    known = misfit(models, exemplars, more, place_points(more, models.centroids).nearest)
    assert (known > LIMIT).mean() < 0.12
    disagreeing = blobs([30], seed=3, first=9)
    rows = place_points(disagreeing, models.centroids).nearest
    assert (misfit(models, exemplars, disagreeing, rows) > LIMIT).all()


def test_a_large_cluster_does_not_swallow_look_alikes_that_lie_within_its_radius() -> None:
    """A ring of members around an empty middle: new images in the middle are nearest of all to the
    centroid and have no member near."""
    draw = np.random.default_rng(0)
    angles = draw.uniform(0, 2 * np.pi, 400)
    ring = np.stack([np.cos(angles) * 0.6, np.sin(angles) * 0.6, np.ones(400)], axis=1)
    vectors = unit_rows((ring + draw.normal(0, 0.02, ring.shape)).astype(np.float32))
    models, exemplars = _fitted(vectors, np.zeros(400, np.int64))
    middle = unit_rows(draw.normal([0, 0, 1], 0.02, (20, 3)).astype(np.float32))
    placed = place_points(middle, models.centroids)
    assert placed.distances.max() < models.distance_means[0], "by the centroid they would fit"
    assert (misfit(models, exemplars, middle, placed.nearest) > LIMIT).all()


def test_a_cluster_of_one_borrows_what_is_usual() -> None:
    vectors = np.concatenate([blobs([50, 50]), blobs([1], first=5)])
    models, exemplars = _fitted(vectors, truth_of([50, 50, 1]))
    assert np.isfinite(models.fit_means).all()
    assert models.fit_means[2] == pytest.approx(np.median(models.fit_means[:2]), rel=0.2)
    near = blobs([20], first=5, seed=4)
    rows = np.full(20, 2)
    assert (misfit(models, exemplars, near, rows) > LIMIT).mean() < 0.9


def test_images_that_are_all_alike_tolerate_another_one() -> None:
    vectors = np.repeat(blobs([1, 1]), 10, axis=0)
    models, exemplars = _fitted(vectors, truth_of([10, 10]))
    again = misfit(models, exemplars, vectors[:1], np.array([0]))
    assert again[0] <= LIMIT
    assert np.isfinite(models.fit_deviations).all()


def test_the_number_of_exemplars_is_bounded_and_a_seed_decides_them() -> None:
    vectors, labels = blobs([500, 300]), truth_of([500, 300])
    _, exemplars = _fitted(vectors, labels, seed=4)
    assert np.bincount(exemplars.mode_ids).tolist() == [0, 64, 64]
    _, again = _fitted(vectors, labels, seed=4)
    assert np.array_equal(exemplars.vectors, again.vectors)
    _, other = _fitted(vectors, labels, seed=5)
    assert not np.array_equal(exemplars.vectors, other.vectors)


def test_what_lies_between_two_clusters_is_ambiguous() -> None:
    vectors, labels = blobs([80, 80]), truth_of([80, 80])
    models, _ = _fitted(vectors, labels)
    between = unit_rows(models.centroids.sum(axis=0, keepdims=True))
    placed = place_points(between, models.centroids, models.cluster_ids)
    assert is_ambiguous(models, placed.nearest, placed.margins).all()
    own = place_points(models.centroids, models.centroids, models.cluster_ids)
    assert not is_ambiguous(models, own.nearest, own.margins).any()


def test_a_single_cluster_is_never_ambiguous() -> None:
    vectors = blobs([30])
    models, _ = _fitted(vectors, np.zeros(30, np.int64))
    placed = place_points(vectors, models.centroids, models.cluster_ids)
    assert not is_ambiguous(models, placed.nearest, placed.margins).any()
