"""A person's decisions: what each does, that it holds for good, and that undo takes it back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from organizer.errors import ClusteringError, OrganizerError, SettingsError, StoreError
from organizer.library import Library
from organizer.library.corrections.editor import Editor
from organizer.library.corrections.requests import (
    ExcludeImages,
    MakeCluster,
    MergeClusters,
    MoveImages,
    RenameCluster,
)
from organizer.store import DecisionTable
from organizer.store.database import Database
from organizer.types import NOISE, AssignmentState, DecisionKind
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
    where,
)
from tests.conftest import examples

SIZES = [20, 16, 24, 12]
FIRST, SECOND, THIRD, FOURTH = (
    ids_of(range(20)),
    ids_of(range(20, 36)),
    ids_of(range(36, 60)),
    ids_of(range(60, 72)),
)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Four clusters of 20, 16, 24 and 12 images."""
    found = library_at(tmp_path)
    fill(found, ids_of(range(72)), blobs(SIZES))
    found.recluster(k=4)
    return found


def state_of(library: Library, image_id: str) -> str:
    found = members(library)
    return str(found.states[found.image_ids == image_id][0])


# Merge --------------------------------------------------------------------------------------


def test_merged_clusters_are_one_for_good(library: Library) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    report = library.corrections.merge([one, other])
    assert report.lineage.merged[0].sources == tuple(sorted((one, other)))
    assert report.lineage.retired == (other,)
    assert cluster_of(library, [*FIRST, *SECOND]) == one
    for k in (3, 5, 4):
        library.recluster(k=k)
        assert cluster_of(library, [*FIRST, *SECOND]) == one, "though they lie far apart"
    ingest(library, ids_of(range(100, 120)), blobs([10, 10], seed=3))
    at = where(library)
    assert {at[i] for i in ids_of(range(100, 120))} <= {one, NOISE}


def test_the_modes_of_a_merged_cluster_keep_their_own_centroids(library: Library) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    library.corrections.merge([one, other])
    library.recluster(k=3, reduce="none")
    current = library.store.clusterings.current()
    assert current is not None
    models = library.store.clusterings.models(current.clustering_id)
    assert models.ids == sorted({*where(library).values()})
    modes = models.centroids[models.cluster_ids == one]
    assert len(modes) == 2
    assert sorted(modes.argmax(axis=1).tolist()) == [0, 1]


def test_several_clusters_can_be_merged_at_once_and_the_name_goes_along(library: Library) -> None:
    ids = [cluster_of(library, group) for group in (FIRST, SECOND, THIRD)]
    library.corrections.rename(ids[2], "Fox")
    library.corrections.merge(ids)
    assert library.clusters.name_of(ids[0]) == "Fox"
    assert cluster_of(library, [*FIRST, *SECOND, *THIRD]) == ids[0]


# Split --------------------------------------------------------------------------------------


def test_the_parts_of_a_split_cluster_stay_apart(library: Library) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    library.corrections.merge([one, other])
    report = library.corrections.split(one, k=2)
    assert report.decision.others == (one, 5)
    assert report.lineage.new == (5,)
    assert {cluster_of(library, FIRST), cluster_of(library, SECOND)} == {one, 5}
    assert cluster_of(library, FIRST) == one, "the largest part keeps the id"
    library.recluster(k=3)
    assert cluster_of(library, FIRST) == one
    assert cluster_of(library, SECOND) == 5


def test_a_cluster_can_be_split_into_many(library: Library) -> None:
    big = cluster_of(library, THIRD)
    library.corrections.split(big, k=5)
    at = where(library)
    assert len({at[i] for i in THIRD}) == 5
    library.recluster(k=4)
    after = where(library)
    assert len({after[i] for i in THIRD}) == 5, "a person's clusters count for more than k"


@pytest.mark.parametrize("k", [0, 1, -2, 21])
def test_a_split_that_cannot_be_is_refused(library: Library, k: int) -> None:
    with pytest.raises(SettingsError, match="cannot be split"):
        library.corrections.split(cluster_of(library, FIRST), k=k)


