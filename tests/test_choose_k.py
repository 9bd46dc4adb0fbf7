"""How many clusters: the evidence recomputed, and what is chosen on constructed data."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from organizer.cluster import evidence
from organizer.cluster.choose_k import WEAK, KChoice, KMethod, candidate_ks, choose_k
from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.errors import ClusteringError
from organizer.reduce import smooth
from organizer.types import Candidate, Vectors

METHODS: tuple[KMethod, ...] = ("auto", "silhouette", "elbow", "gap", "stability")


def _blobs(k: int, each: int, dim: int = 64, *, spread: float = 0.05, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    centres = np.repeat(unit_rows(draw.normal(size=(k, dim)).astype(np.float32)), each, axis=0)
    return unit_rows(centres + draw.normal(scale=spread, size=centres.shape).astype(np.float32))


def _noise(n: int, dim: int, seed: int = 0) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


def _chosen(choice: KChoice) -> Candidate:
    (only,) = [candidate for candidate in choice.candidates if candidate.chosen]
    return only


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_images_leave_nothing_to_try(n: int) -> None:
    assert candidate_ks(n) == []


@given(st.integers(3, 10_000_000))
def test_candidates_ascend_from_two_and_stay_below_the_number_of_images(n: int) -> None:
    ks = candidate_ks(n)
    assert ks[0] == 2
    assert all(low < high for low, high in pairwise(ks))
    assert ks[-1] < n
    assert set(range(2, min(n, 11))) <= set(ks)
    assert ks[-1] <= 200


@pytest.mark.parametrize(("n", "highest"), [(3, 2), (8, 7), (25, 10), (100, 20), (2500, 100)])
def test_candidates_reach_twice_the_square_root_but_at_least_ten(n: int, highest: int) -> None:
    assert candidate_ks(n)[-1] == highest


def test_every_number_up_to_thirty_is_tried() -> None:
    ks = candidate_ks(1_000_000)
    assert ks[:29] == list(range(2, 31))
    assert all(high <= np.ceil(low * 1.15) for low, high in pairwise(ks[28:]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [3, 6])
def test_separate_blobs_are_counted_exactly(method: KMethod, k: int) -> None:
    points = _blobs(k, 40, dim=16, seed=k)
    choice = choose_k(points, range(2, 11), method=method, seed=0)
    assert choice.k == k
    assert choice.clear
    assert choice.second not in (None, k)


def test_two_blobs_are_two() -> None:
    choice = choose_k(_blobs(2, 60), range(2, 20), seed=0)
    assert choice.k == 2
    assert choice.clear


def test_unequal_blobs_are_counted_too() -> None:
    points = np.concatenate([_blobs(1, n, seed=n) for n in (300, 100, 40, 15, 8)])
    assert choose_k(points, range(2, 15), seed=0).k == 5


@pytest.mark.parametrize(("n", "dim"), [(300, 64), (600, 256)])
def test_noise_has_no_clear_number_however_smoothed(n: int, dim: int) -> None:
    noise = _noise(n, dim)
    smoothed = choose_k(smooth().fit_transform(noise), range(2, 15), seed=0)
    assert not smoothed.clear
    assert 2 <= smoothed.k <= 14
    assert not choose_k(noise, range(2, 15), seed=0, clear_from=WEAK).clear


def test_groups_are_clear_in_either_space() -> None:
    vectors = _blobs(4, 60, spread=0.08)
    assert choose_k(vectors, range(2, 12), seed=0, clear_from=WEAK).clear
    assert choose_k(smooth().fit_transform(vectors), range(2, 12), seed=0).clear


def test_clusters_that_do_not_come_again_are_not_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "stability", lambda *_, **__: 0.5)
    assert not choose_k(_blobs(3, 40), range(2, 8), seed=0).clear


def test_one_is_chosen_one_is_second_and_one_is_the_elbow() -> None:
    choice = choose_k(_blobs(5, 20, spread=0.4), range(2, 8), seed=0)
    found = choice.candidates
    assert [item.k for item in found if item.chosen] == [choice.k]
    assert [item.k for item in found if item.second] == [choice.second]
    assert sum(item.elbow for item in found) == 1
    by_silhouette = sorted(found, key=lambda item: -item.silhouette)
    assert [item.k for item in by_silhouette[:2]] == [choice.k, choice.second]
    assert {item.k for item in found if item.stability is not None} == {choice.k, choice.second}


def test_a_single_candidate_has_no_second() -> None:
    choice = choose_k(_blobs(3, 20), [4], seed=0)
    assert (choice.k, choice.second) == (4, None)


def test_there_are_at_least_as_many_clusters_as_asked_for() -> None:
    points = _blobs(3, 30)
    choice = choose_k(points, range(2, 10), seed=0, least=5)
    assert choice.k >= 5
    assert min(item.k for item in choice.candidates) == 5


def test_a_range_above_the_images_is_cut() -> None:
    choice = choose_k(_noise(12, 8), range(2, 40), seed=0)
    assert [item.k for item in choice.candidates] == list(range(2, 12))


@pytest.mark.parametrize("n", [0, 1, 2])
def test_nothing_to_try_is_an_error(n: int) -> None:
    with pytest.raises(ClusteringError, match="too few"):
        choose_k(_noise(n, 8), range(2, 40), seed=0)


@pytest.mark.parametrize("method", METHODS)
def test_images_that_are_all_alike_are_not_clear(method: KMethod) -> None:
    points = np.repeat(_noise(1, 8), 30, axis=0)
    choice = choose_k(points, range(2, 6), method=method, seed=0)
    assert not choice.clear
    assert all(np.isfinite(item.silhouette) for item in choice.candidates)
    json.dumps([asdict(item) for item in choice.candidates], allow_nan=False)


def test_evidence_can_be_stored_and_that_of_an_older_version_loads() -> None:
    choice = choose_k(_blobs(3, 20), range(2, 6), method="gap", seed=0)
    for item in choice.candidates:
        assert Candidate(**json.loads(json.dumps(asdict(item), allow_nan=False))) == item
    old = Candidate(k=3, silhouette=0.5, inertia=7.0, chosen=True, elbow=False)
    assert old.stability is None
    assert not old.second


def test_choosing_repeats_itself_and_tells_each_k() -> None:
    points = _blobs(3, 20, spread=0.8)
    told: list[int] = []
    first = choose_k(points, [2, 3, 4], seed=1, progress=told.append)
    assert told == [2, 3, 4]
    assert first == choose_k(points, [2, 3, 4], seed=1)


def test_a_sweep_costs_four_starts_for_each_k_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[tuple[int, int]] = []

    class Counted(KMeans):
        def fit_predict(self, vectors: Vectors, /, **constraints: Any) -> Any:
            fitted.append((len(vectors), self._n_init or 10))
            return super().fit_predict(vectors, **constraints)

    monkeypatch.setattr("organizer.cluster.choose_k.KMeans", Counted)
    monkeypatch.setattr("organizer.cluster.choose_k.SWEPT", 200)
    choose_k(_blobs(4, 100, dim=8), range(2, 12), seed=0)
    assert fitted == [(200, 4)] * 10


def test_the_measures_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import (
        calinski_harabasz_score,
        davies_bouldin_score,
        silhouette_samples,
    )

    points = _blobs(4, 25, spread=0.3)
    choice = choose_k(points, [2, 3, 4, 6], seed=3)
    for item in choice.candidates:
        kmeans = KMeans(n_clusters=item.k, n_init=4, random_state=3)
        labels = kmeans.fit_predict(points)
        each = silhouette_samples(points, labels, metric="cosine")
        wanted = np.mean([each[labels == cluster].mean() for cluster in range(item.k)])
        assert item.silhouette == pytest.approx(wanted, abs=1e-4)
        assert item.inertia == pytest.approx(kmeans.inertia_, rel=1e-4)
        assert item.davies_bouldin == pytest.approx(davies_bouldin_score(points, labels))
        assert item.calinski_harabasz == pytest.approx(calinski_harabasz_score(points, labels))


@given(st.integers(0, 1000))
def test_a_silhouette_lies_within_its_bounds(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n = int(draw.integers(3, 30))
    points = np.repeat(_noise(n, 4, seed), draw.integers(1, 3, size=n), axis=0)
    labels = draw.integers(0, 5, size=len(points))
    assert -1 <= evidence.space_silhouette(points, labels) <= 1


def test_one_cluster_and_clusters_of_one_have_no_silhouette() -> None:
    points = _noise(6, 4)
    assert evidence.space_silhouette(points, np.zeros(6, dtype=np.int64)) == -1
    assert evidence.space_silhouette(points, np.arange(6)) == -1


def test_stability_is_one_for_blobs_and_low_for_noise() -> None:
    agreement = evidence.stability(_blobs(3, 40), 3, seed=0)
    assert agreement == pytest.approx(1)
    chance = evidence.stability(_noise(300, 32), 6, seed=0)
    assert chance is not None
    assert chance < 0.3
    assert evidence.stability(_blobs(3, 3), 3, seed=0) is None


def test_the_gap_is_largest_at_the_number_of_blobs() -> None:
    gaps, errors = evidence.gaps(_blobs(4, 40, dim=8), [2, 3, 4, 5, 6], seed=0)
    assert gaps.argmax() == 2
    assert (errors > 0).all()


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
    assert evidence.elbow(range(2, 2 + len(inertias)), inertias) == elbow


def test_the_elbow_heeds_uneven_steps() -> None:
    ks, inertias = [2, 4, 8, 16, 32], [64.0, 32.0, 16.0, 8.0, 4.0]
    below = {k: (64 - 60 * (k - 2) / 30) - inertia for k, inertia in zip(ks, inertias, strict=True)}
    assert evidence.elbow(ks, inertias) == max(below, key=lambda k: below[k])


@pytest.mark.slow
def test_a_large_library_is_judged_by_a_sample() -> None:
    points = _blobs(4, 6_000, dim=16)
    choice = choose_k(points, [3, 4, 5], seed=0)
    assert _chosen(choice).k == 4
    assert choice == choose_k(points, [3, 4, 5], seed=0)
