"""Groups among the unassigned images."""

from __future__ import annotations

import numpy as np
import pytest

from organizer.cluster.incremental import unit_rows
from organizer.cluster.unassigned import find_groups, is_separate, looseness, smallest_group
from tests.cards import blobs, truth_of


def test_looseness_is_the_mean_distance_of_two_images() -> None:
    vectors = blobs([25]).astype(np.float64)
    distances = 1 - vectors @ vectors.T
    upper = distances[np.triu_indices(25, 1)]
    assert looseness(vectors.astype(np.float32)) == pytest.approx(upper.mean(), abs=1e-6)


def test_images_that_are_alike_make_groups_the_largest_first() -> None:
    vectors = np.concatenate([blobs([20, 30]), unit_rows(np.eye(16, dtype=np.float32)[8:15])])
    found = find_groups(vectors, looseness=1.5 * looseness(vectors[:20]), least=8, seed=0)
    assert found[:20].tolist() == [1] * 20
    assert found[20:50].tolist() == [0] * 30
    assert found[50:].tolist() == [-1] * 7, "what is alone stays unassigned"


@pytest.mark.parametrize("count", [0, 1, 7])
def test_fewer_than_the_least_make_no_group(count: int) -> None:
    vectors = blobs([count]) if count else np.empty((0, 16), np.float32)
    assert find_groups(vectors, looseness=0.5, least=8, seed=0).tolist() == [-1] * count


def test_many_unassigned_images_are_grouped_by_a_sample() -> None:
    sizes = [3_000, 2_000, 500]
    vectors, truth = blobs(sizes), truth_of(sizes)
    found = find_groups(vectors, looseness=1.5 * looseness(vectors[:500]), least=100, seed=0)
    for group in range(3):
        assert (found[truth == group] == group).mean() > 0.97
    again = find_groups(vectors, looseness=1.5 * looseness(vectors[:500]), least=100, seed=0)
    assert np.array_equal(found, again)


def test_a_group_is_separate_if_it_lies_apart_from_the_nearest_cluster() -> None:
    clusters = [blobs([40]), blobs([40], first=1)]
    assert is_separate(blobs([20], first=5), clusters)
    assert not is_separate(blobs([20], seed=3), clusters)
    between = unit_rows((clusters[0][:20] + clusters[1][:20]) / np.float32(2))
    assert is_separate(between, []), "where there is no cluster, everything is apart"


def test_how_many_make_a_cluster_grows_with_the_clusters_and_the_unassigned() -> None:
    assert smallest_group(np.array([10, 20, 30]), 50) == 8
    assert smallest_group(np.array([1_000, 2_000, 3_000]), 50) == 100
    assert smallest_group(np.array([10]), 5_000) == 100
    assert smallest_group(np.array([], dtype=np.int64), 0) == 8
