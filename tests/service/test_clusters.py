"""Clusters, the status and news over HTTP, against numbers that are computed here."""

from __future__ import annotations

import itertools
from pathlib import Path

import httpx
import numpy as np
import pytest

from organizer.client import Client, ServiceError
from organizer.client.models import ClusterItem, Move, Pin
from organizer.library import Library
from organizer.types import NOISE, Assignments


def members(library: Library) -> Assignments:
    current = library.store.clusterings.current()
    assert current is not None
    return library.store.clusterings.assignments(current.clustering_id)


def test_profiles_are_what_the_members_say(reader: Client, field_library: Library) -> None:
    found = members(field_library)
    for cluster in reader.clusters().clusters:
        mine = found.cluster_ids == cluster.id
        distances, margins = found.distances[mine], found.margins[mine]
        assert cluster.size == mine.sum()
        assert cluster.share == pytest.approx(mine.sum() / len(found.image_ids))
        assert cluster.cohesion == cluster.cohesion_space
        assert cluster.cohesion_space == pytest.approx(1 - distances.mean(), abs=1e-6)
        assert cluster.doubt == pytest.approx(np.mean(margins < 0.25 * distances))
        ids = found.image_ids[mine]
        assert {*cluster.typical[1:]} <= {*ids[np.argsort(distances)][:8]}
        assert {*cluster.border} == {*ids[np.argsort(margins, kind="stable")][:8]} or len(
            {*margins}
        ) < len(margins)
        assert cluster.medoid == cluster.typical[0]
        assert len(cluster.typical) == len(cluster.border) == min(8, cluster.size)
        assert (cluster.hidden, cluster.decided, cluster.pinned) == (0, 0, False)


def test_profiles_tell_of_cameras_nights_and_what_came_last(reader: Client) -> None:
    names = {item.id: Path(item.path).parent.name for item in reader.images()}
    kinds = {names[str(c.medoid)]: c for c in reader.clusters().clusters}
    fox, night, green = kinds["fox"], kinds["night"], kinds["green"]
    assert (fox.added, fox.cameras, fox.size) == (1, 2, 13), "one of camera C came last"
    assert (night.night, night.cameras) == (1.0, 1)
    assert (green.night, green.size) == (0.0, 7)


def _sizes(clusters: list[ClusterItem]) -> list[int]:
    return [cluster.size for cluster in clusters]


def test_clusters_are_sorted_as_asked(client: Client, opened: Library) -> None:
    by_size = client.clusters().clusters
    assert _sizes(by_size) == sorted(_sizes(by_size), reverse=True)
    smallest = by_size[-1]
    client.rename(smallest.id, "Aardvark")
    client.rename(by_size[0].id, "zebra")
    by_name = client.clusters(sort="name").clusters
    assert [c.name for c in by_name] == ["Aardvark", "zebra", None, None]
    doubts = [c.doubt for c in client.clusters(sort="doubt").clusters]
    assert doubts == sorted(doubts, reverse=True)
    assert client.clusters(sort="newest").clusters[0].added == 1
    opened.recluster(k=3)
    found = [c.found_in or 0 for c in client.clusters(sort="novelty").clusters]
    assert found == sorted(found, reverse=True)


def test_fewer_or_more_pictures(reader: Client) -> None:
    for samples in (1, 5, 48):
        for cluster in reader.clusters(samples=samples).clusters:
            assert len(cluster.typical) == len(cluster.border) == min(samples, cluster.size)
    with pytest.raises(ServiceError):
        reader.clusters(samples=49)


def test_one_cluster_and_those_near_to_it(reader: Client, field_library: Library) -> None:
    all_of_them = {c.id: c for c in reader.clusters().clusters}
    current = field_library.store.clusterings.current()
    assert current is not None
    models = field_library.store.clusterings.models(current.clustering_id)
    centroids: dict[int, list[np.ndarray]] = {}
    for cluster_id, centroid in zip(models.cluster_ids.tolist(), models.centroids, strict=True):
        unit = centroid / np.linalg.norm(centroid)
        centroids.setdefault(cluster_id, []).append(unit)
    for cluster_id, cluster in all_of_them.items():
        found = reader.cluster(cluster_id)
        assert found.model_dump(include={*ClusterItem.model_fields}) == cluster.model_dump()
        distances = {
            other: min(
                float(1 - a @ b)
                for a, b in itertools.product(centroids[cluster_id], centroids[other])
            )
            for other in all_of_them.keys() - {cluster_id}
        }
        assert [near.id for near in found.near] == sorted(distances, key=distances.__getitem__)
        for near in found.near:
            assert near.distance == pytest.approx(distances[near.id], abs=1e-3)
            assert near.size == all_of_them[near.id].size


@pytest.mark.parametrize("given", ["999", "0", "-1", "x", "1.5", str(2**60)])
def test_a_cluster_that_is_not_there(field_url: str, given: str) -> None:
    answer = httpx.get(f"{field_url}/api/v1/clusters/{given}")
    assert answer.status_code in {404, 422}
    assert answer.json()["detail"]
    if given == "999":
        assert "history?cluster=999" in answer.json()["hint"]


def test_pinned_and_decided(client: Client) -> None:
    one, other = client.clusters().clusters[:2]
    ids = [item.id for item in client.images(cluster=other.id)][:3]
    client.decide(Move(images=ids, to=one.id), Pin(cluster=one.id))
    found = client.cluster(one.id)
    assert (found.pinned, found.size) == (True, one.size + 3)
    assert found.decided >= 3
    assert found.doubt <= 1


def test_the_status_counts_what_is_there(client: Client, opened: Library, home: Path) -> None:
    found = client.status()
    assert (found.library, found.roots) == (str(home / ".organizer"), [str(home / "photos")])
    assert (found.images, found.files, found.clustered, found.unassigned) == (41, 41, 41, 1)
    assert (found.added_since, found.missing, found.problems) == (2, 0, 0)
    assert found.clustering is not None
    assert (found.clustering.k, found.clustering.made_by) == (4, "recluster")
    assert found.last_ingest is not None
    assert (found.last_ingest.images, found.last_ingest.unassigned) == (2, 1)
    assert (found.has_times, found.has_deployments, found.can_search_text) == (True, False, False)
    assert found.progress.model_dump() == {"named": 0, "clusters": 4, "unassigned": 1}
    news = opened.clusters.news()
    assert news is not None
    assert {int(i): n for i, n in found.last_ingest.grown.items()} == dict(news.grown)
    found_again = members(opened)
    came = found_again.since == news.ingest_id
    assert (came.sum(), (found_again.cluster_ids[came] == NOISE).sum()) == (2, 1)


def test_an_empty_library_answers_everywhere(tmp_path: Path) -> None:
    from organizer.settings import Settings
    from tests.service.servers import running

    with (
        Library.open_or_create(tmp_path, Settings()) as library,
        running(library) as url,
        Client(url) as client,
    ):
        assert client.health().status == "ok"
        status = client.status()
        assert (status.images, status.clustering, status.last_ingest) == (0, None, None)
        assert client.clusters().clusters == []
        assert list(client.images()) == []
        assert client.image_columns().total == 0
        assert client.history().events == []
        assert client.deployments().deployments == []
        assert client.audit().audit is None
        assert client.jobs.list().jobs == []
        for refused in (client.suggestions, client.questions, client.review_sample, client.report):
            with pytest.raises(ServiceError) as raised:
                refused()
            assert raised.value.status in {409, 422}
            assert raised.value.hint, "what to do first"
