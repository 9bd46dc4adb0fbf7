"""What K-means leaves out changes nothing, and constraints always hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from organizer.cluster import lloyd as lloyd_module
from organizer.cluster.constrained import row_constraints
from organizer.cluster.incremental import unit_rows
from organizer.cluster.kmeans import KMeans
from organizer.cluster.lloyd import LloydFit, lloyd
from organizer.cluster.metric_space import Metric, MetricSpace, metric_space
from organizer.cluster.products import blas_products, workers
from organizer.cluster.starts import cold_start
from organizer.errors import ClusteringError
from organizer.types import Labels, Vectors


def _mixture(n: int, dim: int, groups: int, *, seed: int = 0, spread: float = 1.0) -> Vectors:
    """Groups of different sizes that overlap, in a subspace with noise around it."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(groups, min(dim, 16)))
    which = draw.choice(groups, n, p=draw.dirichlet(np.full(groups, 2.0)))
    inner = centres[which] + spread * draw.normal(size=(n, centres.shape[1]))
    wide = inner @ draw.normal(size=(centres.shape[1], dim)) + draw.normal(size=(n, dim))
    return np.asarray(wide, dtype=np.float32)


def _fit(
    vectors: NDArray[np.float32], start: Vectors, metric: Metric, *, max_iter: int
) -> LloydFit:
    space = metric_space(vectors, metric)
    with workers(0) as run:
        return lloyd(
            space,
            space.normalised(start),
            products=blas_products(space),
            run=run,
            constraints=row_constraints(len(vectors), len(start)),
            max_iter=max_iter,
            tol=0.0,
        )


def _brute_force(
    vectors: Vectors, start: Vectors, metric: Metric, *, max_iter: int
) -> tuple[Labels, NDArray[np.float64]]:
    """Lloyd's iterations in double precision with every distance."""
    x, c = vectors.astype(np.float64), start.astype(np.float64)
    if metric == "cosine":
        c /= np.linalg.norm(c, axis=1, keepdims=True)
    for iteration in range(max_iter + 1):
        labels = ((x**2).sum(axis=1)[:, None] - 2 * x @ c.T + (c**2).sum(axis=1)).argmin(axis=1)
        if iteration < max_iter:
            c = np.stack([x[labels == i].mean(axis=0) for i in range(len(c))])
            if metric == "cosine":
                c /= np.linalg.norm(c, axis=1, keepdims=True)
    return labels, c


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [3, 40, 150])
def test_each_iteration_is_that_of_lloyd(metric: Metric, k: int) -> None:
    vectors = _mixture(3_000, 48, 60, seed=k)
    vectors = unit_rows(vectors) if metric == "cosine" else vectors
    start = vectors[np.random.default_rng(k).choice(3_000, k, replace=False)]
    for max_iter in (1, 2, 5, 12, 30):
        found = _fit(vectors, start, metric, max_iter=max_iter)
        labels, centroids = _brute_force(vectors, start, metric, max_iter=max_iter)
        assert np.mean(found.labels != labels) <= 1e-3
        assert found.centroids == pytest.approx(centroids, abs=0.05 * np.abs(centroids).max())
        inertia = ((vectors.astype(np.float64) - centroids[labels]) ** 2).sum()
        assert found.inertia == pytest.approx(inertia, rel=1e-5)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_bounds_hold_in_every_iteration(metric: Metric) -> None:
    vectors = _mixture(2_500, 32, 50, seed=3)
    vectors = unit_rows(vectors) if metric == "cosine" else vectors + np.float32(20)
    space = metric_space(vectors, metric)
    start = space.normalised(vectors[:80])
    with workers(0) as run:
        held = row_constraints(2_500, 80)
        state = lloyd_module._BoundedState(space, start, blas_products(space), run, held)
        for _ in range(15):
            state.assign()
            x, c = vectors.astype(np.float64), state.centroids.astype(np.float64)
            squared = ((x[:, None, :] - c) ** 2).sum(axis=2)
            own = np.sqrt(squared[np.arange(len(x)), state.labels])
            squared[np.arange(len(x)), state.labels] = np.inf
            slack = 1e-4 * np.sqrt(np.median(own**2))
            assert (own <= state.upper + slack).all()
            assert (np.sqrt(squared.min(axis=1)) >= state.lower - slack).all()
            state.update()


