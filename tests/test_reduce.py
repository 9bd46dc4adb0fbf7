"""PCA against scikit-learn's own, the laws of every reducer, what smoothing is for; UMAP."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from organizer.cluster.incremental import unit_rows
from organizer.errors import PluginError
from organizer.protocols import Reducer
from organizer.reduce import none, pca, smooth, umap
from organizer.reduce.neighbours import memberships, neighbour_graph, weighted_mean
from organizer.types import Vectors

needs_umap = pytest.mark.skipif(
    importlib.util.find_spec("umap") is None,
    reason="NOT TESTED: umap-learn is not installed; pip install 'organizer-photos[umap]'",
)


def _vectors(n: int, dim: int, seed: int = 0) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


def test_pca_equals_that_of_scikit_learn_up_to_signs() -> None:
    from sklearn.decomposition import PCA

    vectors = _vectors(120, 40)
    ours = pca(n_components=10).fit_transform(vectors)
    theirs = PCA(10, random_state=0).fit_transform(vectors)
    assert ours.shape == (120, 10)
    assert np.abs(ours) == pytest.approx(np.abs(theirs), abs=1e-4)


def test_pca_gives_the_directions_of_greatest_variance() -> None:
    vectors = _vectors(200, 12) * np.linspace(3, 0.1, 12, dtype=np.float32)
    reduced = np.asarray(pca(n_components=5).fit_transform(vectors))
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    wanted = np.sort(np.linalg.eigvalsh(np.cov(centred.T)))[::-1][:5]
    assert reduced.var(axis=0, ddof=1) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(("n", "dim", "components"), [(5, 40, 5), (40, 6, 6), (1, 8, 1)])
def test_pca_takes_what_few_images_or_dimensions_give(n: int, dim: int, components: int) -> None:
    if n == 1:
        # One image has no variance; scikit-learn divides by n - 1 and says so.
        warnings.simplefilter("ignore")
    reduced = pca().fit_transform(_vectors(n, dim))
    assert reduced.shape == (n, components)


def test_pca_places_further_vectors_in_the_same_space() -> None:
    vectors = _vectors(80, 30)
    reducer = pca(n_components=8)
    fitted = reducer.fit_transform(vectors)
    assert reducer.transform(vectors) == pytest.approx(fitted, abs=1e-4)
    assert reducer.transform(vectors[:3]) == pytest.approx(fitted[:3], abs=1e-4)
    assert reducer.transform(_vectors(4, 30, seed=9)).shape == (4, 8)


def test_pca_repeats_itself() -> None:
    vectors = _vectors(600, 520)
    first, second = (pca(random_state=4).fit_transform(vectors) for _ in range(2))
    assert np.array_equal(first, second)


def test_pca_keeps_the_contract() -> None:
    assert isinstance(pca(), Reducer)


@needs_umap
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # numba and UMAP talk to programmers
def test_umap_separates_blobs_the_same_way_every_time() -> None:
    centres = np.repeat(np.eye(3, 20, dtype=np.float32), 20, axis=0)
    vectors = unit_rows(centres + 0.05 * _vectors(60, 20))
    reducer = umap(n_components=2)
    assert isinstance(reducer, Reducer)
    first = np.asarray(reducer.fit_transform(vectors))
    assert first.shape == (60, 2)
    means = first.reshape(3, 20, 2).mean(axis=1)
    nearest = np.linalg.norm(first[:, None] - means[None], axis=2).argmin(axis=1)
    assert np.array_equal(nearest, np.repeat(np.arange(3), 20))
    assert np.array_equal(first, np.asarray(umap(n_components=2).fit_transform(vectors)))


def test_umap_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(PluginError, match="UMAP is not installed") as raised:
        umap()
    assert "organizer-photos[umap]" in raised.value.hint


MAKERS = [none, pca, smooth]


def _groups(k: int, each: int, dim: int = 48, *, spread: float = 0.1, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    centres = np.repeat(draw.normal(size=(k, dim)), each, axis=0)
    return unit_rows((centres + draw.normal(scale=spread, size=centres.shape)).astype(np.float32))


@pytest.mark.parametrize("make", MAKERS)
def test_a_reducer_repeats_itself(make: Callable[[], Any]) -> None:
    vectors = _groups(4, 60, spread=1.0)
    assert np.array_equal(make().fit_transform(vectors), make().fit_transform(vectors))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("n", [20, 300])
def test_a_restored_reducer_places_as_the_fitted_one_does(make: Callable[[], Any], n: int) -> None:
    fitted, restored = make(), make()
    fitted.fit_transform(_vectors(n, 40))
    restored.restore({name: array.copy() for name, array in fitted.state().items()})
    further = _vectors(7, 40, seed=5)
    assert np.array_equal(restored.transform(further), fitted.transform(further))


@pytest.mark.parametrize("make", MAKERS)
def test_the_fitted_vectors_are_placed_where_they_were(make: Callable[[], Any]) -> None:
    vectors = _groups(3, 50, spread=0.8)
    reducer = make()
    points = reducer.fit_transform(vectors)
    assert reducer.transform(vectors) == pytest.approx(points, abs=1e-5)
    assert reducer.transform(vectors[::-1][:9]) == pytest.approx(points[::-1][:9], abs=1e-5)
    assert reducer.transform(vectors[:0]).shape == (0, points.shape[1])


@pytest.mark.parametrize("make", [pca, smooth])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 31, 32, 40])
@pytest.mark.parametrize("alike", ["all", "none", "pairs"])
def test_few_or_equal_images_give_finite_points(
    make: Callable[[], Any], n: int, alike: str
) -> None:
    vectors = _vectors(n, 24)
    if alike == "all":
        vectors[:] = vectors[0]
    elif alike == "pairs":
        vectors[1::2] = vectors[: n // 2 * 2 : 2]
    reducer = make()
    points = reducer.fit_transform(vectors)
    assert len(points) == n
    assert np.isfinite(points).all()
    assert np.isfinite(reducer.transform(_vectors(3, 24, seed=8))).all()


def test_nothing_is_reduced_by_none() -> None:
    vectors = _vectors(6, 9)
    assert np.array_equal(none().fit_transform(vectors), vectors)


def test_smoothing_keeps_the_contract() -> None:
    assert isinstance(smooth(), Reducer)
    points = smooth(n_components=12).fit_transform(_groups(3, 40, spread=0.8))
    assert points.shape == (120, 12)
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(120), abs=1e-5)


def test_smoothing_finds_groups_that_noise_in_other_directions_hides() -> None:
    from sklearn.metrics import adjusted_rand_score

    from organizer.cluster.kmeans import KMeans

    draw = np.random.default_rng(2)
    truth = np.repeat(np.arange(4), 100)
    # The groups differ in four directions, and everything differs more in one other.
    vectors = np.hstack([4 * np.eye(4)[truth], np.zeros((400, 36))])
    vectors += draw.normal(scale=0.5, size=vectors.shape)
    vectors[:, 4] += draw.uniform(-12, 12, size=400)
    plain = KMeans(n_clusters=4).fit_predict(unit_rows(vectors.astype(np.float32)))
    smoothed = KMeans(n_clusters=4).fit_predict(smooth().fit_transform(vectors.astype(np.float32)))
    assert adjusted_rand_score(truth, plain) < 0.5
    assert adjusted_rand_score(truth, smoothed) > 0.95


def test_smoothing_places_new_images_with_their_like() -> None:
    vectors, truth = _groups(5, 60, spread=0.8), np.repeat(np.arange(5), 60)
    late = np.arange(300) % 6 == 0
    reducer = smooth()
    points = reducer.fit_transform(vectors[~late])
    centres = unit_rows(
        np.stack([points[truth[~late] == group].mean(axis=0) for group in range(5)])
    )
    assert np.array_equal((reducer.transform(vectors[late]) @ centres.T).argmax(1), truth[late])


def test_a_large_library_is_fitted_by_its_landmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("organizer.reduce.smoothing._LANDMARKS", 200)
    vectors, truth = _groups(4, 150, spread=0.5), np.repeat(np.arange(4), 150)
    reducer = smooth()
    points = reducer.fit_transform(vectors)
    assert points.shape[0] == 600
    assert reducer.state()["landmarks"].shape[0] == 200
    centres = unit_rows(np.stack([points[truth == group].mean(axis=0) for group in range(4)]))
    assert np.array_equal((points @ centres.T).argmax(axis=1), truth)


def test_memberships_add_up_to_the_logarithm() -> None:
    draw = np.random.default_rng(0)
    distances = np.sort(draw.uniform(0.1, 1, size=(30, 16)).astype(np.float32), axis=1)
    weights = memberships(distances)
    assert weights[:, 0] == pytest.approx(np.ones(30))
    assert weights.sum(axis=1) == pytest.approx(np.full(30, 4.0), abs=1e-3)
    assert (np.diff(weights, axis=1) <= 0).all()


def test_the_graph_joins_what_is_nearest_by_scikit_learn() -> None:
    from sklearn.neighbors import NearestNeighbors

    points = _vectors(1_100, 8)
    found = neighbour_graph(points, 6)
    nearest = NearestNeighbors(n_neighbors=7).fit(points).kneighbors(points)[1][:, 1:]
    wanted = np.zeros((1_100, 1_100), dtype=bool)
    wanted[np.arange(1_100)[:, None], nearest] = True
    dense = found.toarray()
    assert np.array_equal(dense > 1e-9, (wanted | wanted.T) & (dense > 1e-9))
    assert dense == pytest.approx(dense.T)
    assert dense.max() <= 1 + 1e-6
    assert not dense.diagonal().any()
    first = nearest[:, 0]
    assert dense[np.arange(1_100), first] == pytest.approx(np.ones(1_100))


def test_a_weighted_mean_of_one_neighbour_is_that_neighbour() -> None:
    landmarks, values = _vectors(50, 6), _vectors(50, 3, seed=1)
    assert weighted_mean(landmarks, landmarks, values, 1) == pytest.approx(values)


@needs_umap
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_umap_can_be_kept() -> None:
    vectors = _groups(3, 30)
    fitted, restored = umap(), umap()
    points = fitted.fit_transform(vectors)
    restored.restore(fitted.state())
    assert restored.transform(vectors) == pytest.approx(points, abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_groups_whose_members_hardly_differ_give_finite_points(seed: int) -> None:
    draw = np.random.default_rng(seed)
    scales = np.array([1e-4, 2e-5, 1e-5, 5e-6, 2e-6, 1e-6])
    directions = np.where(draw.random(36) < 0.6, 1.0, -1.0)
    vectors = np.column_stack([directions, draw.normal(size=(36, 6)) * scales])
    points = smooth().fit_transform(vectors.astype(np.float32))
    assert np.isfinite(points).all()
    assert len({int(d) for d, p in zip(directions, points, strict=True) if p @ points[0] > 0}) == 1
