"""Clusterings as they are stored: history, members, names, ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from organizer.errors import StoreError
from organizer.store import Clusterings
from organizer.store.database import Database
from organizer.store.schemas import CLUSTERS
from organizer.types import (
    AssignmentState,
    Candidate,
    Clustering,
    LineageReport,
    Merge,
    PartSpec,
    Split,
)

EMBEDDER = PartSpec("painter", {"depth": 2}, "v1")
CLUSTERER = PartSpec("kmeans", {"n_clusters": 2, "random_state": 0})


@pytest.fixture
def clusterings(tmp_path: Path) -> Clusterings:
    return Clusterings(Database.create(tmp_path / "library"))


def id_of(number: int) -> str:
    return f"{number:032x}"


def clustering_of(labels: list[int], cluster_ids: list[int], seed: int = 0) -> Clustering:
    draw = np.random.default_rng(seed)
    return Clustering(
        image_ids=tuple(id_of(i) for i in range(len(labels))),
        labels=np.array(labels, dtype=np.int64),
        distances=draw.random(len(labels), dtype=np.float32),
        cluster_ids=np.array(cluster_ids, dtype=np.int64),
        centroids=draw.random((len(cluster_ids), 3), dtype=np.float32),
        embedder=EMBEDDER,
        clusterer=CLUSTERER,
        evidence=(Candidate(2, 0.25, 1.5, chosen=True), Candidate(3, 0.125, 1.25, elbow=True)),
        algorithm="by hand",
    )


def models_of(clustering: Clustering) -> ClusterModels:
    k = len(clustering.cluster_ids)
    means, spreads = (np.linspace(low, 1, k, dtype=np.float32) for low in (0.5, 0.25))
    medoids = tuple(id_of(i) for i in range(k))
    return ClusterModels(clustering.cluster_ids, clustering.centroids, means, spreads, medoids)


def add(
    clusterings: Clusterings,
    clustering: Clustering,
    *,
    parent: int | None = None,
    lineage: LineageReport | None = None,
) -> int:
    margins = np.linspace(0, 1, len(clustering.labels), dtype=np.float32)
    return clusterings.add(
        clustering,
        models_of(clustering),
        margins,
        parent_id=parent,
        lineage=lineage or LineageReport(),
    )


def test_before_the_first_clustering_there_is_none(clusterings: Clusterings) -> None:
    assert clusterings.current() is None
    assert clusterings.next_cluster_id() == 1
    assert clusterings.names() == {}
    assert clusterings.member_tables() == []
    with pytest.raises(StoreError, match="not in the library"):
        clusterings.get(1)


def test_a_clustering_comes_back_as_it_was_stored(clusterings: Clusterings) -> None:
    lineage = LineageReport(
        kept=(4,), split=(Split(4, (4, 9)),), merged=(Merge(9, (5, 6)),), born=(9,), retired=(5, 6)
    )
    made = clustering_of([4, 9, 4, 9, 9], [4, 9])
    clustering_id = add(clusterings, made, lineage=lineage)
    current = clusterings.current()
    assert current == clusterings.get(clustering_id)
    assert current is not None
    assert current.parent_id is None
    assert (current.embedder, current.clusterer) == (EMBEDDER, CLUSTERER)
    assert (current.algorithm, current.evidence) == ("by hand", made.evidence)
    assert current.lineage == lineage
    assert clusterings.counts_when_made(clustering_id) == [2, 3]


def test_the_models_come_back_by_cluster_id_with_every_bit(clusterings: Clusterings) -> None:
    made = clustering_of([7, 2, 7], [7, 2])
    stored = clusterings.models(add(clusterings, made))
    given = models_of(made)
    order = np.argsort(given.cluster_ids)
    assert stored.cluster_ids.tolist() == [2, 7]
    assert np.array_equal(stored.centroids, given.centroids[order])
    assert stored.centroids.dtype == np.float32
    assert np.array_equal(stored.mean_distances, given.mean_distances[order])
    assert np.array_equal(stored.spreads, given.spreads[order])
    assert stored.medoids == (id_of(1), id_of(0))


def test_the_members_come_back_in_order_and_later_ones_at_the_end(
    clusterings: Clusterings,
) -> None:
    made = clustering_of([1, 2, 1], [1, 2])
    clustering_id = add(clusterings, made)
    late = Assignments(
        np.array([id_of(50), id_of(51)], dtype=object),
        np.array([2, 1], dtype=np.int64),
        np.array([0.5, 0.25], dtype=np.float32),
        np.array([np.inf, 0.0], dtype=np.float32),
        np.array(["unsure", "auto"], dtype=object),
    )
    clusterings.append_members(clustering_id, late)
    members = clusterings.assignments(clustering_id)
    assert members.image_ids.tolist() == [*made.image_ids, id_of(50), id_of(51)]
    assert members.cluster_ids.tolist() == [1, 2, 1, 2, 1]
    assert np.array_equal(members.distances, np.concatenate([made.distances, late.distances]))
    assert members.margins[3] == np.inf
    assert members.states.tolist() == ["auto", "auto", "auto", "unsure", "auto"]
    assert members.states[3] == AssignmentState.UNSURE
    assert clusterings.counts_when_made(clustering_id) == [2, 1]


def test_the_clusters_of_some_images_leave_out_those_that_are_in_none(
    clusterings: Clusterings,
) -> None:
    clustering_id = add(clusterings, clustering_of([1, 2, 1], [1, 2]))
    wanted = [id_of(1), id_of(2), id_of(99)]
    assert clusterings.clusters_of(clustering_id, wanted) == {id_of(1): 2, id_of(2): 1}
    assert clusterings.clusters_of(clustering_id, []) == {}


def test_the_last_clustering_that_was_brought_into_force_is_current(
    clusterings: Clusterings,
) -> None:
    first = add(clusterings, clustering_of([1, 1], [1]))
    second = add(clusterings, clustering_of([2, 3], [2, 3]), parent=first)
    now = clusterings.current()
    assert now is not None
    assert (now.clustering_id, now.parent_id) == (second, first)
    clusterings.make_current(first, action="undo")
    now = clusterings.current()
    assert now is not None
    assert now.clustering_id == first
    third = add(clusterings, clustering_of([4, 4], [4]), parent=first)
    assert third not in {first, second}
    now = clusterings.current()
    assert now is not None
    assert now.clustering_id == third


def test_a_cluster_id_is_never_given_twice(clusterings: Clusterings) -> None:
    add(clusterings, clustering_of([1, 2, 3], [1, 2, 3]))
    assert clusterings.next_cluster_id() == 4
    add(clusterings, clustering_of([1, 1, 1], [1]), parent=1)
    assert clusterings.next_cluster_id() == 4
    clusterings.make_current(1, action="undo")
    add(clusterings, clustering_of([1, 9, 9], [1, 9]), parent=1)
    assert clusterings.next_cluster_id() == 10


def test_what_a_clustering_that_was_cut_short_left_is_never_in_force_nor_used_again(
    clusterings: Clusterings,
) -> None:
    first = add(clusterings, clustering_of([1, 1], [1]))
    database = clusterings._database
    row = database.read("clusters").to_pylist()[0] | {"clustering_id": 7, "cluster_id": 40}
    database.append("clusters", pa.Table.from_pylist([row], schema=CLUSTERS))
    now = clusterings.current()
    assert now is not None
    assert now.clustering_id == first
    assert clusterings.next_cluster_id() == 41
    assert add(clusterings, clustering_of([1, 1], [1])) == 8


def test_the_members_of_the_last_twenty_clusterings_are_kept(clusterings: Clusterings) -> None:
    ids: list[int] = []
    for seed in range(22):
        made = clustering_of([1, 2], [1, 2], seed)
        ids.append(add(clusterings, made, parent=ids[-1] if ids else None))
    assert len(clusterings.member_tables()) == 20
    for clustering_id in ids[-20:]:
        assert len(clusterings.assignments(clustering_id)) == 2
    with pytest.raises(StoreError, match="kept no more") as caught:
        clusterings.assignments(ids[0])
    assert "20" in caught.value.hint
    assert clusterings.get(ids[0]).clustering_id == ids[0]
    assert len(clusterings.models(ids[0]).cluster_ids) == 2


def test_the_last_name_of_a_cluster_counts(clusterings: Clusterings) -> None:
    clusterings.decide_name(1, "Lynx", [id_of(1)])
    clusterings.decide_name(2, 'it\'s a "fox"; 100% 😀', [id_of(2)])
    clusterings.decide_name(1, "Red fox", [])
    assert clusterings.names() == {1: "Red fox", 2: 'it\'s a "fox"; 100% 😀'}
    decisions = clusterings._database.read("decisions").to_pylist()
    assert [row["decision_id"] for row in decisions] == [1, 2, 3]
    assert decisions[0]["image_ids"] == [id_of(1)]
