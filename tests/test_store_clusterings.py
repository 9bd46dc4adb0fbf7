"""Clusterings as they are stored: history, members, names, ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from organizer.errors import StoreError
from organizer.store import ClusteringTables, DecisionTable, MemberChange, StepTable, now
from organizer.store.author import Author
from organizer.store.database import Database
from organizer.types import (
    NOISE,
    Assignments,
    AssignmentState,
    Candidate,
    Clustering,
    ClusterMerge,
    ClusterModels,
    ClusterSplit,
    Decision,
    DecisionKind,
    Exemplars,
    LineageReport,
    PartSpec,
    StepKind,
)

EMBEDDER = PartSpec("painter", {"depth": 2}, "v1")
REDUCER = PartSpec("pca", {"n_components": 3})
CLUSTERER = PartSpec("kmeans", {"n_clusters": 2, "random_state": 0})


@pytest.fixture
def clusterings(tmp_path: Path) -> ClusteringTables:
    database = Database.create(tmp_path / "library")
    return ClusteringTables(database, steps=StepTable(database.journal, author=Author()))


UNCHANGED = MemberChange(Assignments.empty(), Assignments.empty())


def id_of(number: int) -> str:
    return f"{number:032x}"


def members_of(labels: list[int], *, first: int = 0, since: int = 0, seed: int = 0) -> Assignments:
    draw = np.random.default_rng(seed)
    n = len(labels)
    cluster_ids = np.array(labels, dtype=np.int64)
    states = np.where(cluster_ids == NOISE, AssignmentState.UNSURE.value, "auto").astype(object)
    return Assignments(
        np.array([id_of(first + i) for i in range(n)], dtype=object),
        cluster_ids,
        np.where(cluster_ids == NOISE, 1, cluster_ids),
        draw.random(n, dtype=np.float32),
        np.linspace(0, 1, n, dtype=np.float32),
        states,
        np.full(n, since, dtype=np.int64),
    )


def models_of(cluster_ids: list[int], seed: int = 0) -> ClusterModels:
    draw = np.random.default_rng(seed)
    k = len(cluster_ids)
    models = ClusterModels(
        np.array(cluster_ids, dtype=np.int64),
        np.arange(1, k + 1, dtype=np.int64),
        draw.random((k, 3)),
        np.arange(k, dtype=np.int64) + 5,
        draw.random(k),
        draw.random(k),
        draw.random(k),
        draw.random(k),
        tuple(id_of(i) for i in range(k)),
        ("recluster",) * k,
    )
    return models.take(np.lexsort((models.mode_ids, models.cluster_ids)))


def clustering_of(labels: list[int], cluster_ids: list[int], seed: int = 0) -> Clustering:
    draw = np.random.default_rng(seed)
    return Clustering(
        members=members_of(labels, seed=seed),
        models=models_of(cluster_ids, seed),
        exemplars=Exemplars(
            np.array([1, 1, 2], dtype=np.int64), draw.random((3, 4)).astype(np.float16)
        ),
        embedder=EMBEDDER,
        reducer=REDUCER,
        space={"mean": draw.random(4), "components": draw.random((3, 4)).astype(np.float32)},
        clusterer=CLUSTERER,
        evidence=(Candidate(2, 0.25, 1.5, chosen=True), Candidate(3, 0.125, 1.25, elbow=True)),
        algorithm="by hand",
    )


def add(
    clusterings: ClusteringTables,
    clustering: Clustering,
    *,
    parent: int | None = None,
    lineage: LineageReport | None = None,
) -> int:
    return clusterings.add(clustering, parent_id=parent, lineage=lineage or LineageReport())


def undo(clusterings: ClusteringTables, clustering_id: int) -> None:
    """Make a former clustering the current one."""
    database = clusterings._database
    steps = StepTable(database.journal, author=Author())
    last = steps.last()
    assert last is not None
    with database.transaction():
        steps.add(StepKind.UNDO, at=now(), clustering_id=clustering_id, about=last.step_id)


def test_before_the_first_clustering_there_is_none(clusterings: ClusteringTables) -> None:
    assert clusterings.current() is None
    assert clusterings.next_cluster_id() == 1
    assert clusterings.member_tables() == []
    with pytest.raises(StoreError, match="not in the library"):
        clusterings.get(1)


def test_a_clustering_comes_back_as_it_was_stored(clusterings: ClusteringTables) -> None:
    lineage = LineageReport(
        kept=(4,),
        split=(ClusterSplit(4, (4, 9)),),
        merged=(ClusterMerge(9, (5, 6)),),
        new=(9,),
        retired=(5, 6),
    )
    made = clustering_of([4, 9, 4, 9, 9], [4, 9])
    clustering_id = add(clusterings, made, lineage=lineage)
    current = clusterings.current()
    assert current == clusterings.get(clustering_id)
    assert current is not None
    assert current.parent_id is None
    assert (current.embedder, current.reducer) == (EMBEDDER, REDUCER)
    assert (current.clusterer, current.action) == (CLUSTERER, "recluster")
    assert (current.algorithm, current.evidence) == ("by hand", made.evidence)
    assert current.lineage == lineage
    assert clusterings.all() == [current]


def test_models_space_and_exemplars_come_back_with_every_bit(clusterings: ClusteringTables) -> None:
    made = clustering_of([7, 2, 7], [7, 2, 7])
    clustering_id = add(clusterings, made)
    stored, given = clusterings.models(clustering_id), made.models
    assert stored.cluster_ids.tolist() == [2, 7, 7]
    assert (stored.medoids, stored.origins) == (given.medoids, given.origins)
    for name in ("mode_ids", "means", "counts", "distance_means", "distance_m2s", "fit_means"):
        assert getattr(stored, name).tobytes() == getattr(given, name).tobytes()
    space = clusterings.space(clustering_id)
    assert set(space) == set(made.space)
    for name, array in made.space.items():
        assert space[name].dtype == array.dtype
        assert np.array_equal(space[name], array)
    exemplars = clusterings.exemplars(clustering_id)
    assert np.array_equal(exemplars.mode_ids, made.exemplars.mode_ids)
    assert np.array_equal(exemplars.vectors, made.exemplars.vectors)
    more = Exemplars(np.array([9]), np.ones((1, 4), np.float16))
    clusterings.change(clustering_id, made.models, UNCHANGED, exemplars=more)
    assert clusterings.exemplars(clustering_id).mode_ids.tolist() == [1, 1, 2, 9]


def test_an_ingest_changes_the_clusters_and_what_they_were_made_as_stays(
    clusterings: ClusteringTables,
) -> None:
    clustering_id = add(clusterings, clustering_of([1, 2], [1, 2]))
    ingest_id = clusterings.begin_ingest()
    assert (ingest_id, clusterings.last_ingest()) == (1, 1)
    clusterings.change(clustering_id, models_of([1, 2, 3], seed=5), UNCHANGED)
    assert clusterings.models(clustering_id).ids == [1, 2, 3]
    assert clusterings.cluster_ids(clustering_id) == [1, 2, 3]
    assert clusterings.models(clustering_id, as_made=True).ids == [1, 2]
    assert clusterings.next_cluster_id() == 4
    assert clusterings.origins() == dict.fromkeys((1, 2, 3), (clustering_id, "recluster"))
    assert set(clusterings.ingest_times()) == {1}


def test_members_come_back_and_the_unassigned_are_counted(clusterings: ClusteringTables) -> None:
    made = clustering_of([1, 2, 1], [1, 2])
    clustering_id = add(clusterings, made)
    clusterings.append_members(clustering_id, members_of([NOISE, 2], first=50, since=1))
    members = clusterings.assignments(clustering_id)
    assert members.image_ids.tolist() == [*map(id_of, (0, 1, 2, 50, 51))]
    assert members.cluster_ids.tolist() == [1, 2, 1, NOISE, 2]
    assert members.distances[:3].tobytes() == made.members.distances.tobytes()
    assert members.since.tolist() == [0, 0, 0, 1, 1]
    assert members.unassigned.tolist() == [False, False, False, True, False]
    assert clusterings.count_unassigned(clustering_id) == 1
    assert clusterings.count(clustering_id) == 5
    assert clusterings.clusters_of(clustering_id, [id_of(50), id_of(51)]) == {id_of(51): 2}
    novel = members_of([3], first=50, since=1)
    change = MemberChange(members.take(np.array([3])), novel)
    clusterings.change(clustering_id, made.models, change)
    after = clusterings.assignments(clustering_id)
    assert len(after) == 5
    assert dict(zip(after.image_ids, after.cluster_ids, strict=True))[id_of(50)] == 3
    assert clusterings.count_unassigned(clustering_id) == 0


def test_the_clusters_of_some_images_leave_out_those_that_are_in_none(
    clusterings: ClusteringTables,
) -> None:
    clustering_id = add(clusterings, clustering_of([1, 2, 1], [1, 2]))
    wanted = [id_of(1), id_of(2), id_of(99)]
    assert clusterings.clusters_of(clustering_id, wanted) == {id_of(1): 2, id_of(2): 1}
    assert clusterings.clusters_of(clustering_id, []) == {}


def test_the_last_clustering_that_was_brought_into_force_is_current(
    clusterings: ClusteringTables,
) -> None:
    first = add(clusterings, clustering_of([1, 1], [1]))
    second = add(clusterings, clustering_of([2, 3], [2, 3]), parent=first)
    current = clusterings.current()
    assert current is not None
    assert (current.clustering_id, current.parent_id) == (second, first)
    undo(clusterings, first)
    current = clusterings.current()
    assert current is not None
    assert current.clustering_id == first
    third = add(clusterings, clustering_of([4, 4], [4]), parent=first)
    assert third not in {first, second}
    current = clusterings.current()
    assert current is not None
    assert current.clustering_id == third


def test_a_cluster_id_is_never_given_twice(clusterings: ClusteringTables) -> None:
    add(clusterings, clustering_of([1, 2, 3], [1, 2, 3]))
    assert clusterings.next_cluster_id() == 4
    add(clusterings, clustering_of([1, 1, 1], [1]), parent=1)
    assert clusterings.next_cluster_id() == 4
    undo(clusterings, 1)
    add(clusterings, clustering_of([1, 9, 9], [1, 9]), parent=1)
    assert clusterings.next_cluster_id() == 10


def decide(
    clusterings: ClusteringTables, parent: int, models: ClusterModels, change: MemberChange
) -> int:
    return clusterings.add_decided(
        clusterings.get(parent),
        models=models,
        change=change,
        exemplars=None,
        lineage=LineageReport(),
        action="move",
    )


def test_a_clustering_that_decisions_made_shares_its_base_and_keeps_what_was(
    clusterings: ClusteringTables,
) -> None:
    made = clustering_of([1, 2, 1], [1, 2])
    first = add(clusterings, made)
    before = clusterings.assignments(first)
    moved = MemberChange(before.take(np.array([0])), members_of([2]))
    models = models_of([1, 2], seed=9)
    step_id = decide(clusterings, first, models, moved)
    current = clusterings.current()
    assert current is not None
    assert (current.clustering_id, current.parent_id, current.base_id) == (2, first, first)
    assert (current.embedder, current.evidence, current.action) == (EMBEDDER, made.evidence, "move")
    assert clusterings.assignments(2).cluster_ids.tolist() == [2, 2, 1]
    assert clusterings.clusters_of(2, [id_of(0)]) == {id_of(0): 2}
    assert clusterings.models(2).means.tobytes() == models.means.tobytes()
    change = clusterings.change_of_step(step_id)
    assert (change.before.cluster_ids.tolist(), change.after.cluster_ids.tolist()) == ([1], [2])
    former = clusterings.models_before(step_id, 2)
    assert former.means.tobytes() == made.models.means.tobytes()
    assert clusterings.member_tables() == ["assignments_1"], "no members are written again"


def test_the_last_change_of_a_member_counts_and_folding_changes_nothing(
    clusterings: ClusteringTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(clusterings, clustering_of([1, 2, 1], [1, 2]))
    for cluster_id in (2, NOISE, 1, NOISE):
        members = clusterings.assignments(first).take(np.array([0]))
        change = MemberChange(members, members_of([cluster_id]))
        decide(clusterings, first, models_of([1, 2]), change)
    assert clusterings.count_unassigned(first) == 1
    before = clusterings.assignments(first)
    monkeypatch.setattr("organizer.store.clusterings._FOLD_FROM", 1)
    clusterings.fold(first)
    after = clusterings.assignments(first)
    assert after.cluster_ids.tolist() == before.cluster_ids.tolist() == [NOISE, 2, 1]
    assert after.margins.tobytes() == before.margins.tobytes()
    assert clusterings.count_unassigned(first) == 1
    members = after.take(np.array([1]))
    decide(clusterings, first, models_of([1, 2]), MemberChange(members, members_of([1], first=1)))
    assert clusterings.assignments(first).cluster_ids.tolist() == [NOISE, 1, 1]


def test_evidence_of_another_version_is_read_as_far_as_it_is_known(
    clusterings: ClusteringTables,
) -> None:
    clustering_id = add(clusterings, clustering_of([1, 2], [1, 2]))
    text = '[{"k": 4, "silhouette": 0.5, "inertia": 2.0, "moon": "full"}]'
    database = clusterings._database
    with database.transaction():
        database.journal.execute("UPDATE clusterings SET evidence = ?", [text])
    found = clusterings.get(clustering_id).evidence
    assert [(c.k, c.silhouette) for c in found] == [(4, 0.5)]


def test_decisions_come_back_whole_and_in_order_and_undone_ones_do_not_hold(
    clusterings: ClusteringTables,
) -> None:
    database = clusterings._database
    steps = StepTable(database.journal, author=Author())
    decisions = DecisionTable(database.journal, steps=steps)
    first = Decision(
        1, now(), DecisionKind.NAME, cluster_id=1, name='it\'s a "fox"; 100% 😀', step_id=1
    )
    second = Decision(
        2,
        now(),
        DecisionKind.MERGE,
        cluster_id=1,
        image_ids=(id_of(1), id_of(2)),
        groups=(4, 5),
        others=(2,),
        step_id=2,
    )
    for decision in (first, second):
        assert decisions.next_id() == decision.decision_id
        with database.transaction():
            steps.add(StepKind.DECISIONS, at=now())
            decisions.append([decision])
    assert decisions.all() == decisions.current() == (first, second)
    with database.transaction():
        steps.add(StepKind.UNDO, at=now(), about=2)
    assert decisions.all() == (first, second)
    assert decisions.current() == (first,)
    with database.transaction():
        steps.add(StepKind.REDO, at=now(), about=2)
    assert decisions.current() == (first, second)
