"""Images over HTTP: pages, columns, filters and details, against what the library itself holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizer.client import Client, ServiceError
from organizer.client.models import ImageItem, Move
from organizer.client.queries import column_ids
from organizer.library import Library
from tests.conftest import make_photo
from tests.service.field import decoded
from tests.traps import FOX, near

ORDERS = ("typical", "border", "time", "path", "newest")


def rows(library: Library) -> list[dict[str, Any]]:
    """Every image with its cluster, as the library's own table has it."""
    found: list[dict[str, Any]] = library.assignments().to_pylist()
    return found


def named(items: list[ImageItem], name: str) -> ImageItem:
    return next(item for item in items if item.name == name)


# Pages and columns --------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("limit", [6, 1_000])
def test_pages_put_together_are_the_columns(reader: Client, order: Any, limit: int) -> None:
    columns = reader.image_columns(order=order)
    pages = [item.id for item in reader.images(order=order, limit=limit)]
    assert pages == column_ids(columns) == decoded(columns.ids)
    assert len({*pages}) == columns.total == 41


def test_an_order_is_by_what_it_says(reader: Client) -> None:
    by_path = [item.path for item in reader.images(order="path")]
    assert by_path == sorted(by_path)
    times = [item.time for item in reader.images(order="time")]
    known = [time for time in times if time is not None]
    assert known == sorted(known)
    assert times == [*known, *[None] * 7]
    distances = [item.distance for item in reader.images(cluster=1)]
    assert distances == sorted(distances)  # type: ignore[type-var]
    newest = [item.name for item in reader.images(order="newest")]
    assert {*newest[:2]} == {"late.jpg", "odd.jpg"}


def test_the_total_and_the_end_of_a_list(reader: Client) -> None:
    first = reader.image_page(limit=40)
    assert (first.total, first.hidden, len(first.items)) == (41, 0, 40)
    assert first.next is not None
    last = reader.image_page(limit=40, cursor=first.next)
    assert (last.total, len(last.items), last.next) == (41, 1, None)
    whole = reader.image_page(limit=41)
    assert whole.next is None, "a full last page has no empty one after it"


def test_only_the_columns_that_were_asked_for_come(field_url: str) -> None:
    def keys(columns: str) -> set[str]:
        found = httpx.get(f"{field_url}/api/v1/images/columns", params={"columns": columns})
        assert found.status_code == 200
        return {*found.json()} - {"revision", "total", "hidden", "ids"}

    assert keys("") == set()
    assert keys("time,cluster") == {"time", "cluster"}
    usual = httpx.get(f"{field_url}/api/v1/images/columns").json()
    assert {*usual} >= {"ratio", "state", "event", "burst"}
    assert "time" not in usual


def test_columns_hold_what_pages_hold(reader: Client) -> None:
    columns = reader.image_columns(
        "ratio", "time", "state", "cluster", "event", "burst", "camera", "distance"
    )
    items = list(reader.images())
    assert columns.time == [item.time for item in items]
    assert columns.cluster == [item.cluster for item in items]
    assert columns.event == [item.event for item in items]
    assert columns.burst == [item.burst for item in items]
    assert columns.state == "".join({"auto": "a", "unsure": "u"}[str(i.state)] for i in items)
    assert columns.ratio == [round(100 * (item.ratio or 0)) for item in items]
    assert columns.distance == [round(item.distance or 0, 3) for item in items]
    assert columns.camera is not None
    names = columns.camera.names
    assert [None if i is None else names[i] for i in columns.camera.of] == [
        item.camera for item in items
    ]
    assert names == ["A", "B", "C"]


def test_an_unknown_column_is_named(reader: Client) -> None:
    with pytest.raises(ServiceError, match="no column colour") as raised:
        reader.image_columns("ratio", "colour")
    assert raised.value.status == 422
    assert "ratio" in raised.value.hint


# Cursors ------------------------------------------------------------------------------------


