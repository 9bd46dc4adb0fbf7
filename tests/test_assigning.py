"""New images assigned to clusters: which are assigned, unassigned or novel; no other one moves."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from organizer.cluster.incremental import unit_rows
from organizer.library import Library
from organizer.library.clustering.space import ClusterSpace
from organizer.library.ingest.assign import Assigner
from organizer.library.ingest.late import assign_late
from organizer.store import clusterings
from organizer.types import NOISE, AssignmentState, Vectors
from tests.cards import (
    blobs,
    cluster_of,
    decide,
    fill,
    id_of,
    ids_of,
    ingest,
    library_at,
    members,
    truth_of,
    where,
)
from tests.conftest import examples

SIZES = [40, 30, 50]
# A cosine of float32 vectors is a sum of 16 products, added in an order that depends on how many
# rows a batch has: each sum is off by 16 half epsilons at most, two by 16 epsilons.
ROUNDING = 16 * float(np.finfo(np.float32).eps)


@pytest.fixture(params=["none", "smooth"])
def clustered(tmp_path: Path, request: pytest.FixtureRequest) -> Library:
    """Three clusters of 40, 30 and 50 images."""
    library = library_at(tmp_path)
    fill(library, ids_of(range(120)), blobs(SIZES))
    library.recluster(k=3, reduce=request.param)
    return library


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a library with three clusters, to copy."""
    folder = tmp_path_factory.mktemp("three")
    library = library_at(folder)
    fill(library, ids_of(range(120)), blobs(SIZES))
    library.recluster(k=3)
    return folder


def current_id(library: Library) -> int:
    current = library.store.clusterings.current()
    assert current is not None
    return current.clustering_id


def test_new_images_are_assigned_to_the_cluster_of_their_kind(clustered: Library) -> None:
    before = where(clustered)
    joined, finished = ingest(clustered, ids_of(range(200, 260)), blobs([20, 20, 20], seed=5))
    assert finished.novel == ()
    first = [cluster_of(clustered, ids_of(range(40))), *_clusters_of_rest(clustered)]
    for image_id, cluster_id, kind in zip(
        joined.image_ids, joined.cluster_ids, truth_of([20, 20, 20]), strict=True
    ):
        assert cluster_id in {first[kind], NOISE}, image_id
    assert joined.unassigned.mean() < 0.15
    assert {i: c for i, c in where(clustered).items() if i in before} == before


def _clusters_of_rest(library: Library) -> list[int]:
    return [
        cluster_of(library, ids_of(range(40, 70))),
        cluster_of(library, ids_of(range(70, 120))),
    ]


def test_images_of_a_new_kind_are_unassigned_and_enough_of_them_are_a_novel_cluster(
    clustered: Library,
) -> None:
    few, finished = ingest(clustered, ids_of(range(200, 205)), blobs([5], first=7, seed=1))
    assert few.unassigned.all()
    assert finished.novel == ()
    after = members(clustered)
    assert after.unassigned.sum() == 5
    assert (after.cluster_ids[after.unassigned] == NOISE).all()
    assert set(after.candidates[after.unassigned]) <= {1, 2, 3}
    _, finished = ingest(clustered, ids_of(range(300, 306)), blobs([6], first=7, seed=2))
    assert [(b.cluster_id, b.images) for b in finished.novel] == [(4, 11)]
    assert cluster_of(clustered, [*ids_of(range(200, 205)), *ids_of(range(300, 306))]) == 4
    models = clustered.store.clusterings.models(current_id(clustered))
    assert models.ids == [1, 2, 3, 4]
    assert models.origins[-1].startswith("ingest ")
    assert models.counts.tolist()[-1] == 11
    more, _ = ingest(clustered, ids_of(range(400, 420)), blobs([20], first=7, seed=3))
    assert (more.cluster_ids == 4).mean() > 0.7, "and has room for its like"


def test_two_new_kinds_are_two_novel_clusters(clustered: Library) -> None:
    _, finished = ingest(clustered, ids_of(range(200, 250)), blobs([30, 20], first=7))
    assert [b.cluster_id for b in finished.novel] == [4, 5]
    assert finished.novel[0].images >= finished.novel[1].images
    at = where(clustered)
    assert {at[i] for i in ids_of(range(200, 230))} <= {4, NOISE}
    assert {at[i] for i in ids_of(range(230, 250))} <= {5, NOISE}


