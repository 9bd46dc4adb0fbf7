"""Images whose neighbours are in another cluster, against another's neighbours."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from organizer.evaluate import disagreement as room
from organizer.evaluate.disagreement import neighbour_disagreement
from organizer.types import NOISE, Labels, Vectors
from tests.cards import blobs, truth_of


def random_unit(n: int, dim: int = 6, seed: int = 0) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def by_hand(vectors: Vectors, labels: Labels, k: int) -> tuple[NDArray[np.float64], Labels]:
    """scikit-learn's neighbours, counted one by one."""
    there = np.flatnonzero(labels != NOISE)
    share, majority = np.zeros(len(labels)), np.full(len(labels), NOISE)
    k = min(k, len(there) - 1)
    if k < 1:
        return share, majority
    search = NearestNeighbors(n_neighbors=k, metric="cosine", algorithm="brute")
    search.fit(vectors[there].astype(np.float64))
    found = search.kneighbors(return_distance=False)
    for row, near in zip(there, found, strict=True):
        possible = min(k, int((labels == labels[row]).sum()) - 1)
        others = [int(labels[there[i]]) for i in near[:possible] if labels[there[i]] != labels[row]]
        share[row] = len(others) / possible if possible else 0
        if others:
            counts = Counter(others)  # keeps the order of the neighbours: the first of the most
            majority[row] = max(counts, key=lambda label: counts[label])
    return share, majority


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 150),
    clusters=st.integers(1, 5),
    k=st.integers(1, 12),
    noise=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_it_is_what_counting_by_hand_gives(
    n: int, clusters: int, k: int, noise: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    vectors, labels = random_unit(n, seed=seed), draw.integers(0, clusters, n)
    labels[draw.random(n) < noise] = NOISE
    share, majority = neighbour_disagreement(vectors, labels, neighbours=k)
    wanted_share, wanted_majority = by_hand(vectors, labels, k)
    assert share == pytest.approx(wanted_share)
    assert majority.tolist() == wanted_majority.tolist()
    assert np.isfinite(share).all()


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = random_unit(300), np.random.default_rng(0).integers(-1, 4, 300)
    whole = neighbour_disagreement(vectors, labels)
    monkeypatch.setattr(room, "_ROWS", 17)
    monkeypatch.setattr(room, "_COLUMNS", 23)
    parts = neighbour_disagreement(vectors, labels)
    assert whole[0] == pytest.approx(parts[0])
    assert whole[1].tolist() == parts[1].tolist()


def test_some_rows_are_compared_with_all() -> None:
    vectors, labels = random_unit(200), np.random.default_rng(0).integers(-1, 4, 200)
    whole = neighbour_disagreement(vectors, labels)
    rows = np.array([3, 150, 20, 99])
    some = neighbour_disagreement(vectors, labels, rows=rows)
    assert some[0] == pytest.approx(whole[0][rows])
    assert some[1].tolist() == whole[1][rows].tolist()


def test_half_precision_is_read_as_it_is() -> None:
    vectors = blobs([20, 20]).astype(np.float16)
    labels = truth_of([20, 20])
    labels[0] = 1
    share, majority = neighbour_disagreement(vectors, labels)
    assert (share[0], majority[0]) == (1.0, 0)
    assert share[20:].max() < 0.2


def test_images_in_the_wrong_cluster_stand_out() -> None:
    vectors, labels = blobs([40, 40, 40]), truth_of([40, 40, 40])
    labels[[5, 50, 90]] = [2, 0, 1]
    share, majority = neighbour_disagreement(vectors, labels)
    assert np.flatnonzero(share >= room.DOUBTFUL_FROM).tolist() == [5, 50, 90]
    assert majority[[5, 50, 90]].tolist() == [0, 1, 2]


def test_a_small_cluster_does_not_disagree_with_itself() -> None:
    vectors, labels = blobs([40, 4, 2, 1]), truth_of([40, 4, 2, 1])
    assert neighbour_disagreement(vectors, labels)[0].max() == 0
    labels[[0, 40]] = [1, 0]
    share, majority = neighbour_disagreement(vectors, labels)
    assert (share[0], majority[0]) == (1.0, 0)
    # It lies in the little group, whose other images are too few for ten neighbours.
    assert (share[40], majority[40]) == (pytest.approx(0.3), 1)


def test_where_there_is_no_neighbour_nothing_disagrees() -> None:
    for labels in ([0], [NOISE], [NOISE, 3], [NOISE, NOISE]):
        share, majority = neighbour_disagreement(
            random_unit(len(labels)), np.array(labels, dtype=np.int64)
        )
        assert share.tolist() == [0.0] * len(labels)
        assert majority.tolist() == [NOISE] * len(labels)
    assert neighbour_disagreement(random_unit(0), np.empty(0, dtype=np.int64))[0].shape == (0,)
