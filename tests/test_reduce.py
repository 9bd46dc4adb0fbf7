"""PCA against scikit-learn's own; UMAP where it is installed."""

from __future__ import annotations

import importlib.util
import sys
import warnings

import numpy as np
import pytest

from organizer.cluster.incremental import unit
from organizer.errors import PluginError
from organizer.protocols import Reducer
from organizer.reduce import pca, umap
from organizer.types import Vectors

needs_umap = pytest.mark.skipif(
    importlib.util.find_spec("umap") is None,
    reason="NOT TESTED: umap-learn is not installed; pip install 'organizer[umap]'",
)


def _vectors(n: int, dim: int, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32))


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
    vectors = unit(centres + 0.05 * _vectors(60, 20))
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
    assert "organizer[umap]" in raised.value.hint