def test_images_that_are_all_alike_cannot_be_split(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    vectors = np.concatenate([np.repeat(blobs([1]), 9, axis=0), blobs([10], first=3)])
    fill(library, ids_of(range(19)), vectors)
    library.recluster(k=2)
    with pytest.raises(SettingsError, match="too alike"):
        library.corrections.split(cluster_of(library, ids_of(range(9))), k=2)


# Move and not -------------------------------------------------------------------------------


def test_an_image_that_was_moved_stays_there(library: Library) -> None:
    far = cluster_of(library, SECOND)
    decide(library, lambda editor: editor.move([FIRST[0]], far))
    assert where(library)[FIRST[0]] == far
    assert state_of(library, FIRST[0]) == AssignmentState.DECIDED
    for k in (4, 6, 2):
        library.recluster(k=k)
        assert where(library)[FIRST[0]] == far
    current = library.store.clusterings.current()
    assert current is not None
    models = library.store.clusterings.models(current.clustering_id)
    held = [c for c in where(library).values() if c == far]
    assert models.counts[models.cluster_ids == far].sum() == len(held)


def test_an_image_that_is_not_of_a_cluster_leaves_it_and_never_comes_back(
    library: Library,
) -> None:
    own = cluster_of(library, FIRST)
    decide(library, lambda editor: editor.exclude([FIRST[0]], own))
    assert where(library)[FIRST[0]] == NOISE, "it fits no other cluster"
    for k in (4, 5, 3):
        library.recluster(k=k)
        assert where(library)[FIRST[0]] != own


def test_not_of_a_cluster_that_an_image_is_not_in_is_remembered(library: Library) -> None:
    other = cluster_of(library, SECOND)
    report = decide(library, lambda editor: editor.exclude([FIRST[0]], other))
    assert report.lineage.images_moved == 0
    with pytest.raises(SettingsError):
        library.corrections.rename(99, "Fox")
    library.corrections.pin(other)
    assert library.corrections.constraints().banned == {FIRST[0]: {other}}, (
        "a refused decision changes nothing"
    )
    library.undo()
    library.undo()
    assert library.corrections.constraints().banned == {}


def test_what_is_not_of_one_part_is_not_of_the_whole(library: Library) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    decide(library, lambda editor: editor.exclude([FIRST[0]], other))
    library.corrections.merge([one, other])
    assert where(library)[FIRST[0]] != one
    assert cluster_of(library, [*FIRST[1:], *SECOND]) == one
    library.recluster(k=3)
    assert where(library)[FIRST[0]] != one


def test_a_named_cluster_stays_though_the_images_that_stood_for_it_were_moved_away(
    tmp_path: Path,
) -> None:
    library = library_at(tmp_path)
    fill(library, ids_of(range(120)), blobs([60, 60]))
    library.recluster(k=2)
    one, other = cluster_of(library, ids_of(range(60))), cluster_of(library, ids_of(range(60, 120)))
    library.corrections.rename(one, "Fox")
    library.corrections.rename(other, "Wolf")
    typical = list(library.corrections.constraints().seeds[one][0])
    decide(library, lambda editor: editor.move(typical, other))
    library.recluster(k=2)
    at = where(library)
    assert {at[i] for i in typical} == {other}
    assert {at[i] for i in ids_of(range(60)) if i not in typical} == {one}


def test_an_image_that_is_of_no_cluster_does_not_stand_in_the_way(library: Library) -> None:
    ids = sorted({*where(library).values()})
    for cluster_id in ids:
        library.corrections.pin(cluster_id)
        decide(library, partial(Editor.exclude, image_ids=[FIRST[0]], cluster_id=cluster_id))
    library.recluster(k=len(ids))
    assert where(library)[FIRST[0]] == NOISE


def test_the_only_cluster_cannot_be_emptied(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    fill(library, ids_of(range(20)), blobs([10, 10]))
    library.recluster(k=2)
    library.corrections.merge(sorted({*where(library).values()}))
    only = next(iter(where(library).values()))
    before, stored = where(library), library.store.decisions.all()
    with pytest.raises(ClusteringError, match="no cluster would be left"):
        decide(library, lambda editor: editor.exclude(ids_of(range(20)), only))
    assert (where(library), library.store.decisions.all()) == (before, stored)


def test_the_last_decision_about_an_image_counts_and_that_is_noted(library: Library) -> None:
    own, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    decide(library, lambda editor: editor.exclude([FIRST[0]], other))
    report = decide(library, lambda editor: editor.move([FIRST[0]], other))
    assert where(library)[FIRST[0]] == other
    assert "takes back" in report.notes[0]
    report = decide(library, lambda editor: editor.exclude([FIRST[0]], other))
    assert "takes back" in report.notes[0]
    assert where(library)[FIRST[0]] == own


def test_contradicting_decisions_are_refused_and_nothing_is_lost(
    library: Library,
) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    decide(library, lambda editor: editor.exclude([THIRD[0]], one))
    decide(library, lambda editor: editor.move([THIRD[0]], other))
    before, stored = where(library), library.store.decisions.all()
    with pytest.raises(SettingsError, match=THIRD[0][:12]) as caught:
        library.corrections.merge([one, other])
    assert "move" in caught.value.hint
    assert where(library) == before
    assert library.store.decisions.all() == stored


def test_merging_what_was_split_takes_the_split_back_and_notes_it(library: Library) -> None:
    one = cluster_of(library, FIRST)
    library.corrections.split(one, k=2)
    report = library.corrections.merge([one, 5])
    assert any("split" in note for note in report.notes)
    assert cluster_of(library, FIRST) == one


# Gather -------------------------------------------------------------------------------------


def test_images_of_several_clusters_become_one_of_their_own_for_good(library: Library) -> None:
    some = [*FIRST[:4], *SECOND[:3]]
    report = library.corrections.new_cluster(some, "Lynx")
    own = cluster_of(library, some)
    assert report.lineage.new == (own,)
    assert own == 5, "no cluster ever had the id"
    assert library.clusters.name_of(own) == "Lynx"
    assert {state_of(library, i) for i in some} == {AssignmentState.DECIDED}
    _assert_obeyed(library, everything=True)
    for k in (5, 3, 7):
        library.recluster(k=k)
        assert cluster_of(library, some) == own, "though they lie far apart"
        assert library.clusters.name_of(own) == "Lynx"
    assert (
        next(e.what for e in library.corrections.history(own))
        == "7 images moved to cluster 5 'Lynx'"
    )


def test_a_cluster_whose_images_all_go_to_a_new_cluster_is_gone(library: Library) -> None:
    gone = cluster_of(library, FOURTH)
    library.corrections.new_cluster(FOURTH)
    assert cluster_of(library, FOURTH) == 5
    assert gone not in where(library).values()
    assert library.clusters.name_of(5) is None


def test_a_cluster_that_a_person_made_grows_with_what_is_like_it(library: Library) -> None:
    library.corrections.new_cluster(FOURTH, "Lynx")
    more, _ = ingest(library, ids_of(range(100, 112)), blobs([12], first=3, seed=4))
    assert set(more.cluster_ids) <= {5, NOISE}
    assert (more.cluster_ids == 5).mean() > 0.6


def test_a_new_cluster_that_cannot_be_is_refused(library: Library) -> None:
    library.corrections.rename(1, "Fox")
    stored = library.store.decisions.all()
    with pytest.raises(SettingsError, match="called 'Fox' already"):
        library.corrections.new_cluster(FIRST[:3], "Fox")
    with pytest.raises(SettingsError, match="cannot be called"):
        library.corrections.new_cluster(FIRST[:3], " ")
    with pytest.raises(SettingsError, match="no clustering yet"):
        decide(library, lambda editor: editor.new_cluster([id_of(9_999)]))
    assert library.store.decisions.all() == stored


# Retire, pin --------------------------------------------------------------------------------


def test_the_images_of_a_retired_cluster_go_where_they_fit_or_are_unassigned(
    library: Library,
) -> None:
    gone = cluster_of(library, FOURTH)
    library.corrections.retire(gone)
    at = where(library)
    assert gone not in at.values()
    assert {at[i] for i in FOURTH} == {NOISE}
    library.recluster(k=4)
    assert gone not in where(library).values(), "its id is no more"
    for decide_once in (library.corrections.pin, library.corrections.retire):
        with pytest.raises(SettingsError, match="is gone") as caught:
            decide_once(gone)
        assert "history" in caught.value.hint
    with pytest.raises(SettingsError, match="is gone"):
        library.corrections.rename(gone, "Fox")


def test_the_last_cluster_cannot_be_retired(library: Library) -> None:
    ids = [cluster_of(library, group) for group in (FIRST, SECOND, THIRD, FOURTH)]
    library.corrections.merge(ids)
    with pytest.raises(ClusteringError, match="only one"):
        library.corrections.retire(ids[0])


def test_a_pinned_cluster_survives_a_smaller_k(library: Library) -> None:
    smallest = cluster_of(library, FOURTH)
    library.corrections.pin(smallest)
    library.recluster(k=2)
    assert cluster_of(library, FOURTH) == smallest
    assert len({*where(library).values()}) == 2


# Undo ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["merge", "split", "move", "new", "exclude", "retire"])
def test_undo_brings_everything_back_and_takes_the_decision_back(
    library: Library, kind: str
) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    before = members(library)
    decisions: dict[str, Callable[[Editor], object]] = {
        "merge": lambda editor: editor.merge([one, other]),
        "split": lambda editor: editor.split(one, 2),
        "move": lambda editor: editor.move([FIRST[0]], other),
        "new": lambda editor: editor.new_cluster([FIRST[0], *SECOND], "Lynx"),
        "exclude": lambda editor: editor.exclude([FIRST[0]], one),
        "retire": lambda editor: editor.retire(one),
    }
    decide(library, decisions[kind])
    assert members(library).cluster_ids.tolist() != before.cluster_ids.tolist()
    library.undo()
    after = members(library)
    for column in ("image_ids", "cluster_ids", "candidates", "states", "since"):
        assert getattr(after, column).tolist() == getattr(before, column).tolist()
    assert after.distances.tobytes() == before.distances.tobytes()
    found = library.corrections.constraints()
    assert (found.fixed, found.banned, found.required) == ({}, {}, frozenset())
    library.recluster(k=4)
    assert where(library) == dict(
        zip(before.image_ids.tolist(), before.cluster_ids.tolist(), strict=True)
    )


def test_a_decision_that_fails_while_it_is_stored_was_never_made(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(DecisionTable, "append", cut)
    with pytest.raises(KeyboardInterrupt):
        library.corrections.merge([one, other])
    monkeypatch.undo()
    assert library.corrections.constraints().retired == frozenset()
    assert cluster_of(library, SECOND) == other
    assert len(library.corrections.history()) == 1
    library.corrections.merge([one, other])
    assert library.corrections.constraints().retired == {other}


def test_undo_takes_back_one_step_after_the_other_names_too(library: Library) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    library.corrections.merge([one, other])
    library.corrections.rename(one, "Fox")
    assert library.undo().what == (f"name Fox of cluster {one}",)
    assert library.corrections.constraints().names == {}
    assert library.corrections.constraints().retired == {other}
    assert library.undo().what == (f"merge of {other} into {one}",)
    assert cluster_of(library, SECOND) == other
    assert library.redo().what == (f"merge of {other} into {one}",)
    assert library.redo().what == (f"name Fox of cluster {one}",)
    assert cluster_of(library, [*FIRST, *SECOND]) == one
    assert library.clusters.name_of(one) == "Fox"
    with pytest.raises(ClusteringError, match="nothing to redo"):
        library.redo()


def test_undo_has_no_limit_and_ends_at_the_first_clustering(library: Library) -> None:
    before = members(library)
    for number in range(30):
        library.corrections.rename(1 + number % 4, f"Name {number}")
        decide(library, lambda editor: editor.move([SECOND[0]], 1 + number % 4))  # noqa: B023
    after = members(library)
    for _ in range(60):
        library.undo()
    assert members(library).cluster_ids.tolist() == before.cluster_ids.tolist()
    with pytest.raises(ClusteringError, match="nothing to undo"):
        library.undo()
    for _ in range(60):
        library.redo()
    assert members(library).cluster_ids.tolist() == after.cluster_ids.tolist()


def test_a_new_decision_ends_what_can_be_redone(library: Library) -> None:
    library.corrections.rename(1, "Fox")
    library.undo()
    library.corrections.rename(2, "Owl")
    with pytest.raises(ClusteringError, match="nothing to redo"):
        library.redo()


def test_a_batch_is_one_step(library: Library) -> None:
    ids = [cluster_of(library, group) for group in (FIRST, SECOND, THIRD, FOURTH)]
    before = where(library)
    reports = library.corrections.apply(
        [
            MoveImages(FIRST[:3], ids[1]),
            RenameCluster(ids[1], "Owl"),
            MergeClusters([ids[2], ids[3]]),
            ExcludeImages(SECOND[:1], ids[1]),
        ]
    )
    assert [report.lineage.images_moved for report in reports] == [3, 0, 12, 1]
    assert cluster_of(library, [*THIRD, *FOURTH]) == ids[2]
    assert len(library.undo().what) == 4
    assert where(library) == before
    assert library.corrections.constraints().names == {}


def test_an_id_that_lives_only_inside_a_batch_is_not_given_again(library: Library) -> None:
    one = cluster_of(library, FIRST)
    library.corrections.apply([MakeCluster(SECOND[:3]), MergeClusters([one, 5])])
    assert library.corrections.constraints().retired == {5}
    made = library.corrections.new_cluster(THIRD[:3], "Lynx").decision.cluster_id
    assert made == 6
    assert library.corrections.history(5)[0].what == "3 images moved to cluster 5"


def test_what_was_decided_is_no_failure_because_the_upkeep_is_one(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Database) -> None:
        raise StoreError("the disk is full", "make room")

    monkeypatch.setattr(Database, "tidy", full)
    library.corrections.split(cluster_of(library, FIRST), k=2)
    library.recluster(k=3)
    library.undo()
    assert library.undo().what[0].startswith("split of cluster ")


def test_decisions_go_on_after_the_upkeep_has_rewritten_the_vectors(tmp_path: Path) -> None:
    library = library_at(tmp_path)
    vectors = blobs(SIZES)
    for start in range(0, 72, 6):  # as an ingest leaves them that is killed after many commits
        fill(library, ids_of(range(start, start + 6)), vectors[start : start + 6])
    library.recluster(k=4)
    for start in range(100, 112):
        fill(library, ids_of([start]), blobs([1], seed=start))
    first, second = cluster_of(library, FIRST), cluster_of(library, SECOND)
    library.corrections.split(first, k=2)
    library.corrections.merge([first, second])
    library.corrections.retire(cluster_of(library, THIRD))


def test_a_name_is_the_same_name_however_its_accent_is_written(library: Library) -> None:
    library.corrections.rename(1, "be\u0301be\u0301")
    assert library.clusters.name_of(1) == "b\u00e9b\u00e9"
    with pytest.raises(SettingsError, match="already"):
        library.corrections.rename(2, "b\u00e9b\u00e9")


def test_a_batch_with_one_wrong_decision_is_refused_as_a_whole(library: Library) -> None:
    before, revision = where(library), library.store.revision()
    with pytest.raises(SettingsError, match="no cluster 99"):
        library.corrections.apply([RenameCluster(1, "Fox"), MoveImages(FIRST[:3], 99)])
    assert (where(library), library.store.revision()) == (before, revision)


@pytest.mark.parametrize("reduce", ["none", "smooth"])
def test_the_parts_of_a_novel_cluster_and_their_merge_still_take_their_like(
    library: Library, reduce: str
) -> None:
    library.recluster(k=4, reduce=reduce)
    _, finished = ingest(library, ids_of(range(100, 130)), blobs([30], first=8))
    novel = finished.novel[0].cluster_id
    library.corrections.split(novel, k=2)
    mine = {c for i, c in where(library).items() if i in ids_of(range(100, 130))} - {NOISE}
    more, _ = ingest(library, ids_of(range(200, 220)), blobs([20], first=8, seed=5))
    assert set(more.cluster_ids) <= {*mine, NOISE}
    library.corrections.merge(sorted(mine))
    more, _ = ingest(library, ids_of(range(300, 320)), blobs([20], first=8, seed=6))
    assert (more.cluster_ids == min(mine)).mean() >= 0.5
    library.undo()
    library.undo()
    assert novel in where(library).values()


def test_unassigned_images_never_point_to_a_cluster_that_is_gone(library: Library) -> None:
    ingest(library, ids_of(range(100, 104)), blobs([4], first=9))
    at = members(library)
    nearest = int(at.candidates[at.unassigned][0])
    library.corrections.retire(nearest)
    at = members(library)
    assert nearest not in at.candidates[at.unassigned]


# What cannot be -----------------------------------------------------------------------------


def test_names_of_clusters_and_images_that_are_not_there(library: Library) -> None:
    decisions: list[Callable[[], object]] = [
        lambda: library.corrections.merge([1, 99]),
        lambda: library.corrections.split(99),
        lambda: library.corrections.pin(99),
        lambda: library.corrections.retire(99),
    ]
    for decide_once in decisions:
        with pytest.raises(SettingsError, match="no cluster 99"):
            decide_once()
    with pytest.raises(SettingsError, match="cannot be merged"):
        library.corrections.merge([1, 1])
    with pytest.raises(SettingsError, match="no image"):
        library.corrections.move(["nowhere.jpg"], 1)
    with pytest.raises(SettingsError, match="no clustering yet"):
        decide(library, lambda editor: editor.move([id_of(9_999)], 1))


def test_a_name_that_another_cluster_has_is_refused_with_a_way_out(library: Library) -> None:
    library.corrections.rename(1, "Fox")
    with pytest.raises(SettingsError, match="cluster 1") as caught:
        library.corrections.rename(2, "Fox")
    assert "merge" in caught.value.hint


def test_the_name_of_a_cluster_without_images_is_not_given_twice(library: Library) -> None:
    named = cluster_of(library, FOURTH)
    library.corrections.rename(named, "Fox")
    decide(library, lambda editor: editor.move(FOURTH, cluster_of(library, FIRST)))
    assert named not in where(library).values()
    with pytest.raises(SettingsError, match="next recluster"):
        library.corrections.rename(1, "Fox")


# History ------------------------------------------------------------------------------------


def test_history_tells_what_became_of_a_cluster(library: Library) -> None:
    one, other = cluster_of(library, FIRST), cluster_of(library, SECOND)
    library.corrections.rename(one, "Fox")
    library.corrections.merge([one, other])
    library.undo()
    _, finished = ingest(library, ids_of(range(100, 112)), blobs([12], first=8))
    novel = finished.novel[0].cluster_id
    library.recluster(k=5)
    told = [event.what for event in library.corrections.history(one)]
    assert told[0] == "recluster 1 with painter: 4 clusters made"
    assert f"cluster {one} named 'Fox'" in told
    assert f"{other} merged into {one}" in told
    assert f"undone: {other} merged into {one}" in told
    assert any("kept" in what for what in told)
    of_novel = [event.what for event in library.corrections.history(novel)]
    assert of_novel[0] == f"found in ingest 1: {novel}"
    with pytest.raises(SettingsError, match="no cluster ever"):
        library.corrections.history(999)
    assert len(library.corrections.history()) >= len(told)


# The law ------------------------------------------------------------------------------------

_group = st.integers(0, 3)
_step = st.one_of(
    st.tuples(st.just("ingest"), st.integers(0, 8), st.integers(0, 5)),
    st.tuples(st.just("recluster"), st.integers(2, 7), st.sampled_from(["kmeans", "ward"])),
    st.tuples(st.just("rename"), _group, _group),
    st.tuples(st.just("pin"), _group, _group),
    st.tuples(st.just("merge"), _group, _group),
    st.tuples(st.just("split"), _group, st.integers(2, 3)),
    st.tuples(st.just("move"), st.integers(0, 71), _group),
    st.tuples(st.just("new"), st.integers(0, 71), st.integers(1, 20)),
    st.tuples(st.just("not"), st.integers(0, 71), _group),
    st.tuples(st.just("retire"), _group, _group),
    st.tuples(st.just("undo"), _group, _group),
)


@pytest.mark.slow
@settings(
    max_examples=examples(15, soak=40),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=st.lists(_step, min_size=3, max_size=9))
def test_every_decision_still_holds_after_any_sequence(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int, int | str]],
) -> None:
    library = library_at(tmp_path_factory.mktemp("law"))
    fill(library, ids_of(range(72)), blobs(SIZES))
    library.recluster(k=4)
    fresh = 1_000
    for step, one, other in steps:
        with contextlib.suppress(OrganizerError):  # what cannot be is refused
            fresh = _take(library, step, one, other, fresh)
        if step != "undo":
            # Undo brings a clustering back as it was; what was decided holds from the next one on.
            _assert_obeyed(library, everything=step == "recluster")
    library.recluster(k=5)
    _assert_obeyed(library, everything=True)


def _take(library: Library, step: str, one: int, other: int | str, fresh: int) -> int:
    ids = sorted({c for c in where(library).values() if c != NOISE})
    pick = ids[one % len(ids)]
    if step == "ingest":
        vectors = blobs([one, int(other)], first=int(other), seed=fresh)
        ingest(library, ids_of(range(fresh, fresh + len(vectors))), vectors)
        return fresh + len(vectors)
    to = ids[int(other) % len(ids)] if step in {"move", "not", "merge"} else 0
    decisions: dict[str, Callable[[], object]] = {
        "recluster": lambda: library.recluster(k=one, algorithm=str(other)),
        "undo": library.undo,
        "move": lambda: decide(library, lambda editor: editor.move([id_of(one)], to)),
        "new": lambda: library.corrections.new_cluster(
            ids_of(range(one, min(one + int(other), 72))), f"name {other}"
        ),
        "not": lambda: decide(library, lambda editor: editor.exclude([id_of(one)], to)),
        "merge": lambda: library.corrections.merge([pick, to]),
        "split": lambda: library.corrections.split(pick, k=int(other)),
        "rename": lambda: library.corrections.rename(pick, f"name {other}"),
        "pin": lambda: library.corrections.pin(pick),
        "retire": lambda: library.corrections.retire(pick),
    }
    decisions[step]()
    return fresh


def _assert_obeyed(library: Library, *, everything: bool) -> None:
    at, found = where(library), library.corrections.constraints()
    here = {c for c in at.values() if c != NOISE}
    for image_id, cluster_ids in found.banned.items():
        assert at[image_id] not in cluster_ids
    for image_id, cluster_id in found.fixed.items():
        assert at[image_id] == cluster_id or (not everything and cluster_id not in here)
    if everything:
        assert {c for c in found.required if found.seeds[c]} <= here
    assert not found.retired & here
    assert len({*found.names.values()}) == len(found.names)
    current = library.store.clusterings.current()
    assert current is not None
    models = library.store.clusterings.models(current.clustering_id)
    for cluster_id in models.ids:
        counted = int(models.counts[models.cluster_ids == cluster_id].sum())
        assert counted == sum(c == cluster_id for c in at.values())
    assert set(models.ids) >= here
    kinds = {decision.kind for decision in library.store.decisions.all()}
    assert kinds <= set(DecisionKind)
