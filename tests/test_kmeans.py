"""Spherical K-means against scikit-learn and brute force."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from organizer.cluster import gpu
from organizer.cluster.incremental import place_points, unit_rows
from organizer.cluster.kmeans import KMeans, KMeansEngine, installed_faiss, warm_start
from organizer.cluster.metric_space import Metric
from organizer.errors import ClusteringError, PluginError
from organizer.types import Labels, Vectors


def _blobs(k: int, each: int, dim: int, *, spread: float, seed: int = 0) -> tuple[Vectors, Labels]:
    draw = np.random.default_rng(seed)
    centres = unit_rows(draw.normal(size=(k, dim)).astype(np.float32))
    truth = np.repeat(np.arange(k), each)
    noise = draw.normal(scale=spread, size=(k * each, dim)).astype(np.float32)
    return unit_rows(centres[truth] + noise), truth


def _inertia(vectors: Vectors, labels: Labels) -> float:
    """The spherical objective of labels: each cluster has the best centroid that it can have."""
    total = 0.0
    for label in np.unique(labels):
        members = vectors[labels == label].astype(np.float64)
        total += 2 * (len(members) - float(np.linalg.norm(members.sum(axis=0))))
    return total


def _nearest(vectors: Vectors, centroids: Vectors) -> Labels:
    similarity = vectors.astype(np.float64) @ centroids.astype(np.float64).T
    return np.asarray(similarity.argmax(axis=1), dtype=np.int64)


@pytest.mark.parametrize(("k", "spread"), [(6, 0.05), (4, 0.1), (8, 0.3), (12, 0.6)])
def test_the_objective_is_not_worse_than_that_of_scikit_learn(k: int, spread: float) -> None:
    from sklearn.cluster import KMeans as SklearnKMeans

    # One draw can go either way where the blobs overlap; the mean of several cannot.
    ratios = []
    for seed in range(6):
        vectors, _ = _blobs(k, 30, 32, spread=spread, seed=seed)
        ours = KMeans(n_clusters=k, n_init=3, random_state=1).fit_predict(vectors)
        theirs = SklearnKMeans(k, n_init=3, random_state=1).fit_predict(vectors)
        ratios.append(_inertia(vectors, ours) / _inertia(vectors, theirs))
    assert np.mean(ratios) <= 1.01, ratios


@pytest.mark.parametrize("seed", range(6))
def test_separate_blobs_are_found_exactly(seed: int) -> None:
    vectors, truth = _blobs(8, 25, 64, spread=0.05, seed=seed)
    labels = KMeans(n_clusters=8).fit_predict(vectors)
    pairs = set(zip(labels.tolist(), truth.tolist(), strict=True))
    assert len(pairs) == 8


def test_labels_are_those_of_the_nearest_centroid() -> None:
    vectors, _ = _blobs(7, 30, 16, spread=0.5)
    kmeans = KMeans(n_clusters=7)
    labels = kmeans.fit_predict(vectors)
    assert np.array_equal(labels, _nearest(vectors, kmeans.cluster_centers_))
    assert np.array_equal(labels, kmeans.labels_)
    assert labels.dtype == np.int64


def test_centroids_have_unit_length_and_the_inertia_is_the_sum_of_squares() -> None:
    vectors, _ = _blobs(5, 30, 24, spread=0.4)
    kmeans = KMeans(n_clusters=5)
    labels = kmeans.fit_predict(vectors)
    centroids = kmeans.cluster_centers_
    assert np.linalg.norm(centroids, axis=1) == pytest.approx(1, abs=1e-5)
    squares = ((vectors.astype(np.float64) - centroids[labels]) ** 2).sum()
    assert kmeans.inertia_ == pytest.approx(squares, rel=1e-4)


@pytest.mark.parametrize("k", [2, 5, 12])
def test_no_cluster_is_empty_where_most_images_are_alike(k: int) -> None:
    draw = np.random.default_rng(k)
    alike = np.repeat(draw.normal(size=(1, 16)), 200, axis=0)
    vectors = unit_rows(np.vstack([alike, draw.normal(size=(k - 1, 16))]).astype(np.float32))
    labels = KMeans(n_clusters=k).fit_predict(vectors)
    assert np.bincount(labels, minlength=k).min() >= 1


def test_no_cluster_is_empty_where_images_differ_less_than_a_similarity_can_tell() -> None:
    draw = np.random.default_rng(0)
    base = np.full((12, 6), 0.5) + draw.normal(scale=2e-4, size=(12, 6))
    vectors = unit_rows(base.astype(np.float32))
    assert len(np.unique(vectors, axis=0)) == 12
    kmeans = KMeans(n_clusters=12)
    labels = kmeans.fit_predict(vectors)
    # There may be fewer clusters, but an empty one would have no medoid and no spread.
    assert np.bincount(labels, minlength=len(kmeans.cluster_centers_)).min() >= 1


@pytest.mark.parametrize("seed", range(8))
def test_look_alikes_have_a_cluster_each_or_none_by_any_product(seed: int) -> None:
    draw = np.random.default_rng(seed)
    base = np.repeat(draw.normal(size=(6, 12)), 5, axis=0)
    vectors = unit_rows((base + draw.normal(scale=3e-4, size=base.shape)).astype(np.float32))
    for k in (20, 30):
        kmeans = KMeans(n_clusters=k)
        kmeans.fit_predict(vectors)
        left = len(kmeans.cluster_centers_)
        assert 6 <= left <= k
        assert np.bincount(kmeans.labels_, minlength=left).min() >= 1
        placed = place_points(vectors, kmeans.cluster_centers_).nearest
        assert np.bincount(placed, minlength=left).min() >= 1


def test_as_many_clusters_as_images_gives_each_its_own() -> None:
    vectors, _ = _blobs(9, 1, 16, spread=0.1)
    labels = KMeans(n_clusters=9).fit_predict(vectors)
    assert sorted(labels.tolist()) == list(range(9))


def test_more_clusters_than_images_are_refused() -> None:
    vectors, _ = _blobs(3, 1, 8, spread=0.1)
    with pytest.raises(ClusteringError, match="3 images cannot make 4 clusters"):
        KMeans(n_clusters=4).fit_predict(vectors)


def test_the_same_seed_gives_the_same_clusters() -> None:
    vectors, _ = _blobs(10, 30, 16, spread=1.0)
    first, second = (KMeans(n_clusters=10, random_state=5) for _ in range(2))
    assert np.array_equal(first.fit_predict(vectors), second.fit_predict(vectors))
    assert np.array_equal(first.cluster_centers_, second.cluster_centers_)


def test_the_vectors_are_not_changed() -> None:
    vectors, _ = _blobs(4, 20, 8, spread=0.5)
    before = vectors.copy()
    KMeans(n_clusters=4, init=vectors[:4]).fit_predict(vectors)
    assert np.array_equal(vectors, before)


def test_a_warm_start_keeps_the_order_of_the_centroids() -> None:
    vectors, truth = _blobs(6, 30, 32, spread=0.1)
    means = unit_rows(np.stack([vectors[truth == i].mean(axis=0) for i in range(6)]))
    for order in ([3, 0, 5, 1, 4, 2], [5, 4, 3, 2, 1, 0]):
        warm = KMeans(n_clusters=6, init=means[order], random_state=9)
        labels = warm.fit_predict(vectors)
        assert np.array_equal(np.array(order)[labels], truth)


def test_a_bad_warm_start_loses_to_a_cold_one() -> None:
    vectors, _ = _blobs(6, 30, 32, spread=0.05)
    bad = unit_rows(vectors[:6] + np.float32(1e-3))  # all six in the first blob
    cold, warm = KMeans(n_clusters=6), KMeans(n_clusters=6, init=bad)
    cold.fit_predict(vectors)
    warm.fit_predict(vectors)
    assert warm.inertia_ <= 1.01 * cold.inertia_


def test_the_algorithm_names_what_ran_and_where() -> None:
    vectors, _ = _blobs(2, 5, 4, spread=0.1)
    faiss, blas = KMeans(n_clusters=2, engine="faiss"), KMeans(n_clusters=2, engine="blas")
    assert np.array_equal(faiss.fit_predict(vectors), blas.fit_predict(vectors))
    assert installed_faiss() in faiss.algorithm_
    assert f"numpy {np.__version__}" in blas.algorithm_
    for kmeans in (faiss, blas):
        assert "spherical K-means on the" in kmeans.algorithm_


@pytest.mark.parametrize("k", [2, 3, 5, 8, 12])
def test_warm_start_makes_the_wanted_number_of_unit_centroids(k: int) -> None:
    vectors, truth = _blobs(5, 20, 16, spread=0.2)
    centroids = unit_rows(np.stack([vectors[truth == i].mean(axis=0) for i in range(5)]))
    counts = np.bincount(truth)
    first = warm_start(vectors, centroids, counts, k, seed=3)
    assert first.shape == (k, 16)
    assert first.dtype == np.float32
    assert np.linalg.norm(first, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(first, warm_start(vectors, centroids, counts, k, seed=3))


def test_warm_start_with_more_clusters_keeps_those_there_are_and_adds_images() -> None:
    vectors, truth = _blobs(6, 20, 16, spread=0.02)
    centroids = unit_rows(np.stack([vectors[truth == i].mean(axis=0) for i in range(4)]))
    start = warm_start(vectors, centroids, np.bincount(truth)[:4], 6, seed=0)
    assert np.array_equal(start[:4], centroids)
    assert all((np.abs(vectors - new).max(axis=1) == 0).any() for new in start[4:])
    # k-means++ draws what lies far out: the two blobs without a centroid get one each.
    assert sorted(truth[(vectors @ start[4:].T).argmax(axis=0)].tolist()) == [4, 5]


def test_warm_start_with_fewer_clusters_joins_the_nearest_by_weight() -> None:
    angles = np.radians([0, 10, 90])
    centroids = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    start = warm_start(centroids, centroids, np.array([30, 10, 5]), 2, seed=0)
    weights = np.array([[30], [10]], dtype=np.float32)
    joined = unit_rows((weights * centroids[:2]).sum(axis=0, keepdims=True))[0]
    found = sorted(start.tolist())
    wanted = sorted([joined.tolist(), centroids[2].tolist()])
    assert np.array(found) == pytest.approx(np.array(wanted), abs=1e-5)


def test_warm_start_with_the_same_number_changes_nothing() -> None:
    vectors, truth = _blobs(3, 10, 8, spread=0.1)
    start = warm_start(vectors, vectors[:3], np.bincount(truth), 3, seed=0)
    assert np.array_equal(start, vectors[:3])


def test_warm_start_finds_something_where_all_images_are_on_centroids() -> None:
    vectors = np.repeat(np.eye(2, 4, dtype=np.float32), 10, axis=0)
    start = warm_start(vectors, np.eye(2, 4, dtype=np.float32), np.array([10, 10]), 3, seed=0)
    assert start.shape == (3, 4)
    assert np.isfinite(start).all()


def _distribution(folder: Path, name: str) -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")


def test_one_faiss_is_named_with_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _distribution(tmp_path, "faiss-gpu-cuvs")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert installed_faiss() == "faiss-gpu-cuvs 1.0"


def test_no_faiss_is_an_error_that_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PluginError, match="not installed") as raised:
        installed_faiss()
    assert "organizer-photos[cpu]" in raised.value.hint


def test_two_faiss_are_an_error_that_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _distribution(tmp_path, "faiss-cpu")
    _distribution(tmp_path, "faiss-gpu-cuvs")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PluginError, match="faiss-cpu and faiss-gpu-cuvs") as raised:
        installed_faiss()
    assert raised.value.hint.startswith("pip uninstall faiss-cpu faiss-gpu-cuvs")


def test_two_faiss_stop_the_clustering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = _blobs(2, 5, 4, spread=0.1)
    _distribution(tmp_path, "faiss-cpu")
    _distribution(tmp_path, "faiss-gpu")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(PluginError):
        KMeans(n_clusters=2).fit_predict(vectors)


@pytest.mark.parametrize("engine", ["blas", "faiss", "torch"])
def test_no_cluster_is_lost_far_from_the_origin(engine: KMeansEngine) -> None:
    draw = np.random.default_rng(0)
    vectors = (draw.normal(size=(60, 8)) + 300).astype(np.float32)
    # All of the warm start at one place: every cluster but one is empty at first.
    start = np.repeat(vectors[:1], 10, axis=0)
    kmeans = KMeans(
        n_clusters=10, n_init=1, init=start, metric="euclidean", max_iter=1, engine=engine
    )
    kmeans.fit_predict(vectors)
    assert len(kmeans.cluster_centers_) == 10


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_vectors_stored_as_float16_make_the_same_clusters(metric: Metric) -> None:
    vectors, _ = _blobs(12, 60, 32, spread=0.3)
    half = vectors.astype(np.float16)
    one, two = (KMeans(n_clusters=12, n_init=2, metric=metric) for _ in range(2))
    one.fit_predict(vectors)
    two.fit_predict(half)  # type: ignore[arg-type]
    assert np.mean(one.labels_ != two.labels_) <= 0.01
    assert two.cluster_centers_.dtype == np.float32
    assert two.inertia_ == pytest.approx(one.inertia_, rel=1e-2)


def test_vectors_that_are_not_finite_are_refused_with_their_number() -> None:
    vectors, _ = _blobs(3, 10, 8, spread=0.1)
    vectors[4, 2], vectors[9, 0], vectors[9, 1] = np.nan, np.inf, np.nan
    with pytest.raises(ClusteringError, match="2 of 30 vectors are not finite"):
        KMeans(n_clusters=3).fit_predict(vectors)


def test_an_unknown_metric_is_refused() -> None:
    vectors, _ = _blobs(3, 10, 8, spread=0.1)
    with pytest.raises(ClusteringError, match="there is no metric 'manhattan'"):
        KMeans(n_clusters=3, metric="manhattan").fit_predict(vectors)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["blas", "faiss", "torch"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_objective_is_that_of_faiss_from_the_same_start(
    metric: Metric, engine: KMeansEngine
) -> None:
    import faiss

    vectors, _ = _blobs(20, 50, 32, spread=0.8)
    start = vectors[::50].copy()
    theirs: Any = faiss.Kmeans(
        32, 20, niter=25, spherical=metric == "cosine", max_points_per_centroid=1_000
    )
    theirs.train(vectors, init_centroids=start)
    nearest = theirs.assign(vectors)[1]
    wanted = float(((vectors - theirs.centroids[nearest]) ** 2).sum(dtype=np.float64))
    warm = KMeans(
        n_clusters=20, n_init=1, max_iter=25, tol=0, init=start, metric=metric, engine=engine
    )
    warm.fit_predict(vectors)
    assert warm.inertia_ <= 1.0001 * wanted


@pytest.mark.parametrize("room", [2**40, 0])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_torch_makes_the_clusters_that_blas_makes(
    monkeypatch: pytest.MonkeyPatch, metric: Metric, dtype: Any, room: int
) -> None:
    """Whether the vectors stay in the memory of the GPU, or are copied block by block."""
    monkeypatch.setattr(gpu, "_free_bytes", lambda _: room)
    monkeypatch.setattr(gpu, "_ELEMENTS_AT_ONCE", 2_000)
    vectors, truth = _blobs(8, 50, 32, spread=0.4)
    vectors = (3 * vectors).astype(dtype)
    vectors.flags.writeable = False
    fixed = np.full(len(vectors), -1)
    fixed[:40:4] = truth[200]
    banned = np.array([[60, 1], [61, 1], [399, 0]])
    blas, torch = (
        KMeans(n_clusters=8, n_init=2, metric=metric, engine=engine) for engine in ("blas", "torch")
    )
    for kmeans in (blas, torch):
        kmeans.fit_predict(vectors, fixed=fixed, banned=banned)
    assert np.array_equal(torch.labels_, blas.labels_)
    assert np.array_equal(torch.owners_, blas.owners_)
    assert torch.cluster_centers_ == pytest.approx(blas.cluster_centers_, abs=1e-5)
    assert torch.inertia_ == pytest.approx(blas.inertia_, rel=1e-5)
    assert (torch.owners_[torch.labels_[fixed >= 0]] == fixed[fixed >= 0]).all()
    assert "torch" in torch.algorithm_


def test_all_vectors_are_trained_on_by_default() -> None:
    vectors, truth = _blobs(4, 300, 16, spread=0.05)
    every, some = KMeans(n_clusters=4), KMeans(n_clusters=4, max_points=100)
    every.fit_predict(vectors)
    some.fit_predict(vectors)
    assert (every.n_trained_on_, some.n_trained_on_) == (1_200, 100)
    assert "trained on" not in every.algorithm_
    assert "trained on 100 of 1200" in some.algorithm_
    assert len({*zip(some.labels_.tolist(), truth.tolist(), strict=True)}) == 4
    assert some.inertia_ == pytest.approx(every.inertia_, rel=0.05)


def test_euclidean_clusters_far_from_the_origin_are_those_at_the_origin() -> None:
    draw = np.random.default_rng(0)
    truth = np.repeat(np.arange(5), 40)
    vectors = (3 * draw.normal(size=(5, 8))[truth] + 0.5 * draw.normal(size=(200, 8))).astype("f4")
    near, far = (KMeans(n_clusters=5, metric="euclidean") for _ in range(2))
    near.fit_predict(vectors)
    far.fit_predict(vectors + np.float32(500))
    assert len({*zip(near.labels_.tolist(), far.labels_.tolist(), strict=True)}) == 5
    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-3)


def test_a_start_ends_when_few_vectors_change() -> None:
    vectors, _ = _blobs(30, 60, 16, spread=1.0)
    exact, early = (KMeans(n_clusters=30, n_init=1, tol=tol) for tol in (0.0, 0.05))
    exact.fit_predict(vectors)
    early.fit_predict(vectors)
    assert early.n_iter_ < exact.n_iter_
    assert early.inertia_ == pytest.approx(exact.inertia_, rel=0.03)
    assert np.array_equal(early.labels_, _nearest(vectors, early.cluster_centers_))


def test_a_row_of_zeros_has_a_cluster() -> None:
    vectors, _ = _blobs(3, 10, 8, spread=0.1)
    vectors[7] = 0
    labels = KMeans(n_clusters=3).fit_predict(vectors)
    assert 0 <= labels[7] < 3