def test_what_lies_between_two_clusters_is_unsure_and_no_cluster(tmp_path: Path) -> None:
    """Two kinds that touch each other: new images between them are no third kind."""
    draw = np.random.default_rng(0)
    axes = np.eye(16, dtype=np.float32)
    ends = [axes[0], unit_rows((axes[0] + 0.6 * axes[1])[None])[0]]
    groups = [e + draw.normal(0, 0.08, (60, 16)) for e in ends]
    library = library_at(tmp_path)
    fill(library, ids_of(range(120)), unit_rows(np.concatenate(groups).astype(np.float32)))
    library.recluster(k=2, reduce="none")
    middle = (ends[0] + ends[1]) / 2 + draw.normal(0, 0.03, (14, 16))
    joined, finished = ingest(
        library, ids_of(range(200, 214)), unit_rows(middle.astype(np.float32))
    )
    assert joined.unassigned.mean() > 0.4
    assert finished.novel == ()


@settings(max_examples=examples(15, soak=40), deadline=None)
@given(
    sizes=st.lists(st.integers(3, 25), min_size=2, max_size=4),
    cards=st.lists(st.lists(st.integers(0, 15), min_size=4, max_size=4), min_size=1, max_size=3),
    seed=st.integers(0, 1_000),
)
def test_no_image_that_is_in_a_cluster_ever_moves_on_ingest(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], cards: list[list[int]], seed: int
) -> None:
    library = library_at(tmp_path_factory.mktemp("law"))
    fill(library, ids_of(range(sum(sizes))), blobs(sizes, seed=seed))
    library.recluster(k=len(sizes))
    first = 10_000
    for number, card in enumerate(cards):
        before = members(library)
        vectors = blobs(card, first=2, seed=seed + number + 1)
        ids = ids_of(range(first, first + sum(card)))
        first += sum(card)
        ingest(library, ids, vectors)
        after = members(library)
        rows = np.flatnonzero(np.isin(after.image_ids, before.image_ids))
        old, now = before.take(~before.unassigned), after.take(rows)
        now = now.take(np.isin(now.image_ids, old.image_ids))
        assert now.cluster_ids.tolist() == old.cluster_ids.tolist()
        assert now.distances.tobytes() == old.distances.tobytes()
        assert now.states.tolist() == old.states.tolist()
        assert len(after) == len(before) + sum(card), "and everybody is accounted for"


@settings(max_examples=examples(10, soak=40), deadline=None)
@example(batch=13, seed=398)  # distances that differ by 10 epsilons
@given(batch=st.integers(1, 40), seed=st.integers(0, 1_000))
def test_the_size_of_the_batches_decides_nothing(
    three: Path, tmp_path_factory: pytest.TempPathFactory, batch: int, seed: int
) -> None:
    """One ingest in pieces is the ingest in one: the same places, the same clusters after it."""
    new = blobs([14, 14, 0, 12], seed=seed)
    assume(not _rounding_chooses_a_neighbour(library_at(three), new))
    found = []
    for size in (None, batch):
        library = library_at(shutil.copytree(three, tmp_path_factory.mktemp("law") / "three"))
        ingest(library, ids_of(range(200, 240)), new, batch=size)
        models = library.store.clusterings.models(current_id(library))
        found.append((members(library), models))
    (one, first), (other, second) = found
    assert one.cluster_ids.tolist() == other.cluster_ids.tolist()
    assert one.states.tolist() == other.states.tolist()
    np.testing.assert_allclose(one.distances, other.distances, rtol=0, atol=ROUNDING)
    assert first.counts.tolist() == second.counts.tolist()
    np.testing.assert_allclose(first.means, second.means, atol=1e-7)
    assert first.mode_ids.tolist() == second.mode_ids.tolist()


def _rounding_chooses_a_neighbour(library: Library, new: Vectors) -> bool:
    """Whether two images are equally near to a new one, and only one is among its neighbours.

    The new one is then smoothed over either of them, which moves it by far more than rounding.
    """
    state = library.store.clusterings.space(current_id(library))
    whitened = unit_rows((unit_rows(new) - state["mean"]) @ state["matrix"]).astype(np.float64)
    nearest = -np.sort(-(whitened @ state["landmarks"].T), axis=1)
    k = int(state["n_neighbors"])
    return bool((nearest[:, k - 1] - nearest[:, k] < ROUNDING).any())


