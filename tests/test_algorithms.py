"""The clusterers beside K-means, and placing new vectors by their neighbours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import KNeighborsClassifier

from organizer.cluster.density import Dbscan, dbscan, hdbscan, knee
from organizer.cluster.graph import connected_graph, spectral, spectral_embedding
from organizer.cluster.hierarchy import Birch, average, birch, ward
from organizer.cluster.limits import Limits, limits_of, require_within, with_limits
from organizer.cluster.mixture import gmm
from organizer.cluster.neighbours import NearestLabelled, landmarks
from organizer.errors import ClusteringError

K = 5
FACTORIES: dict[str, Callable[..., Any]] = {
    "average": average,
    "birch": birch,
    "dbscan": dbscan,
    "gmm": gmm,
    "hdbscan": hdbscan,
    "spectral": spectral,
    "ward": ward,
}
DENSITY = ("dbscan", "hdbscan")
every = pytest.mark.parametrize("name", FACTORIES)
with_a_number = pytest.mark.parametrize("name", [n for n in FACTORIES if n not in DENSITY])


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)


def _blobs(
    n: int, dim: int = 16, spread: float = 0.08, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around five directions, and which."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, K, n)
    return _unit(np.eye(dim)[truth] + draw.normal(0, spread, (n, dim))), truth


def _make(name: str, n_clusters: int = K) -> Any:
    return FACTORIES[name]() if name in DENSITY else FACTORIES[name](n_clusters=n_clusters)


# --- what all of them do ------------------------------------------------------------------------


@every
@pytest.mark.parametrize(("n", "dim"), [(100, 10), (400, 16), (400, 64)])
def test_blobs_are_found(name: str, n: int, dim: int) -> None:
    vectors, truth = _blobs(n, dim, spread=0.3 / dim**0.5)
    labels = _make(name).fit_predict(vectors)
    inside = labels >= 0
    assert adjusted_rand_score(truth[inside], labels[inside]) == 1
    assert inside.mean() > 0.85


@every
def test_blobs_that_overlap_are_found_alike_each_time(name: str) -> None:
    vectors, _ = _blobs(300, spread=0.4)
    first = _make(name).fit_predict(vectors)
    np.testing.assert_array_equal(first, _make(name).fit_predict(vectors.copy()))


@every
def test_labels_are_whole_numbers_from_zero_without_gaps(name: str) -> None:
    vectors, _ = _blobs(300, spread=0.2)
    labels = np.asarray(_make(name).fit_predict(vectors))
    assert np.can_cast(labels.dtype, np.int64)
    found = sorted(set(labels.tolist()) - {-1})
    assert found == list(range(len(found)))


@with_a_number
def test_only_density_knows_noise(name: str) -> None:
    vectors, _ = _blobs(300, spread=0.5)
    assert _make(name).fit_predict(vectors).min() == 0


@with_a_number
@pytest.mark.parametrize("k", [2, 7])
def test_there_are_as_many_clusters_as_asked_for(name: str, k: int) -> None:
    vectors, _ = _blobs(300, spread=0.2)
    assert len(set(_make(name, k).fit_predict(vectors).tolist())) == k


@with_a_number
def test_as_many_clusters_as_vectors_are_one_each(name: str) -> None:
    labels = _make(name, 6).fit_predict(np.eye(8, dtype=np.float32)[:6])
    assert sorted(labels.tolist()) == list(range(6))


@pytest.mark.parametrize("name", ["birch", "gmm", "spectral"])
def test_fewer_different_vectors_than_clusters_make_fewer(name: str) -> None:
    copies = np.repeat(np.eye(8, dtype=np.float32)[:3], 10, axis=0)
    labels = _make(name).fit_predict(copies)
    assert adjusted_rand_score(np.arange(30) // 10, labels) == 1


@every
@pytest.mark.parametrize("n", [5, 6, 30])
def test_vectors_that_are_all_the_same_are_one_cluster_or_noise(name: str, n: int) -> None:
    vectors = np.tile(_blobs(1)[0], (n, 1))
    labels = _make(name, 2).fit_predict(vectors)
    if name in {"ward", "average"}:  # scikit-learn cuts ties where it likes
        assert len(labels) == n
    else:
        assert len(set(labels.tolist())) == 1


def test_a_factory_can_be_asked_for_its_limits_without_scikit_learn() -> None:
    code = (
        "import sys\n"
        "from organizer.cluster import density, graph, hierarchy, mixture, neighbours\n"
        "from organizer.cluster.limits import require_within\n"
        "require_within(hierarchy.ward, 'ward', 10)\n"
        "print([m for m in ('sklearn', 'scipy', 'faiss', 'torch') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- limits -------------------------------------------------------------------------------------


def test_a_factory_with_limits_is_still_the_factory() -> None:
    import inspect

    assert list(inspect.signature(ward).parameters) == ["n_clusters"]
    assert ward.__doc__ is not None
    assert "Ward 1963" in ward.__doc__
    with pytest.raises(TypeError, match="n_cluster"):
        ward(n_cluster=3)


def test_the_refusal_names_the_number_the_reason_and_the_way_out() -> None:
    @with_limits(max_images=1_000, reason="it is slow", instead="kmeans")
    def slow() -> None:
        pytest.fail("nothing is made")

    assert limits_of(slow) == Limits(1_000, "it is slow", "kmeans")
    require_within(slow, "slow", 1_000)
    with pytest.raises(ClusteringError) as caught:
        require_within(slow, "slow", 1_001)
    assert caught.value.message == "slow takes at most 1,000 images and there are 1,001: it is slow"
    assert caught.value.hint == "use kmeans"


def test_a_factory_that_names_no_limits_has_none() -> None:
    assert limits_of(Birch) is None
    require_within(Birch, "plugin", 10**12)


# --- each in particular -------------------------------------------------------------------------


def test_a_mixture_follows_clusters_that_are_long_in_the_same_direction() -> None:
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 2, 600)
    across, along = draw.normal(0, 0.02, 600), draw.normal(0, 0.12, 600)
    vectors = _unit(np.column_stack([np.ones(600), truth * 0.2 + across, along]))
    assert adjusted_rand_score(truth, gmm(n_clusters=2).fit_predict(vectors)) > 0.95
    round_ones = KMeans(2, n_init=10, random_state=0).fit_predict(vectors)
    assert adjusted_rand_score(truth, round_ones) < 0.1


def test_a_mixture_predicts_its_own_labels() -> None:
    vectors, _ = _blobs(300, spread=0.3)
    model = gmm(n_clusters=K)
    np.testing.assert_array_equal(model.fit_predict(vectors), model.predict(vectors))


@pytest.mark.parametrize("n", [0, 1])
def test_a_mixture_of_next_to_nothing_is_one_cluster(n: int) -> None:
    assert gmm(n_clusters=1).fit_predict(_blobs(1)[0][:n]).tolist() == [0] * n


def test_birch_of_few_vectors_is_ward() -> None:
    vectors, _ = _blobs(300, spread=0.4)
    labels = birch(n_clusters=K).fit_predict(vectors)
    assert adjusted_rand_score(ward(n_clusters=K).fit_predict(vectors), labels) == 1


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_birch_of_many_vectors_finds_its_own_threshold(
    scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("organizer.cluster.hierarchy._MOST_SUBCLUSTERS", 200)
    monkeypatch.setattr("organizer.cluster.hierarchy._ROWS_AT_ONCE", 150)
    vectors, truth = _blobs(1_500, spread=0.15)
    model = birch(n_clusters=K)
    assert adjusted_rand_score(truth, model.fit_predict(vectors * np.float32(scale))) > 0.99
    assert len(model._fitted.subcluster_centers_) <= 200
    assert 0.1 * scale < model.threshold_ < 1.0 * scale


def test_birch_of_vectors_without_groups_makes_as_many_as_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("organizer.cluster.hierarchy._MOST_SUBCLUSTERS", 200)
    everywhere = _unit(np.random.default_rng(0).normal(size=(3_000, 64)))
    labels = birch(n_clusters=20).fit_predict(everywhere)
    assert len(set(labels.tolist())) == 20


def test_copies_do_not_fill_the_tree_of_birch() -> None:
    draw = np.random.default_rng(0)
    different = _unit(np.eye(64)[0] + draw.normal(0, 0.05, (200, 64)))
    model = birch(n_clusters=K)
    model.fit_predict(np.repeat(different, 50, axis=0)[draw.permutation(10_000)])
    assert 200 <= len(model._fitted.subcluster_centers_) < 300


def test_birch_predicts_its_own_labels() -> None:
    vectors, truth = _blobs(300)
    model = birch(n_clusters=K)
    labels = model.fit_predict(vectors)
    np.testing.assert_array_equal(model.predict(vectors), labels)
    further, their_truth = _blobs(100, seed=1)
    both = np.concatenate([truth, their_truth])
    assert adjusted_rand_score(both, np.concatenate([labels, model.predict(further)])) == 1


def test_a_threshold_that_is_given_is_used() -> None:
    vectors, _ = _blobs(300)
    model = birch(n_clusters=K, threshold=0.9)
    assert len(set(model.fit_predict(vectors).tolist())) < K
    assert model.threshold_ == 0.9


@pytest.mark.parametrize("name", DENSITY)
def test_what_lies_between_the_clusters_is_noise(name: str) -> None:
    vectors, truth = _blobs(300)
    strays = np.eye(16, dtype=np.float32)[-8:]
    labels = _make(name).fit_predict(np.concatenate([vectors, strays]))
    assert (labels[-8:] == -1).all()
    inside = labels[:300] >= 0
    assert adjusted_rand_score(truth[inside], labels[:300][inside]) == 1


@pytest.mark.parametrize("name", DENSITY)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_for_any_density_are_noise(name: str, n: int) -> None:
    assert _make(name).fit_predict(_blobs(2)[0][:n]).tolist() == [-1] * n


def test_dbscan_uses_the_radius_that_it_is_given() -> None:
    vectors, _ = _blobs(100)
    model = dbscan(eps=1.9)
    assert set(model.fit_predict(vectors).tolist()) == {0}
    assert model.eps_ == 1.9


def test_a_radius_that_holds_more_than_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = _blobs(2_000)
    monkeypatch.setattr("organizer.cluster.density._MOST_PAIRS", 1_000_000)
    assert set(dbscan(eps=0.5).fit_predict(vectors).tolist()) >= set(range(K))
    with pytest.raises(ClusteringError, match=r"within 1.9 of an image lie 2,000 of 2,000 others"):
        dbscan(eps=1.9).fit_predict(vectors)


def test_the_radius_of_dbscan_lies_between_that_of_members_and_that_of_strays() -> None:
    vectors, truth = _blobs(300)
    strays = _unit(np.random.default_rng(3).normal(size=(15, 16)))
    model = Dbscan()
    model.fit_predict(np.concatenate([vectors, strays]))
    centres = np.stack([vectors[truth == i].mean(axis=0) for i in range(K)])
    assert 0.2 < model.eps_ < np.linalg.norm(strays[:, None] - centres, axis=2).min()


def test_the_knee_is_where_a_curve_turns_upwards() -> None:
    curve = np.concatenate([np.linspace(1, 1.2, 90), np.linspace(1.4, 5, 10)])
    assert knee(curve) == pytest.approx(1.2)
    assert knee(np.full(7, 0.25)) == 0.25
    assert knee(np.array([0.5])) == 0.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=60), st.sampled_from([0.25, 4.0]))
def test_the_knee_is_on_the_curve_and_grows_with_it(values: list[int], scale: float) -> None:
    curve = np.sort(np.array(values, dtype=np.float64))
    assert knee(curve) in curve
    assert knee(scale * curve) == scale * knee(curve)


def test_the_graph_is_connected_where_that_of_neighbours_is_not() -> None:
    vectors, _ = _blobs(200, spread=0.02)
    graph = connected_graph(vectors, 5)
    assert connected_components(graph, directed=False)[0] == 1
    assert abs(graph - graph.T).max() == 0
    assert set(np.unique(graph.data)) <= {0.5, 1.0}
    assert 5 * 200 <= graph.nnz <= 2 * 5 * 200 + 2 * K


def test_components_are_joined_by_their_shortest_edge() -> None:
    line = np.array([[0.0], [1.0], [10.0], [11.0], [30.0], [31.0]], dtype=np.float32)
    graph = connected_graph(line, 1).toarray()
    joined = {(int(a), int(b)) for a, b in np.argwhere(np.triu(graph))}
    assert joined == {(0, 1), (2, 3), (4, 5), (1, 2), (3, 4)}


def test_the_embedding_is_that_of_linear_algebra() -> None:
    graph = connected_graph(_blobs(60, spread=0.3)[0], 5)
    degrees = graph.toarray().sum(axis=1)
    values, vectors = np.linalg.eig(graph.toarray() / degrees[:, None])
    first = np.argsort(-values.real)[:4]
    found = spectral_embedding(graph, 4, seed=0)
    for number in first:
        vector = vectors[:, number].real
        rest = vector - found @ np.linalg.lstsq(found, vector, rcond=None)[0]
        assert np.linalg.norm(rest) < 1e-8


def test_spectral_finds_what_is_not_round() -> None:
    draw = np.random.default_rng(0)
    angle, truth = draw.uniform(0, 2 * np.pi, 400), np.arange(400) % 2
    radius = np.where(truth, 1.0, 0.3) + draw.normal(0, 0.02, 400)
    rings = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]).astype(np.float32)
    assert adjusted_rand_score(truth, spectral(n_clusters=2).fit_predict(rings)) == 1


# --- placing new vectors ------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 40), n=st.integers(1, 20), k=st.integers(1, 6), seed=st.integers(0, 10_000))
def test_the_vote_is_that_of_scikit_learn(m: int, n: int, k: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    vectors, labels = _unit(draw.normal(size=(m, 6))), draw.integers(0, 4, m)
    new = np.concatenate([_unit(draw.normal(size=(n, 6))), vectors[:2]])
    k = min(k, m)
    peer = KNeighborsClassifier(k, weights="distance", algorithm="brute")
    expected = peer.fit(vectors.astype(np.float64), labels).predict(new.astype(np.float64))
    model = NearestLabelled(n_neighbors=k).fit(vectors, labels)
    model.reach_ = np.inf
    np.testing.assert_array_equal(model.predict(new), expected)


@pytest.mark.parametrize("name", ["ward", "average", "spectral", "dbscan", "hdbscan"])
def test_new_vectors_go_where_clustering_them_too_would_put_them(name: str) -> None:
    vectors, _ = _blobs(300)
    labels = np.asarray(_make(name).fit_predict(vectors), dtype=np.int64)
    new, truth = _blobs(200, seed=1)
    placed = NearestLabelled().fit(vectors, labels).predict(new)
    inside = placed >= 0
    assert inside.mean() > 0.9
    assert adjusted_rand_score(truth[inside], placed[inside]) == 1


def test_landmarks_themselves_keep_their_labels() -> None:
    vectors, truth = _blobs(300, spread=0.5)
    model = NearestLabelled(quantile=1.0).fit(vectors, truth)
    np.testing.assert_array_equal(model.predict(vectors), truth)


def test_what_lies_farther_out_than_members_do_is_noise() -> None:
    vectors, truth = _blobs(300)
    model = NearestLabelled().fit(vectors, truth)
    strays = _unit(np.random.default_rng(3).normal(size=(20, 16)))
    assert (model.predict(strays) == -1).all()
    assert np.mean(model.predict(_blobs(500, seed=9)[0]) == -1) < 0.05


def test_the_reach_is_a_quantile_of_the_distances_between_members() -> None:
    vectors, truth = _blobs(120)
    labels = np.where(np.arange(120) % 10 == 0, -1, truth)
    members = vectors[labels >= 0].astype(np.float64)
    apart = np.linalg.norm(members[:, None] - members, axis=2)
    np.fill_diagonal(apart, np.inf)
    model = NearestLabelled(quantile=0.9).fit(vectors, labels)
    assert model.reach_ == pytest.approx(np.quantile(apart.min(axis=1), 0.9))


def test_noise_votes() -> None:
    line = np.array([[0.0], [0.1], [0.2], [1.0], [1.1], [1.2]], dtype=np.float32)
    labels = np.array([-1, -1, -1, 0, 0, 0])
    model = NearestLabelled(n_neighbors=3, quantile=1.0).fit(line, labels)
    model.reach_ = np.inf
    assert model.predict(np.array([[0.15], [1.05]], dtype=np.float32)).tolist() == [-1, 0]


def test_of_equal_votes_the_nearest_counts() -> None:
    line = np.array([[-2.0], [1.0], [-2.0], [1.0 + 1e-3]], dtype=np.float32)
    model = NearestLabelled(n_neighbors=2).fit(line[:2], np.array([7, 3]))
    assert model.predict(np.array([[0.0]], dtype=np.float32)).tolist() == [3]
    even = NearestLabelled(n_neighbors=2).fit(
        np.array([[1.0], [-1.0]], dtype=np.float32), np.array([7, 3])
    )
    assert even.predict(np.array([[0.0]], dtype=np.float32)).tolist() == [7]


def test_many_vectors_are_placed_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = _blobs(300, spread=0.3)
    new, _ = _blobs(101, spread=0.3, seed=2)
    whole = NearestLabelled().fit(vectors, truth)
    monkeypatch.setattr("organizer.cluster.neighbours._VALUES_AT_ONCE", 1_000)
    parts = NearestLabelled().fit(vectors, truth)
    assert parts.reach_ == whole.reach_
    np.testing.assert_array_equal(parts.predict(new), whole.predict(new))


def test_among_noise_all_is_noise_and_one_member_reaches_everywhere() -> None:
    vectors, _ = _blobs(4)
    assert NearestLabelled().fit(vectors, np.full(4, -1)).predict(vectors).tolist() == [-1] * 4
    alone = NearestLabelled().fit(vectors[:1], np.array([2]))
    assert alone.predict(vectors).tolist() == [2] * 4
    assert alone.predict(vectors[:0]).shape == (0,)


@settings(max_examples=80, deadline=None)
@given(
    labels=st.lists(st.integers(-1, 6), min_size=1, max_size=120),
    most=st.integers(1, 60),
    seed=st.integers(0, 100),
)
def test_every_cluster_has_landmarks(labels: list[int], most: int, seed: int) -> None:
    array = np.array(labels, dtype=np.int64)
    rows = landmarks(array, most, seed=seed)
    assert (np.diff(rows) > 0).all()
    assert set(array[rows].tolist()) == set(labels)
    assert len(rows) <= max(most, len(set(labels)))
    assert len(rows) == len(labels) or len(rows) > most - len(set(labels)) - 1
    np.testing.assert_array_equal(rows, landmarks(array, most, seed=seed))
    for label in set(labels):
        least = min(labels.count(label), 5, most // len(set(labels)))
        assert np.count_nonzero(array[rows] == label) >= least


def test_landmarks_are_shared_out_by_size_and_drawn_from_all_rows() -> None:
    labels = np.repeat([0, 1, 2], [10_000, 1_000, 3])
    rows = landmarks(labels, 1_103, seed=0)
    counts = np.bincount(labels[rows])
    assert counts[0] == pytest.approx(1_000, abs=15)
    assert counts[1] == pytest.approx(100, abs=8)
    assert counts[2] == 3
    assert rows[:1_000].mean() == pytest.approx(5_000, abs=400)
