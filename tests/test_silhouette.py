"""The silhouette against scikit-learn and its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organizer.cluster.incremental import unit_rows
from organizer.evaluate import internal
from organizer.evaluate.internal import silhouette
from organizer.types import Labels, Silhouette, Vectors


def _groups(n: int, k: int, dim: int, *, spread: float, seed: int = 0) -> tuple[Vectors, Labels]:
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, k, n)
    centres = draw.normal(size=(k, dim))
    return unit_rows(
        (centres[labels] + spread * draw.normal(size=(n, dim))).astype(np.float32)
    ), labels


def _theirs(vectors: Vectors, labels: Labels) -> Silhouette:
    from sklearn.metrics import silhouette_samples

    values = silhouette_samples(vectors.astype(np.float64), labels)
    each = {int(i): float(values[labels == i].mean()) for i in np.unique(labels)}
    return Silhouette(
        mean=float(values.mean()),
        per_cluster=each,
        n_scored=len(labels),
        sampled=False,
        standard_error=0.0,
        rows=np.arange(len(labels)),
        values=values,
    )


def _is_close(found: Silhouette | None, wanted: Silhouette) -> None:
    assert found is not None
    assert found.mean == pytest.approx(wanted.mean, abs=1e-5)
    assert found.per_cluster == pytest.approx(wanted.per_cluster, abs=1e-5)
    np.testing.assert_array_equal(found.rows, wanted.rows)
    np.testing.assert_allclose(found.values, wanted.values, atol=1e-3)


@pytest.mark.parametrize("spread", [1e-4, 0.01, 0.3, 2.0])
@pytest.mark.parametrize(("n", "k", "dim"), [(900, 7, 64), (1_500, 300, 16), (2_100, 2, 512)])
def test_it_is_that_of_scikit_learn(n: int, k: int, dim: int, spread: float) -> None:
    vectors, labels = _groups(n, k, dim, spread=spread)
    _is_close(silhouette(vectors, labels), _theirs(vectors, labels))


def test_it_is_that_of_scikit_learn_where_all_lie_in_a_narrow_cone() -> None:
    vectors, labels = _groups(700, 5, 128, spread=0.5)
    narrow = unit_rows(np.ones((1, 128), np.float32) + np.float32(0.02) * vectors)
    _is_close(silhouette(narrow, labels), _theirs(narrow, labels))


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = _groups(400, 9, 32, spread=0.5)
    whole = silhouette(vectors, labels)
    monkeypatch.setattr(internal, "_ROWS", 37)
    monkeypatch.setattr(internal, "_COLUMNS", 11)
    parts = silhouette(vectors, labels)
    assert whole is not None
    _is_close(parts, whole)


def test_duplicates_have_no_distance() -> None:
    vectors = np.repeat(np.eye(3, 8, dtype=np.float32), 50, axis=0)
    found = silhouette(vectors, np.repeat([0, 1, 2], 50))
    assert found is not None
    assert found.mean == 1.0
    mixed = np.tile([0, 1], 75)
    _is_close(silhouette(vectors, mixed), _theirs(vectors, mixed))


def test_a_cluster_of_one_has_silhouette_zero() -> None:
    vectors, labels = _groups(60, 3, 16, spread=0.2)
    labels[0] = 7
    found = silhouette(vectors, labels)
    assert found is not None
    assert found.per_cluster[7] == 0.0
    _is_close(found, _theirs(vectors, labels))


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(8, 40))
@settings(max_examples=40, deadline=None)
def test_any_labels_are_scored_as_by_scikit_learn(seed: int, k: int, n: int) -> None:
    draw = np.random.default_rng(seed)
    labels = np.append(draw.integers(0, k, n), [0, 0, 1])
    vectors = unit_rows(draw.normal(size=(len(labels), 5)).astype(np.float32))
    vectors[1] = vectors[0]
    _is_close(silhouette(vectors, labels), _theirs(vectors, labels))


def test_a_sample_is_compared_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.metrics import silhouette_samples

    vectors, labels = _groups(3_000, 12, 32, spread=1.5)
    monkeypatch.setattr(internal, "_EXACT_UP_TO", 1_000)
    monkeypatch.setattr(internal, "_SCORED", 400)
    values = silhouette_samples(vectors, labels)
    errors = []
    for seed in range(30):
        found = silhouette(vectors, labels, seed=seed)
        assert found is not None
        assert (found.sampled, found.n_scored) == (True, 400)
        rows = np.sort(np.random.default_rng(seed).choice(3_000, 400, replace=False))
        assert found.mean == pytest.approx(values[rows].mean(), abs=1e-5)
        assert found == silhouette(vectors, labels, seed=seed)
        errors.append((found.mean - values.mean()) / found.standard_error)
    assert 0.7 < np.std(errors) < 1.4  # the standard error tells how far off the mean is


def test_an_exact_one_has_no_standard_error() -> None:
    found = silhouette(*_groups(100, 3, 8, spread=0.5))
    assert found is not None
    assert found.standard_error == 0.0


def test_vectors_stored_as_float16_have_the_silhouette_of_their_values() -> None:
    vectors, labels = _groups(500, 5, 64, spread=0.5)
    half = vectors.astype(np.float16)
    found = silhouette(half, labels)  # type: ignore[arg-type]
    _is_close(found, _theirs(half.astype(np.float32), labels))
