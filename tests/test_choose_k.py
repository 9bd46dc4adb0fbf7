"""How many clusters: the evidence recomputed, and what is chosen on constructed data."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.cluster.choose_k import WEAK, _elbow, candidates, sweep
from organizer.cluster.incremental import unit
from organizer.cluster.kmeans import KMeans
from organizer.errors import ClusteringError
from organizer.reduce import pca
from organizer.types import Candidate, Vectors


def _blobs(k: int, each: int, dim: int = 64, *, spread: float = 0.05, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    centres = np.repeat(unit(draw.normal(size=(k, dim)).astype(np.float32)), each, axis=0)
    return unit(centres + draw.normal(scale=spread, size=centres.shape).astype(np.float32))


def _chosen(evidence: tuple[Candidate, ...]) -> Candidate:
    (only,) = [candidate for candidate in evidence if candidate.chosen]
    return only


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_images_leave_nothing_to_try(n: int) -> None:
    assert candidates(n) == []


@given(st.integers(3, 10_000_000))
def test_candidates_ascend_from_two_and_stay_below_the_number_of_images(n: int) -> None:
    ks = candidates(n)
    assert ks[0] == 2
    assert all(low < high for low, high in pairwise(ks))
    assert ks[-1] < n
    assert set(range(2, min(n, 11))) <= set(ks)
    assert ks[-1] <= max(10, 142)


@pytest.mark.parametrize(("n", "highest"), [(3, 2), (8, 7), (100, 10), (101, 11), (2500, 50)])
def test_candidates_reach_the_square_root_but_at_least_ten(n: int, highest: int) -> None:
    assert candidates(n)[-1] == highest


def test_every_number_up_to_thirty_is_tried() -> None:
    ks = candidates(1_000_000)
    assert ks[:29] == list(range(2, 31))
    assert all(high <= np.ceil(low * 1.15) for low, high in pairwise(ks[28:]))


@pytest.mark.parametrize("k", [3, 5, 8])
def test_separate_blobs_are_counted_exactly(k: int) -> None:
    vectors = _blobs(k, 30, seed=k)
    evidence = sweep(vectors, candidates(len(vectors)), pca(), seed=0)
    assert _chosen(evidence).k == k
    assert _chosen(evidence).silhouette > 0.5


def test_noise_is_told_by_a_low_silhouette() -> None:
    draw = np.random.default_rng(0)
    vectors = unit(draw.normal(size=(150, 64)).astype(np.float32))
    evidence = sweep(vectors, candidates(150), pca(), seed=0)
    assert _chosen(evidence).silhouette < WEAK


def test_the_evidence_is_that_of_the_reduced_space() -> None:
    from sklearn.decomposition import PCA
    from sklearn.metrics import silhouette_score

    vectors = _blobs(4, 25, spread=0.3)
    ks = [2, 3, 4, 6, 9]
    evidence = sweep(vectors, ks, pca(n_components=8, random_state=3), seed=3)
    reduced = unit(PCA(8, random_state=3).fit_transform(vectors).astype(np.float32))
    assert [candidate.k for candidate in evidence] == ks
    for candidate in evidence:
        kmeans = KMeans(n_clusters=candidate.k, random_state=3)
        labels = kmeans.fit_predict(reduced)
        assert candidate.silhouette == pytest.approx(silhouette_score(reduced, labels), abs=1e-4)
        assert candidate.inertia == pytest.approx(kmeans.inertia_, rel=1e-4)


def test_one_candidate_is_chosen_and_one_is_the_elbow() -> None:
    vectors = _blobs(5, 20, spread=0.4)
    evidence = sweep(vectors, [2, 3, 4, 5, 6, 7], pca(), seed=0)
    assert sum(candidate.chosen for candidate in evidence) == 1
    assert sum(candidate.elbow for candidate in evidence) == 1
    assert _chosen(evidence).silhouette == max(candidate.silhouette for candidate in evidence)


def test_the_sweep_repeats_itself_and_tells_each_k() -> None:
    vectors = _blobs(3, 20, spread=0.8)
    told: list[int] = []
    first = sweep(vectors, [2, 3, 4], pca(), seed=1, progress=told.append)
    assert told == [2, 3, 4]
    assert first == sweep(vectors, [2, 3, 4], pca(), seed=1)


def test_nothing_to_try_is_an_error() -> None:
    with pytest.raises(ClusteringError, match="too few"):
        sweep(_blobs(1, 2), [], pca(), seed=0)


def test_more_clusters_than_the_reduced_space_tells_apart_lose() -> None:
    class OneLine:
        """A reducer that leaves two directions only."""

        def fit_transform(self, vectors: Any, /) -> Any:
            return np.where(vectors[:, :1] > 0, 1, -1).astype(np.float32)

        def transform(self, vectors: Any, /) -> Any:
            return self.fit_transform(vectors)

    draw = np.random.default_rng(0)
    vectors = unit(draw.normal(size=(30, 8)).astype(np.float32))
    evidence = sweep(vectors, [2, 3, 4], OneLine(), seed=0)
    assert _chosen(evidence).k == 2
    assert _chosen(evidence).silhouette == pytest.approx(1)


@pytest.mark.slow
def test_a_large_library_is_judged_by_a_sample() -> None:
    vectors = _blobs(4, 6_000, dim=16)
    evidence = sweep(vectors, [3, 4, 5], pca(), seed=0)
    assert _chosen(evidence).k == 4
    assert evidence == sweep(vectors, [3, 4, 5], pca(), seed=0)


@pytest.mark.parametrize(
    ("inertias", "elbow"),
    [
        ([100, 60, 20, 18, 16, 14], 4),
        ([100, 10, 9, 8, 7, 6], 3),
        ([100, 80, 60, 40, 5, 0], 6),
        ([7, 7, 7], 2),
        ([9, 1], 2),
    ],
)
def test_the_elbow_is_farthest_below_the_chord(inertias: list[float], elbow: int) -> None:
    found = [Candidate(k, 0.0, inertia) for k, inertia in enumerate(inertias, start=2)]
    assert _elbow(found) == elbow


def test_the_elbow_heeds_uneven_steps() -> None:
    ks, inertias = [2, 4, 8, 16, 32], [64.0, 32.0, 16.0, 8.0, 4.0]
    found = [Candidate(k, 0.0, inertia) for k, inertia in zip(ks, inertias, strict=True)]
    below = {k: (64 - 60 * (k - 2) / 30) - inertia for k, inertia in zip(ks, inertias, strict=True)}
    assert _elbow(found) == max(below, key=lambda k: below[k])