def test_the_centroids_are_the_exact_means_of_their_members(clustered: Library) -> None:
    for number in range(3):
        vectors = blobs([9, 7, 11], seed=20 + number)
        ingest(clustered, ids_of(range(1_000 * number + 500, 1_000 * number + 527)), vectors)
    current = clustered.store.clusterings.current()
    assert current is not None
    models = clustered.store.clusterings.models(current.clustering_id)
    at = members(clustered)
    ids, vectors = clustered.store.vectors.read(current.embedder)
    state = clustered.store.clusterings.space(current.clustering_id)
    vectors = ClusterSpace.restored(current.reducer, state).points(unit_rows(vectors))
    row_of = {image_id: row for row, image_id in enumerate(ids)}
    for row, cluster_id in enumerate(models.cluster_ids):
        mine = vectors[[row_of[i] for i in at.image_ids[at.cluster_ids == cluster_id]]]
        # Vectors are stored in half precision, and the running mean saw them before.
        np.testing.assert_allclose(models.means[row], mine.mean(axis=0), atol=1e-3)
        assert models.counts[row] == len(mine)


def test_a_second_ingest_is_compared_with_what_the_first_made(clustered: Library) -> None:
    made = clustered.store.clusterings.models(current_id(clustered))
    ingest(clustered, ids_of(range(500, 530)), blobs([30], seed=7))
    now = clustered.store.clusterings.models(current_id(clustered))
    assert now.counts.sum() > made.counts.sum()
    as_made = clustered.store.clusterings.models(current_id(clustered), as_made=True)
    assert as_made.counts.tolist() == made.counts.tolist()


# Decisions come before any distance ---------------------------------------------------------


def test_an_image_that_comes_back_goes_where_a_person_put_it(clustered: Library) -> None:
    """Its clustering was undone; the decision about it was not."""
    ingest(clustered, ids_of(range(500, 510)), blobs([10], seed=7))
    clustered.recluster(k=3)
    far = cluster_of(clustered, ids_of(range(70, 120)))
    decide(clustered, lambda editor: editor.move([id_of(0)], far))
    clustered.recluster(k=3)
    assert where(clustered)[id_of(0)] == far
    at = members(clustered)
    assert at.states[at.image_ids == id_of(0)].tolist() == [AssignmentState.DECIDED.value]


# What a kill leaves -------------------------------------------------------------------------


def test_members_are_counted_with_their_batch_though_the_ingest_never_ends(
    clustered: Library,
) -> None:
    current = clustered.store.clusterings.current()
    assert current is not None
    vectors = blobs([10, 10, 10], seed=5)
    fill(clustered, ids_of(range(200, 230)), vectors)
    made = clustered.store.clusterings.models(current.clustering_id)
    assigner = Assigner.open(clustered.store, current, seed=0)
    joined = assigner.assign(ids_of(range(200, 230)), vectors)  # and no finish
    now = clustered.store.clusterings.models(current.clustering_id)
    assert now.counts.sum() == made.counts.sum() + (~joined.unassigned).sum()


def test_a_novel_cluster_whose_storing_fails_was_never_there(
    clustered: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(clusterings, "write_arrays", cut)
    with pytest.raises(KeyboardInterrupt):
        ingest(clustered, ids_of(range(200, 220)), blobs([20], first=7))
    monkeypatch.undo()
    assert clustered.store.clusterings.models(current_id(clustered)).ids == [1, 2, 3]
    _, finished = ingest(clustered, ids_of(range(220, 225)), blobs([5], first=7, seed=3))
    assert [b.cluster_id for b in finished.novel] == [4]


def test_images_with_vectors_that_are_in_no_clustering_are_assigned_late(
    clustered: Library,
) -> None:
    fill(clustered, ids_of(range(200, 230)), blobs([10, 10, 10], seed=5))
    assign_late(clustered.store, clustered.store.clusterings.current(), seed=0)
    assert set(where(clustered)) == {*ids_of(range(120)), *ids_of(range(200, 230))}
    number = clustered.store.clusterings.last_ingest()
    assign_late(clustered.store, clustered.store.clusterings.current(), seed=0)
    assert clustered.store.clusterings.last_ingest() == number, "and once is enough"