def test_a_cursor_holds_while_others_decide(client: Client, url: str) -> None:
    first = client.image_page(order="path", limit=10)
    unmoved = client.image_columns(order="path")
    with Client(url) as other:
        items = list(other.images())
        late, green = named(items, "late.jpg"), named(items, "green0.png")
        assert green.cluster is not None
        other.decide(Move(images=[late.id], to=green.cluster))
    second = client.image_page(order="path", limit=1_000, cursor=first.next)
    assert [i.id for i in (*first.items, *second.items)] == column_ids(unmoved)
    assert named(second.items, "green0.png").cluster == green.cluster
    assert second.revision == first.revision + 1, "the page says which revision it shows"


def test_a_cursor_holds_while_an_ingest_goes_on(
    client: Client, opened: Library, home: Path
) -> None:
    first = client.image_page(order="path", limit=10)
    before = column_ids(client.image_columns(order="path"))
    for at, name in enumerate(("photos/a.jpg", "photos/zz.jpg")):
        make_photo(home / name, 800 + at, colour=near(FOX, 1))
    opened.ingest([home / "photos"])
    second = client.image_page(order="path", limit=1_000, cursor=first.next)
    listed = [i.name for i in (*first.items, *second.items)]
    assert [i.id for i in (*first.items, *second.items) if i.name != "zz.jpg"] == before
    assert listed[-1] == "zz.jpg", "what comes after the cursor is seen"
    assert "a.jpg" not in listed, "what comes before it was passed"


def test_a_cursor_of_a_clustering_that_is_gone(client: Client, opened: Library) -> None:
    cursor = client.image_page(limit=5).next
    opened.recluster(k=3)
    with pytest.raises(ServiceError, match="made again") as raised:
        client.image_page(limit=5, cursor=cursor)
    assert (raised.value.status, raised.value.kind) == (410, "gone")


def _coded(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%00",
        "ä",
        _coded(),
        _coded(1, "path", 0.0, "x"),
        _coded(1, "path", "x", "x", "x"),
        _coded(True, "path", 0.0, "x", "x"),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        base64.urlsafe_b64encode(b"[" * 3_000).decode(),
    ],
)
def test_what_is_no_cursor_is_refused(reader: Client, cursor: str) -> None:
    with pytest.raises(ServiceError) as raised:
        reader.image_page(order="path", cursor=cursor)
    assert (raised.value.status, raised.value.kind) == (422, "invalid")


def test_a_cursor_of_another_order_is_refused(reader: Client) -> None:
    cursor = reader.image_page(order="time", limit=3).next
    with pytest.raises(ServiceError, match="no cursor of this list"):
        reader.image_page(order="path", cursor=cursor)


# Filters ------------------------------------------------------------------------------------

FILTERS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], bool]]] = {
    "camera": ({"camera": "A"}, lambda row: row["path"].parent.name == "fox"),
    "text in any case": ({"text": "FOX1"}, lambda row: "fox1" in str(row["path"])),
    "label": ({"label": "owl"}, lambda row: row["path"].parent.name == "owl"),
    "label by light": (
        {"label": "colour", "labels": "light"},
        lambda row: row["path"].suffix == ".png",
    ),
    "day": ({"light": "day"}, lambda row: row["path"].suffix == ".png"),
    "night": ({"light": "night"}, lambda row: row["path"].suffix == ".jpg"),
    "after a month": ({"after": "2024-06"}, lambda row: row["path"].parent.name == "card"),
    "before a time": (
        {"before": "2024-05-01T00:00:20"},
        lambda row: row["path"].stem in {"fox0-0", "fox0-1", "fox0-2"},
    ),
    "between": (
        {"after": "2024-05-02", "before": "2024-05-02"},
        lambda row: row["path"].parent.name == "night",
    ),
    "unassigned": ({"cluster": "unassigned"}, lambda row: row["path"].stem == "odd"),
    "unsure": ({"state": "unsure"}, lambda row: row["path"].stem == "odd"),
    "decided": ({"state": "decided"}, lambda _: False),
    "last ingest": ({"ingest": "last"}, lambda row: row["path"].parent.name == "card"),
    "a former ingest": ({"ingest": 0}, lambda row: row["path"].parent.name != "card"),
    "no such cluster": ({"cluster": 999}, lambda _: False),
    "two at once": (
        {"camera": "B", "label": "owl", "text": "owl3"},
        lambda row: "owl3" in str(row["path"]),
    ),
}
"""By name: what is asked, and which rows of the library's table it lets through."""


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_lets_through_what_it_says(
    reader: Client, field_library: Library, name: str
) -> None:
    query, keeps = FILTERS[name]
    expected = {row["image_id"] for row in map(_with_path, rows(field_library)) if keeps(row)}
    assert {item.id for item in reader.images(**query)} == expected
    columns = reader.image_columns(**query)
    assert {*column_ids(columns)} == expected
    assert columns.total == len(expected)


