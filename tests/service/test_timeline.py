"""The timeline over HTTP: events as the library gives them, filters, an answer to each decision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from organizer.library import Library
from tests.scenes import season
from tests.service.servers import problem, serving
from tests.test_detecting import seen
from tests.traps import COLOUR, bursts_of_two_kinds, frame


@pytest.fixture
def card(library: Library, tmp_path: Path) -> Library:
    library.ingest([bursts_of_two_kinds(tmp_path / "card")], embedder=COLOUR)
    at = "2024:05:03 23:00:00"
    frame(tmp_path / "card" / "other.jpg", (90, 90, 90), at=at, camera="B", noise=0)
    frame(tmp_path / "card" / "none.jpg", (10, 90, 90), at=None, camera="B")
    library.ingest([tmp_path / "card"], embedder=COLOUR)
    library.recluster(k=2, reduce="none")
    return library


@pytest.fixture
def client(card: Library) -> Iterator[httpx.Client]:
    with serving(card) as client:
        yield client


def test_events_are_those_of_the_library(client: httpx.Client, card: Library) -> None:
    response = client.get("/timeline")
    found = response.json()
    assert response.headers["ETag"] == f'"{found["revision"]}"'
    expected = card.images.timeline()
    assert len(expected.events) == 2
    assert found["events"] == [
        {
            "event": event.event,
            "camera": event.camera,
            "deployment": None,
            "start": event.start,
            "end": event.end,
            "images": event.images,
            "hidden": 0,
            "night": event.night,
            "clusters": {str(i): count for i, count in event.clusters.items()},
            "unassigned": event.unassigned,
            "medoid": event.medoid,
            "group": "no detector result",
        }
        for event in expected.events
    ]
    assert (found["untimed"], len(found["untimed_images"])) == (1, 1)
    assert found["cameras"] == ["A", "B"]
    for event in found["events"]:
        images = client.get("/images", params={"event": event["event"]}).json()
        assert images["total"] == event["images"]


def test_it_is_limited_and_what_is_not_there_is_refused(client: httpx.Client) -> None:
    events = client.get("/timeline", params={"camera": "B"}).json()["events"]
    assert [event["camera"] for event in events] == ["B"]
    assert "A, B" in problem(client.get("/timeline?camera=C"), 422, "invalid")["hint"]
    problem(client.get("/timeline?deployment=ridge"), 422, "invalid")


def test_a_decision_is_seen_by_the_next_answer(client: httpx.Client, card: Library) -> None:
    first = client.get("/timeline").json()["events"][0]
    ids = client.get("/images", params={"event": first["event"]}).json()["items"]
    card.corrections.move([image["id"] for image in ids], 2)
    after = client.get("/timeline").json()["events"][0]
    assert after["clusters"] == {"2": first["images"]}


def test_photos_with_people_are_in_their_group_alone(library: Library, tmp_path: Path) -> None:
    scenes = season(tmp_path / "season", each=1)
    library.ingest([scenes.folder], embedder=COLOUR)
    library.detections.add(seen(library, scenes))
    library.recluster(k=2, reduce="none")
    with serving(library) as client:
        people = client.get("/groups/people").json()
        assert [item["name"] for item in people["items"]] == ["person.jpg"] * 2
        empty = client.get("/groups/empty", params={"limit": 3}).json()
        assert (empty["total"], len(empty["items"])) == (4, 3)
        ids = {item["id"] for item in people["items"]}
        listed = client.get("/images", params={"limit": 1000}).json()
        assert not ids & {item["id"] for item in listed["items"]}
        problem(client.get("/groups/animals"), 422, "invalid")
