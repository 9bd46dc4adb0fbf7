"""Vectors in half precision, and the search for the nearest against brute force."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from organizer.errors import PluginError
from organizer.store import VectorTables
from organizer.store.database import Database
from organizer.types import EmbeddingBatch, PartSpec, Vectors

SPEC = PartSpec("painter", {"size": 3}, "v1")
HALF_STEP = 2.0**-11
HALF_SMALLEST = 2.0**-25
QUERY_ERROR = 4e-4
"""The query is compared in half precision too."""


@pytest.fixture
def tables(tmp_path: Path) -> VectorTables:
    return VectorTables(Database.create(tmp_path / "library"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> VectorTables:
    """Tables for many examples, each under a spec of its own."""
    return VectorTables(Database.create(tmp_path_factory.mktemp("shared") / "library"))


def id_of(number: int) -> str:
    return f"{number:032x}"


def batch_of(vectors: Vectors, first: int = 0) -> EmbeddingBatch:
    return EmbeddingBatch(tuple(id_of(first + i) for i in range(len(vectors))), vectors)


def filled(tables: VectorTables, vectors: Vectors, spec: PartSpec = SPEC) -> VectorTables:
    tables.create(spec, vectors.shape[1])
    tables.append(spec, batch_of(vectors))
    return tables


def gauss(n: int, dim: int, seed: int = 0) -> Vectors:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def clumps(n: int, dim: int, seed: int = 0) -> Vectors:
    """Points around twenty centres, the same for every seed, as photos of twenty kinds are."""
    centres = np.random.default_rng(20).normal(size=(20, dim))
    draw = np.random.default_rng(seed)
    return (centres[draw.integers(0, 20, n)] + 0.3 * draw.normal(size=(n, dim))).astype(np.float32)


def cosine_distances(vectors: Vectors, query: Vectors) -> NDArray[np.float64]:
    """Brute force in double precision, on what the store holds of the vectors."""
    held = vectors.astype(np.float16).astype(np.float64)
    wanted = query.astype(np.float64)
    lengths = np.linalg.norm(held, axis=1) * np.linalg.norm(wanted)
    return np.asarray(1 - held @ wanted / lengths)


# Storing ------------------------------------------------------------------------------------


_numbers = arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.just(5)),
    elements=st.floats(-65_000, 65_000, width=32),
)


@settings(max_examples=25, deadline=None)
@given(vectors=_numbers, seed=st.integers(0, 2**31))
def test_a_number_comes_back_within_half_a_step_of_half_precision(
    shared: VectorTables, vectors: Vectors, seed: int
) -> None:
    spec = PartSpec("half", {"seed": seed, "first": float(vectors[0, 0]), "n": len(vectors)})
    before = shared.count(spec)
    shared.create(spec, 5)
    shared.append(spec, batch_of(vectors, before))
    ids, stored = shared.read(spec)
    assert ids[before:] == batch_of(vectors, before).image_ids
    assert stored.dtype == np.float32
    error = np.abs(stored[before:] - vectors)
    assert (error <= np.maximum(HALF_STEP * np.abs(vectors), HALF_SMALLEST)).all()


def test_vectors_are_read_in_the_order_in_which_they_were_added(tables: VectorTables) -> None:
    vectors = gauss(10_000, 3)
    tables.create(SPEC, 3)
    bounds = [0, 1, 40, 40, 9_000, 10_000]
    for start, end in pairwise(bounds):
        tables.append(SPEC, batch_of(vectors[start:end], start))
    ids, stored = tables.read(SPEC)
    assert ids == batch_of(vectors).image_ids
    assert np.array_equal(stored, vectors.astype(np.float16).astype(np.float32))
    assert tables.count(SPEC) == 10_000


def test_the_vectors_of_some_images_are_theirs(tables: VectorTables) -> None:
    vectors = gauss(50, 4)
    filled(tables, vectors)
    found = tables.read_some(SPEC, [id_of(3), id_of(77), id_of(41), id_of(3)])
    assert set(found) == {id_of(3), id_of(41)}
    assert np.array_equal(found[id_of(41)], vectors[41].astype(np.float16).astype(np.float32))


def test_the_ids_that_have_a_vector_are_known(tables: VectorTables) -> None:
    filled(tables, gauss(30, 4))
    ids = tables.ids(SPEC)
    assert len(ids) == 30
    assert id_of(29) in ids
    assert id_of(30) not in ids


@pytest.mark.parametrize("value", [65_520.0, -1e6, 1e38, np.inf, -np.inf, np.nan])
def test_a_number_beyond_half_precision_is_refused_and_nothing_is_stored(
    tables: VectorTables, value: float
) -> None:
    tables.create(SPEC, 2)
    vectors = np.array([[1, 2], [3, value]], dtype=np.float32)
    with pytest.raises(PluginError, match="painter") as caught:
        tables.append(SPEC, batch_of(vectors))
    assert caught.value.hint
    assert tables.count(SPEC) == 0


def test_the_largest_number_of_half_precision_is_stored(tables: VectorTables) -> None:
    filled(tables, np.array([[65_504, -65_504]], dtype=np.float32))
    assert tables.read(SPEC)[1].tolist() == [[65_504, -65_504]]


def test_an_embedder_without_images_has_nothing(tables: VectorTables) -> None:
    assert tables.count(SPEC) == 0
    assert len(tables.ids(SPEC)) == 0
    assert tables.specs() == ()
    tables.create(SPEC, 7)
    ids, vectors = tables.read(SPEC)
    assert ids == ()
    assert vectors.shape == (0, 7)
    assert tables.read_some(SPEC, [id_of(1)]) == {}
    assert tables.nearest(SPEC, np.ones(7, np.float32), 5) == []
    tables.append(SPEC, batch_of(np.empty((0, 7), np.float32)))
    tables.keep_index(SPEC)
    assert tables.count(SPEC) == 0


def test_embedders_are_kept_apart_in_the_order_in_which_they_came(
    tables: VectorTables,
) -> None:
    specs = [PartSpec("one"), PartSpec("one", {}, "another version"), PartSpec("two")]
    for n, spec in enumerate(specs, start=2):
        filled(tables, gauss(n, n + 5), spec)
    assert tables.specs() == tuple(specs)
    assert [tables.read(spec)[1].shape for spec in specs] == [(2, 7), (3, 8), (4, 9)]


def test_making_a_table_again_changes_nothing(tables: VectorTables) -> None:
    filled(tables, gauss(3, 2))
    tables.create(SPEC, 2)
    assert tables.count(SPEC) == 3


# Searching ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 3, 64])
@pytest.mark.parametrize("limit", [1, 10, 500])
def test_the_nearest_are_those_of_brute_force(tables: VectorTables, dim: int, limit: int) -> None:
    vectors = gauss(300, dim, seed=dim)
    filled(tables, vectors)
    for query in gauss(5, dim, seed=99):
        found = tables.nearest(SPEC, query, limit)
        exact = cosine_distances(vectors, query)
        distances = [distance for _, distance in found]
        assert distances == sorted(distances)
        assert len({image_id for image_id, _ in found}) == min(limit, 300)
        np.testing.assert_allclose(distances, np.sort(exact)[:limit], atol=QUERY_ERROR)
        for image_id, distance in found:
            assert distance == pytest.approx(exact[int(image_id, 16)], abs=QUERY_ERROR)


def test_the_length_of_a_query_does_not_matter(tables: VectorTables) -> None:
    filled(tables, gauss(100, 8))
    query = gauss(1, 8, seed=5)[0]
    short, long = (tables.nearest(SPEC, query * scale, 10) for scale in (0.01, 1000))
    assert [image_id for image_id, _ in short] == [image_id for image_id, _ in long]


def test_a_stored_vector_is_its_own_nearest_at_no_distance(tables: VectorTables) -> None:
    vectors = gauss(100, 16)
    filled(tables, vectors)
    image_id, distance = tables.nearest(SPEC, vectors[37], 1)[0]
    assert image_id == id_of(37)
    assert 0 <= distance < 1e-5


def test_equally_near_images_are_ordered_by_id(tables: VectorTables) -> None:
    filled(tables, np.ones((6, 3), np.float32))
    found = tables.nearest(SPEC, np.ones(3, np.float32), 6)
    assert [image_id for image_id, _ in found] == [id_of(i) for i in range(6)]


def test_an_image_without_direction_disturbs_no_other(tables: VectorTables) -> None:
    """A black picture may well be a vector of zeros, which has no cosine."""
    vectors = np.concatenate([np.zeros((1, 4), np.float32), gauss(20, 4)])
    filled(tables, vectors)
    query = gauss(1, 4, seed=8)[0]
    found = [image_id for image_id, _ in tables.nearest(SPEC, query, 10) if image_id != id_of(0)]
    exact = 1 + np.argsort(cosine_distances(vectors[1:], query), kind="stable")
    assert found[:9] == [id_of(int(row)) for row in exact[:9]]


# The index ----------------------------------------------------------------------------------


def indexed(tmp_path: Path, vectors: Vectors, *, index_from: int = 2_000) -> VectorTables:
    database = Database.create(tmp_path / "indexed")
    numbers = index_from * vectors.shape[1]
    tables = filled(VectorTables(database, index_from=numbers), vectors)
    tables.keep_index(SPEC)
    return tables


def indexes_of(tables: VectorTables) -> list[int]:
    """How many rows each index of the table covers."""
    dataset = tables._database.dataset(tables.table_name(SPEC))
    return [int(index.num_rows_indexed) for index in dataset.describe_indices()]


def segments_of(tables: VectorTables) -> int:
    dataset = tables._database.dataset(tables.table_name(SPEC))
    return sum(len(index.segments) for index in dataset.describe_indices())


def recall(tables: VectorTables, vectors: Vectors, queries: Vectors) -> float:
    hits = 0
    for query in queries:
        exact = set(np.argsort(cosine_distances(vectors, query))[:10].tolist())
        hits += len(exact & {int(i, 16) for i, _ in tables.nearest(SPEC, query, 10)})
    return hits / (10 * len(queries))


def test_above_the_threshold_an_index_finds_nine_of_ten_nearest(tmp_path: Path) -> None:
    vectors = clumps(4_000, 64)
    tables = indexed(tmp_path, vectors)
    assert indexes_of(tables) == [4_000]
    assert recall(tables, vectors, clumps(40, 64, seed=1)) >= 0.9
    query = vectors[1234]
    exact = cosine_distances(vectors, query)
    found = tables.nearest(SPEC, query, 10)
    assert found[0][0] == id_of(1234)
    for image_id, distance in found:
        assert distance == pytest.approx(exact[int(image_id, 16)], abs=1e-3)


def test_below_the_threshold_there_is_no_index(tmp_path: Path) -> None:
    assert indexes_of(indexed(tmp_path, clumps(1_999, 16))) == []


def test_vectors_that_came_after_the_index_are_found(tmp_path: Path) -> None:
    tables = indexed(tmp_path, clumps(2_500, 64))
    late = gauss(3, 64, seed=3) * 2
    tables.append(SPEC, batch_of(late, 50_000))
    tables.keep_index(SPEC)
    assert indexes_of(tables) == [2_500], "a few newcomers are no reason to extend it"
    assert [tables.nearest(SPEC, query, 1)[0][0] for query in late] == [
        id_of(50_000 + i) for i in range(3)
    ]


def test_an_index_is_extended_while_vectors_come(tmp_path: Path) -> None:
    """An ingest takes hours: its images are searched before it ends."""
    vectors = clumps(16_000, 32)
    tables = indexed(tmp_path, vectors[:9_000])
    for start in range(9_000, 16_000, 500):
        tables.append(SPEC, batch_of(vectors[start : start + 500], start))
        assert start + 500 - indexes_of(tables)[0] < 2_048
    assert recall(tables, vectors, clumps(20, 32, seed=1)) >= 0.95
    assert recall(tables, vectors, vectors[-20:]) >= 0.95
    tables.keep_index(SPEC)
    assert recall(tables, vectors, vectors[-20:]) >= 0.95


def test_an_index_that_is_small_for_its_vectors_is_made_again(tmp_path: Path) -> None:
    vectors = clumps(6_000, 32)
    tables = indexed(tmp_path, vectors[:2_500])
    tables.append(SPEC, batch_of(vectors[2_500:], 2_500))
    tables.keep_index(SPEC)
    assert indexes_of(tables) == [6_000]
    assert segments_of(tables) == 1
    assert recall(tables, vectors, clumps(20, 32, seed=1)) >= 0.95


def test_the_segments_of_an_index_stay_few(tmp_path: Path) -> None:
    vectors = clumps(40_000, 8)
    tables = indexed(tmp_path, vectors[:9_000])
    for start in range(9_000, 40_000, 2_048):
        tables.append(SPEC, batch_of(vectors[start : start + 2_048], start))
        assert segments_of(tables) <= 4


@pytest.mark.parametrize("dim", [16, 64, 256])
@pytest.mark.parametrize("kind", ["alike", "unlike"])
def test_queries_unlike_all_vectors_lose_few_of_their_nearest(
    tmp_path: Path, dim: int, kind: str
) -> None:
    vectors = clumps(8_000, dim)
    tables = indexed(tmp_path, vectors)
    queries = clumps(30, dim, seed=1) if kind == "alike" else gauss(30, dim, seed=2)
    assert recall(tables, vectors, queries) >= 0.95


@pytest.mark.parametrize("dim", [1, 6, 100])
def test_any_length_of_vector_can_be_indexed(tmp_path: Path, dim: int) -> None:
    """A plugin's vectors are as long as it likes; the search stays right above the threshold."""
    vectors = clumps(2_100, dim)
    tables = indexed(tmp_path, vectors)
    for query in clumps(5, dim, seed=1):
        best = np.sort(cosine_distances(vectors, query))[:10]
        found = [distance for _, distance in tables.nearest(SPEC, query, 10)]
        np.testing.assert_allclose(found, best, atol=2e-3)


def test_a_library_of_one_picture_over_and_over_can_be_indexed(tmp_path: Path) -> None:
    tables = indexed(tmp_path, np.ones((2_100, 16), np.float32))
    found = tables.nearest(SPEC, np.ones(16, np.float32), 5)
    assert [round(distance, 4) for _, distance in found] == [0] * 5