def _with_path(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "path": Path(row["path"])}


def test_clusters_part_the_images(reader: Client, field_library: Library) -> None:
    for cluster in reader.clusters().clusters:
        expected = {r["image_id"] for r in rows(field_library) if r["cluster_id"] == cluster.id}
        assert {item.id for item in reader.images(cluster=cluster.id)} == expected
        assert cluster.size == len(expected)


def test_events_and_bursts_are_those_of_the_times(reader: Client) -> None:
    items = list(reader.images())
    fox = named(items, "fox2-1.jpg")
    assert fox.burst is not None
    assert {i.name for i in reader.images(burst=fox.burst)} == {f"fox2-{i}.jpg" for i in range(3)}
    assert fox.event is not None
    event = {i.name for i in reader.images(event=fox.event)}
    # Bursts of one camera come every twenty minutes, and half an hour ends an event.
    assert event == {f"fox{i}-{j}.jpg" for i in range(4) for j in range(3)}


def test_near_is_the_nearest_cluster_of_what_is_unassigned(reader: Client) -> None:
    (odd,) = reader.images(cluster="unassigned")
    assert odd.candidate is not None
    assert [i.id for i in reader.images(near=odd.candidate)] == [odd.id]
    others = {c.id for c in reader.clusters().clusters} - {odd.candidate}
    for other in others:
        assert list(reader.images(near=other)) == []
    assigned = [i for i in reader.images() if i.cluster is not None]
    assert {i.candidate for i in assigned} == {None}, "only of unassigned images"


@pytest.mark.parametrize(
    "query",
    [
        {"cluster": "none"},
        {"cluster": "-1"},
        {"near": 0},
        {"state": "sure"},
        {"after": "yesterday"},
        {"before": "2024-13"},
        {"ingest": "first"},
        {"light": "dusk"},
        {"order": "random"},
        {"limit": 0},
        {"limit": 1_001},
        {"labels": "colour", "label": "red"},
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_is_a_problem(field_url: str, query: dict[str, Any]) -> None:
    found = httpx.get(f"{field_url}/api/v1/images", params=query)
    assert found.status_code == 422, found.text
    assert found.headers["content-type"] == "application/problem+json"
    problem = found.json()
    assert problem["status"] == 422
    assert problem["detail"]


# One image ----------------------------------------------------------------------------------


def test_an_image_with_all_that_is_known(client: Client, home: Path) -> None:
    items = list(client.images())
    late, green = named(items, "late.jpg"), named(items, "green0.png")
    assert green.cluster is not None
    client.decide(Move(images=[late.id], to=green.cluster))
    found = client.image(late.id)
    assert found.model_dump()["path"] == str(home / "photos" / "card" / "late.jpg")
    assert [(file.path, file.present) for file in found.paths] == [(found.path, True)]
    assert (found.time, found.camera) == ("2024-06-02T09:00:00", "C")
    assert (found.cluster, found.state) == (green.cluster, "decided")
    assert (found.facts["width"], found.facts["height"]) == (32, 24)
    assert (found.crops, found.frame, found.box) == ([], None, None)
    (decision,) = found.decisions
    assert str(green.cluster) in decision.what
    assert decision.step == client.revision


def test_a_file_that_has_gone_is_said(client: Client, opened: Library, home: Path) -> None:
    late = named(list(client.images()), "late.jpg")
    (home / "photos" / "card" / "late.jpg").unlink()
    opened.ingest([home / "photos" / "card"])
    assert [file.present for file in client.image(late.id).paths] == [False]
    assert client.status().missing == 1


@pytest.mark.parametrize("image_id", ["0" * 32, "f" * 32])
def test_an_image_that_is_not_there(reader: Client, image_id: str) -> None:
    with pytest.raises(ServiceError, match="there is no image") as raised:
        reader.image(image_id)
    assert raised.value.status == 404