def test_late_iterations_multiply_little() -> None:
    vectors = unit_rows(_mixture(6_000, 64, 120, spread=0.5))
    space = metric_space(vectors, "cosine")
    counted: list[int] = []

    def counting(centroids: Vectors):  # type: ignore[no-untyped-def]  # noqa: ANN202
        compare = blas_products(space)(centroids)

        def count(block: Vectors, squares: NDArray[np.float32]):  # type: ignore[no-untyped-def]  # noqa: ANN202
            counted.append(len(block) * len(centroids))
            return compare(block, squares)

        return count

    with workers(0) as run:
        fit = lloyd(
            space,
            space.normalised(vectors[:200]),
            products=counting,
            run=run,
            constraints=row_constraints(6_000, 200),
            max_iter=30,
            tol=0.0,
        )
    assert sum(counted) < 0.6 * 6_000 * 200 * fit.n_iter


def test_it_is_scikit_learns_from_the_same_start() -> None:
    from sklearn.cluster import KMeans as SklearnKMeans

    vectors = _mixture(2_000, 24, 30, seed=5)
    start = vectors[:25]
    theirs = SklearnKMeans(25, init=start, n_init=1, max_iter=15, tol=0).fit(vectors)
    ours = _fit(vectors, start, "euclidean", max_iter=15)
    assert np.array_equal(ours.labels, theirs.labels_)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-5)


def test_threads_change_nothing() -> None:
    vectors = unit_rows(_mixture(5_000, 64, 40))
    space = metric_space(vectors, "cosine")
    fits = []
    for work in (0, 10**12):
        with workers(work) as run:
            fits.append(
                lloyd(
                    space,
                    space.normalised(vectors[:50]),
                    products=blas_products(space),
                    run=run,
                    constraints=row_constraints(5_000, 50),
                    max_iter=10,
                    tol=0.0,
                )
            )
    assert np.mean(fits[0].labels != fits[1].labels) <= 1e-3
    assert fits[0].inertia == pytest.approx(fits[1].inertia, rel=1e-6)


def test_no_rows_are_scaled_where_all_have_unit_length() -> None:
    vectors = unit_rows(_mixture(100, 8, 3))
    space = metric_space(vectors, "cosine")
    assert np.shares_memory(space.take(slice(0, 50)), vectors)
    longer = metric_space(3 * vectors, "cosine")
    assert longer.take(slice(0, 50)) == pytest.approx(vectors[:50], abs=1e-6)


# Constraints ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Case:
    vectors: Vectors
    owners: Labels
    fixed: Labels
    banned: Labels
    warm: bool
    metric: Metric


