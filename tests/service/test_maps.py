"""The map over HTTP: points, ids and columns in one order, and a job that draws it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from organizer.client import Client
from organizer.library import Library
from organizer.types import NOISE
from tests.conftest import make_groups
from tests.service.servers import begun, ended, problem, serving
from tests.traps import COLOUR, FOX, OWL, frame


@pytest.fixture
def card(library: Library, tmp_path: Path) -> Library:
    """Foxes of camera A, owls of camera B, one photo without camera and time."""
    for i in range(6):
        for camera, colour in (("A", FOX), ("B", OWL)):
            at = f"2024:05:0{i + 1} 10:00:00"
            frame(tmp_path / "card" / f"{camera}{i}.jpg", colour, at=at, camera=camera)
    frame(tmp_path / "card" / "none.jpg", OWL, at=None, camera="")
    library.ingest([tmp_path / "card"], embedder=COLOUR)
    library.recluster(k=2, reduce="none")
    return library


@pytest.fixture
def client(card: Library) -> Iterator[httpx.Client]:
    with serving(card) as client:
        yield client


def _drawn(client: httpx.Client, **body: Any) -> Any:
    job = ended(client, begun(client.post("/maps", json=body)))
    assert job["state"] == "done", job
    return job["result"]


def _column(client: httpx.Client, name: str, kind: str) -> NDArray[Any]:
    response = client.get(f"/map/columns/{name}")
    assert response.headers["Content-Type"] == "application/octet-stream"
    return np.frombuffer(response.content, dtype=kind)


def test_a_map_that_is_not_drawn_says_so(client: httpx.Client) -> None:
    found = client.get("/map").json()
    assert found["drawn"] is False
    assert (found["count"], found["version"], found["method"]) == (0, "", "tsne")
    for path in ("/map/points", "/map/ids", "/map/columns/cluster"):
        assert problem(client.get(path), 404, "not-found")["hint"]


def test_points_and_ids_are_those_of_the_library(client: httpx.Client, card: Library) -> None:
    result = _drawn(client)
    assert result == {
        "method": "tsne",
        "count": 13,
        "drawn_of": 13,
        "placed_since": 0,
        "hidden": 0,
    }
    found = card.reports.map()
    about = client.get("/map").json()
    assert (about["drawn"], about["count"], about["cameras"]) == (True, 13, ["A", "B"])
    points = np.frombuffer(client.get("/map/points").content, dtype="<f4").reshape(-1, 2)
    assert points.tolist() == found.xy.tolist()
    ids = client.get("/map/ids").content
    assert [ids[i : i + 16].hex() for i in range(0, len(ids), 16)] == found.image_ids.tolist()


def test_columns_are_what_the_library_knows_of_each_image(
    client: httpx.Client, card: Library
) -> None:
    _drawn(client)
    ids = card.reports.map().image_ids.tolist()
    card.corrections.exclude([ids[3]], _cluster_of(card)[ids[3]])
    clusters = _cluster_of(card)
    assert _column(client, "cluster", "<i4").tolist() == [clusters[i] for i in ids]
    assert clusters[ids[3]] == NOISE
    assert _column(client, "state", "u1")[3] == 1
    facts = card.store.photos.facts_of(ids)
    number = {"A": 0, "B": 1}
    cameras = [number.get(facts[i].camera or "", 65_535) for i in ids]
    assert _column(client, "camera", "<u2").tolist() == cameras
    times = _column(client, "time", "<f8")
    start = datetime(1970, 1, 1)  # noqa: DTZ001 - cameras know no zones
    for image_id, seconds in zip(ids, times.tolist(), strict=True):
        taken = facts[image_id].taken_at
        if taken is None:
            assert np.isnan(seconds)
        else:
            assert seconds == (datetime.fromisoformat(taken) - start).total_seconds()
    current = card.store.clusterings.current()
    assert current is not None
    members = card.store.clusterings.assignments(current.clustering_id)
    near = dict(zip(members.image_ids, members.distances, strict=True))
    margin = dict(zip(members.image_ids, members.margins, strict=True))
    expected = [near[i] / (near[i] + max(margin[i], 0)) for i in ids]
    assert _column(client, "doubt", "<f4") == pytest.approx(expected, abs=1e-5)


def _cluster_of(library: Library) -> dict[str, int]:
    current = library.store.clusterings.current()
    assert current is not None
    members = library.store.clusterings.assignments(current.clustering_id)
    return dict(zip(members.image_ids.tolist(), members.cluster_ids.tolist(), strict=True))


def test_what_does_not_change_is_not_sent_twice(client: httpx.Client, card: Library) -> None:
    _drawn(client)
    version = client.get("/map").json()["version"]
    points = client.get("/map/points", params={"version": version})
    assert "immutable" in points.headers["Cache-Control"]
    assert "immutable" not in client.get("/map/points").headers["Cache-Control"]
    again = client.get("/map/points", headers={"If-None-Match": points.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    cluster = client.get("/map/columns/cluster")
    unchanged = {"If-None-Match": cluster.headers["ETag"]}
    assert client.get("/map/columns/cluster", headers=unchanged).status_code == 304
    card.corrections.move([card.reports.map().image_ids[0]], 2)
    card.corrections.move([card.reports.map().image_ids[0]], 1)
    assert client.get("/map").json()["version"] == version
    card.corrections.rename(1, "Red fox")
    assert client.get("/map/points", headers={"If-None-Match": f'"{version}"'}).status_code == 304


def test_new_images_are_placed_and_it_is_drawn_anew_when_asked(
    client: httpx.Client, card: Library, tmp_path: Path
) -> None:
    _drawn(client)
    before = client.get("/map").json()
    points = client.get("/map/points").content
    card.ingest([make_groups(tmp_path / "more", each=2)], embedder=COLOUR)
    after = client.get("/map").json()
    assert (after["count"], after["placed_since"]) == (19, 6)
    assert after["version"] != before["version"]
    assert client.get("/map/points").content.startswith(points)
    assert _drawn(client)["placed_since"] == 6
    assert _drawn(client, redraw=True)["placed_since"] == 0
    assert client.get("/map").json()["placed_since"] == 0


def test_what_cannot_be_is_refused(client: httpx.Client) -> None:
    problem(client.get("/map", params={"method": "none"}), 422, "invalid")
    _drawn(client, method="pca")
    problem(client.get("/map/columns/colour", params={"method": "pca"}), 422, "invalid")
    problem(client.post("/maps", json={"method": "tsne", "seed": os.getpid()}), 422, "invalid")


def test_without_clusters_there_is_nothing_to_map(filled: Library) -> None:
    with serving(filled) as client:
        problem(client.get("/map"), 409, "cannot-be-clustered")


def test_the_client_reads_the_map(client: httpx.Client, card: Library) -> None:
    with Client(str(client.base_url).removesuffix("/api/v1/")) as service:
        service.jobs.wait(service.jobs.map(method="pca"))
        about = service.map(method="pca")
        assert (about.drawn, about.count, about.cameras) == (True, 13, ["A", "B"])
        found = card.reports.map(method="pca")
        points = service.map_points(method="pca")
        assert [image_id for image_id, _, _ in points] == found.image_ids.tolist()
        assert [[x, y] for _, x, y in points] == found.xy.tolist()
        clusters = service.map_column("cluster", method="pca")
        assert clusters == [_cluster_of(card)[i] for i in found.image_ids.tolist()]
        assert len(service.map_column("time", method="pca")) == 13
        assert len(service.timeline(camera="A").events) == 6
        assert service.group("empty").total == 0
