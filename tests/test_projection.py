"""Maps: t-SNE's forces against plain sums, what a map keeps, and all that is small or alike."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from organizer.errors import PluginError
from organizer.reduce import tsne
from organizer.reduce.neighbours import normalised
from organizer.reduce.projection import Method, project, scaled
from organizer.types import Labels, Vectors
from tests.test_reduce import needs_umap

Points = NDArray[np.float32]


def _groups(n: int, k: int, *, dim: int = 64, spread: float = 0.4) -> tuple[Vectors, Labels]:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, k, n)
    noise = draw.normal(scale=spread / np.sqrt(dim), size=(n, dim))
    centres = normalised(draw.normal(size=(k, dim)).astype(np.float32))
    return normalised((centres[labels] + noise).astype(np.float32)), labels


def _purity(xy: Points, labels: Labels, k: int = 5) -> float:
    """How many of the k nearest on the map are of one's own group."""
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    nearest = np.argsort(apart, axis=1)[:, :k]
    return float((labels[nearest] == labels[:, None]).mean())


def _sums(xy: Points) -> tuple[NDArray[np.float64], float]:
    """The repulsive forces and Z, by the definition and in double precision."""
    points = xy.astype(np.float64)
    force, total = np.zeros_like(points), 0.0
    for i, point in enumerate(points):
        differences = np.delete(point - points, i, axis=0)
        kernel = 1 / (1 + (differences**2).sum(axis=1))
        force[i] = (kernel[:, None] ** 2 * differences).sum(axis=0)
        total += kernel.sum()
    return force, total


@pytest.mark.parametrize("extent", [1e-4, 3.0, 40.0, 120.0])
def test_the_grid_gives_what_the_sum_over_all_pairs_gives(extent: float) -> None:
    xy = np.random.default_rng(0).uniform(-extent / 2, extent / 2, (700, 2)).astype(np.float32)
    xy[:, 1] *= 0.3
    force, total = _sums(xy)
    found, z = tsne.ForceGrid().push(xy)
    assert z == pytest.approx(total, rel=0.01)
    # An error of a few per cent of one pair's largest force, 0.65, whatever the extent.
    assert np.abs(found - force).max() < 0.02 * 0.65 + 0.02 * np.abs(force).max()


def test_all_pairs_give_the_sum_too() -> None:
    xy = np.random.default_rng(0).normal(size=(60, 2), scale=3).astype(np.float32)
    force, total = _sums(xy)
    found, z = tsne.exact_push(xy)
    assert found == pytest.approx(force, abs=1e-4)
    assert z == pytest.approx(total, rel=1e-5)


def test_affinities_are_a_distribution_of_the_perplexity_asked() -> None:
    points = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    apart = np.sort(squared, axis=1)[:, 1:91]
    p = tsne.conditional(apart, 12.0).astype(np.float64)
    assert np.exp(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=1)) == pytest.approx(
        np.full(200, 12.0), rel=1e-3
    )
    edges = tsne.affinities(points, 12.0)
    assert 2 * edges.matrix.data.sum() == pytest.approx(1.0)
    assert (np.repeat(np.arange(200), edges.counts) < edges.columns).all()


def test_the_pull_is_the_sum_over_the_edges() -> None:
    draw = np.random.default_rng(0)
    points, xy = draw.normal(size=(80, 6)), draw.normal(size=(80, 2))
    edges = tsne.affinities(points.astype(np.float32), 8.0)
    p = edges.matrix.toarray().astype(np.float64)
    p += p.T
    differences = xy[:, None] - xy[None]
    kernel = 1 / (1 + (differences**2).sum(axis=2))
    wanted = np.einsum("ij,ijc->ic", p * kernel, differences)
    assert edges.pull(xy.astype(np.float32)) == pytest.approx(wanted, abs=1e-6)


def test_tsne_keeps_groups_together_that_components_mix() -> None:
    vectors, labels = _groups(240, 20)
    assert _purity(project(vectors, method="tsne"), labels) > 0.97
    assert _purity(project(vectors, method="pca"), labels) < 0.9


@pytest.mark.slow
def test_tsne_on_the_grid_keeps_groups_together() -> None:
    vectors, labels = _groups(1_500, 30)
    found = project(vectors, method="tsne")
    assert _purity(found, labels) > 0.97
    assert np.array_equal(found, project(vectors, method="tsne"))


def test_pca_is_the_first_two_components() -> None:
    vectors, _ = _groups(120, 4)
    _, _, directions = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    wanted = vectors @ directions[:2].T
    wanted = (wanted - (wanted.max(axis=0) + wanted.min(axis=0)) / 2) / (np.ptp(wanted, axis=0) / 2)
    found = project(vectors, method="pca")
    found = found / np.abs(found).max(axis=0)
    assert np.abs(found) == pytest.approx(np.abs(wanted), abs=1e-3)


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 40])
@pytest.mark.parametrize("kind", ["drawn", "alike", "copies", "half"])
def test_a_map_is_finite_and_fills_its_square(method: Method, n: int, kind: str) -> None:
    drawn = normalised(np.random.default_rng(0).normal(size=(n, 16)).astype(np.float32))
    vectors = {
        "drawn": drawn,
        "alike": np.repeat(drawn[:1], n, axis=0),
        "copies": np.repeat(drawn, 3, axis=0),
        "half": drawn,
    }[kind]
    given = vectors.astype(np.float16) if kind == "half" else vectors
    _holds(project(given, method=method), len(given))


def _holds(xy: Points, n: int) -> None:
    assert xy.shape == (n, 2)
    assert xy.dtype == np.float32
    assert np.isfinite(xy).all()
    assert np.abs(xy).max() <= 1
    extent = np.ptp(xy, axis=0).max()
    assert extent == pytest.approx(2, abs=1e-4) or extent == 0


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_the_same_seed_gives_the_same_map(method: Method) -> None:
    vectors, _ = _groups(100, 4)
    first, second = (project(vectors, method=method, seed=3) for _ in range(2))
    assert np.array_equal(first, second)


def test_progress_goes_to_one() -> None:
    told: list[float] = []
    project(_groups(50, 3)[0], method="tsne", progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 100


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 2), min_size=1, max_size=20),
)
def test_scaling_keeps_the_shape(points: list[tuple[float, float]]) -> None:
    xy = np.array(points, dtype=np.float32)
    found = scaled(xy)
    assert np.abs(found).max() <= 1
    half = np.ptp(xy.astype(np.float64), axis=0).max() / 2
    if half > 0:
        wanted = (xy - xy[0].astype(np.float64)) / half
        assert found - found[0] == pytest.approx(wanted, abs=1e-5)
    else:
        assert not found.any()


def test_umap_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(PluginError, match="UMAP is not installed") as raised:
        project(_groups(20, 2)[0], method="umap")
    assert "organizer-photos[umap]" in raised.value.hint


@needs_umap
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # numba talks to programmers while it compiles
def test_umap_keeps_groups_together_and_takes_what_is_small_or_alike() -> None:
    vectors, labels = _groups(300, 12)
    first, second = (project(vectors, method="umap", seed=1) for _ in range(2))
    assert np.array_equal(first, second)
    assert _purity(first, labels) > 0.95
    for n in (1, 2, 3, 4, 5, 20):
        _holds(project(vectors[:n], method="umap"), n)
        _holds(project(np.repeat(vectors[:1], n, axis=0), method="umap"), n)