@st.composite
def _cases(draw: st.DrawFn) -> _Case:
    """Constraints that do not contradict each other."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, k = draw(st.integers(12, 60)), draw(st.integers(2, 8))
    owners = np.sort(rng.integers(0, draw(st.integers(2, 8)), k)) * 3
    owners[0], owners[-1] = 0, 30  # two owners at least
    names = np.unique(owners)
    fixed = np.full(n, -1)
    some = rng.choice(n, draw(st.integers(0, n // 2)), replace=False)
    fixed[some] = rng.choice(names, len(some))
    banned = []
    for row in rng.choice(n, draw(st.integers(0, n // 2)), replace=False):
        spared = fixed[row] if fixed[row] >= 0 else rng.choice(names)
        banned += [(row, owner) for owner in names if owner != spared and rng.random() < 0.6]
    vectors = unit_rows(rng.normal(size=(n, 6)).astype(np.float32))
    if draw(st.booleans()):
        vectors = vectors[rng.integers(0, max(2, n // 3), n)]  # many duplicates
    metric: Metric = draw(st.sampled_from(["cosine", "euclidean"]))
    pairs = np.array(banned, dtype=np.int64).reshape(-1, 2)
    return _Case(vectors, owners, fixed, pairs, draw(st.booleans()), metric)


@given(_cases())
@settings(max_examples=80, deadline=None)
def test_constraints_always_hold(case: _Case) -> None:
    k = len(case.owners)
    kmeans = KMeans(
        n_clusters=k, n_init=2, init=case.vectors[:k] if case.warm else None, metric=case.metric
    )
    labels = kmeans.fit_predict(
        case.vectors, fixed=case.fixed, banned=case.banned, owners=case.owners
    )
    found = kmeans.owners_[kmeans.labels_]
    is_fixed = case.fixed >= 0
    assert np.array_equal(found[is_fixed], case.fixed[is_fixed])
    assert not any(found[row] == owner for row, owner in case.banned)
    # No cluster is empty, and each row has the nearest of the centroids that it may have.
    assert np.bincount(labels, minlength=len(kmeans.cluster_centers_)).min() >= 1
    assert len(kmeans.owners_) == len(kmeans.cluster_centers_)
    centroids = kmeans.cluster_centers_.astype(np.float64)
    distances = ((case.vectors[:, None, :] - centroids) ** 2).sum(axis=2)
    own = distances[np.arange(len(labels)), labels].copy()
    distances[is_fixed] += 99 * (kmeans.owners_ != case.fixed[is_fixed, None])
    for row, owner in case.banned:
        distances[row] += 99 * (kmeans.owners_ == owner)
    assert own == pytest.approx(distances.min(axis=1), abs=1e-5)


@given(st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_empty_constraints_change_nothing(seed: int) -> None:
    vectors = unit_rows(_mixture(80, 8, 5, seed=seed))
    plain, empty = (KMeans(n_clusters=5, n_init=2, random_state=seed) for _ in range(2))
    plain.fit_predict(vectors)
    empty.fit_predict(
        vectors,
        fixed=np.full(80, -1),
        banned=np.empty((0, 2), np.int64),
        owners=np.arange(5) + 7,
    )
    assert np.array_equal(plain.labels_, empty.labels_)
    assert np.array_equal(plain.cluster_centers_, empty.cluster_centers_)
    assert np.array_equal(empty.owners_, np.arange(5) + 7)
    assert np.array_equal(empty.owners_[empty.labels_], plain.labels_ + 7)


def test_a_fixed_image_draws_its_centroid() -> None:
    # Constrained K-means: what is fixed counts in the mean of its cluster.
    draw = np.random.default_rng(0)
    left, right = draw.normal(-5, 0.1, (40, 2)), draw.normal(5, 0.1, (40, 2))
    vectors = np.vstack([left, right]).astype(np.float32)
    fixed = np.full(80, -1)
    fixed[:10] = 1
    kmeans = KMeans(n_clusters=2, init=vectors[[0, 79]], metric="euclidean")
    labels = kmeans.fit_predict(vectors, fixed=fixed)
    for cluster, centroid in enumerate(kmeans.cluster_centers_):
        assert centroid == pytest.approx(vectors[labels == cluster].mean(axis=0), abs=1e-4)
    assert set(kmeans.owners_[kmeans.labels_][:10]) == {1}


@pytest.mark.parametrize("fixed_to", [None, 2])
def test_a_cold_start_keeps_what_an_owner_means(fixed_to: int | None) -> None:
    # What is banned from the group at the left has to be banned from that of a cold start too,
    # which draws the groups in any order.
    draw = np.random.default_rng(1)
    centres = np.array([[0, 9], [-9, 0], [9, 0]])
    truth = np.repeat([0, 1, 2], 30)
    vectors = (centres[truth] + draw.normal(0, 0.3, (90, 2))).astype(np.float32)
    fixed = np.full(90, -1)
    if fixed_to is not None:
        fixed[60:70] = fixed_to
    held = row_constraints(90, 3, fixed=fixed, banned=np.array([[30, 1]]))
    space, like = metric_space(vectors, "euclidean"), (centres + 2).astype(np.float32)
    for seed in range(8):
        start = cold_start(space, 3, seed=seed, constraints=held, like=like)
        assert start == pytest.approx(centres, abs=1.5)


def test_the_owner_of_two_centroids_has_both() -> None:
    draw = np.random.default_rng(2)
    centres = np.array([[0, 9], [-9, 0], [9, 0]])
    truth = np.repeat([0, 1, 2], 30)
    vectors = (centres[truth] + draw.normal(0, 0.3, (90, 2))).astype(np.float32)
    fixed = np.full(90, -1)
    fixed[[0, 30]] = 4
    fixed[60] = 8
    kmeans = KMeans(n_clusters=3, metric="euclidean", init=centres.astype(np.float32))
    labels = kmeans.fit_predict(vectors, fixed=fixed, owners=np.array([4, 4, 8]))
    assert np.array_equal(kmeans.owners_[kmeans.labels_], np.array([4, 4, 8])[truth])
    assert labels[0] != labels[30]


@pytest.mark.parametrize(
    ("fixed", "banned", "message"),
    [
        ({3: 1}, [(3, 1)], "image 3 is fixed to 1 and banned from it"),
        ({}, [(5, 0), (5, 1), (5, 2)], "image 5 is banned everywhere"),
        ({}, [(5, 0), (5, 0), (5, 1), (5, 77)], None),
        ({2: 9}, [], "images are fixed to 9, which has no centroid"),
        ({}, [(50, 1)], "an image is banned that is not among the 20"),
    ],
)
def test_contradictions_are_described_in_one_line(
    fixed: dict[int, int], banned: list[tuple[int, int]], message: str | None
) -> None:
    vectors = unit_rows(_mixture(20, 4, 3))
    wanted = np.full(20, -1)
    for row, owner in fixed.items():
        wanted[row] = owner
    kmeans = KMeans(n_clusters=3, n_init=1)
    if message is None:
        kmeans.fit_predict(vectors, fixed=wanted, banned=np.array(banned))
        assert kmeans.owners_[kmeans.labels_][5] == 2
        return
    with pytest.raises(ClusteringError) as raised:
        kmeans.fit_predict(vectors, fixed=wanted, banned=np.array(banned).reshape(-1, 2))
    assert str(raised.value) == message


def test_arrays_that_do_not_fit_are_refused() -> None:
    vectors = unit_rows(_mixture(20, 4, 3))
    with pytest.raises(ClusteringError, match="2 owners and 20 fixed do not fit 3 clusters of 20"):
        KMeans(n_clusters=3).fit_predict(vectors, owners=np.array([1, 2]))


def test_a_sample_keeps_the_constraints() -> None:
    vectors = unit_rows(_mixture(500, 8, 6))
    fixed = np.full(500, -1)
    fixed[::50] = np.arange(10) % 4
    banned = np.array([[row, row % 4] for row in range(1, 500, 7) if fixed[row] < 0])
    kmeans = KMeans(n_clusters=4, n_init=2, max_points=120)
    kmeans.fit_predict(vectors, fixed=fixed, banned=banned)
    assert 120 <= kmeans.n_trained_on_ < 250
    assert f"trained on {kmeans.n_trained_on_} of 500" in kmeans.algorithm_
    assert np.array_equal(kmeans.owners_[kmeans.labels_][fixed >= 0], fixed[fixed >= 0])
    assert not any(kmeans.owners_[kmeans.labels_][row] == owner for row, owner in banned)


def test_space_keeps_the_rows_that_are_taken() -> None:
    space = metric_space(2 * unit_rows(_mixture(30, 4, 2)), "cosine")
    rows = np.array([3, 8, 21])
    assert isinstance(space.subset(rows), MetricSpace)
    assert np.array_equal(space.subset(rows).take(slice(0, 3)), space.take(rows))
