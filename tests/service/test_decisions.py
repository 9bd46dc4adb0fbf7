"""Decisions over HTTP: each kind, batches, revisions, and the way back and forth."""

from __future__ import annotations

import httpx
import pytest

from organizer.client import ANY_REVISION, Client, ServiceError
from organizer.client.client import AnyDecision
from organizer.client.models import (
    ClusterItem,
    Confirm,
    Exclude,
    ImageItem,
    Merge,
    Move,
    New,
    Pin,
    Rename,
    Retire,
    Split,
)
from organizer.library import Library
from tests.conftest import Run


def clusters(client: Client) -> dict[int, ClusterItem]:
    return {cluster.id: cluster for cluster in client.clusters().clusters}


def where(client: Client) -> dict[str, int | None]:
    return {item.name: item.cluster for item in client.images()}


def image(client: Client, name: str) -> ImageItem:
    return next(item for item in client.images() if item.name == name)


def cluster_of(client: Client, name: str) -> int:
    found = where(client)[name]
    assert found is not None
    return found


# Every kind ---------------------------------------------------------------------------------


def test_rename_and_pin(client: Client) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    green = cluster_of(client, "green0.png")
    done = client.rename(fox, "  Red fox ")
    assert (done.revision, done.reports[0].kind, done.reports[0].cluster) == (2, "rename", fox)
    assert "Red fox" in done.reports[0].what
    client.decide(Pin(cluster=green))
    found = clusters(client)
    assert (found[fox].name, found[fox].pinned) == ("Red fox", True)
    assert (found[green].name, found[green].pinned) == (None, True)
    assert client.clusters(name="FOX").clusters[0].id == fox
    assert client.clusters().progress.model_dump() == {"named": 1, "clusters": 4, "unassigned": 1}
    assert {item.cluster_name for item in client.images(cluster=fox)} == {"Red fox"}


def test_merge(client: Client) -> None:
    fox, owl = cluster_of(client, "fox0-0.jpg"), cluster_of(client, "owl0-0.jpg")
    before = clusters(client)
    (report,) = client.decide(Merge(clusters=[fox, owl])).reports
    assert (report.kind, report.cluster, report.retired) == ("merge", fox, [owl])
    after = clusters(client)
    assert owl not in after
    assert after[fox].size == before[fox].size + before[owl].size


def test_a_merge_of_two_names_is_asked_about(client: Client) -> None:
    fox, owl = cluster_of(client, "fox0-0.jpg"), cluster_of(client, "owl0-0.jpg")
    client.decide(Rename(cluster=fox, name="Fox"), Rename(cluster=owl, name="Owl"))
    with pytest.raises(ServiceError, match="2 clusters with names become one") as raised:
        client.decide(Merge(clusters=[fox, owl]))
    error = raised.value
    assert (error.status, error.kind) == (409, "needs-confirmation")
    assert error.problem["names"] == {str(fox): "Fox", str(owl): "Owl"}
    assert "Fox" in error.hint
    assert {c.name for c in clusters(client).values()} >= {"Fox", "Owl"}
    client.decide(Merge(clusters=[fox, owl], confirm=True))
    assert clusters(client)[fox].name == "Fox"


def test_split(client: Client) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    (report,) = client.decide(Split(cluster=fox, k=3)).reports
    assert len(report.new) == 2
    parts = [clusters(client)[i].size for i in (fox, *report.new)]
    assert sum(parts) == 13
    assert parts[0] == max(parts), "the largest part keeps the id"


def test_move_an_image_and_its_burst(client: Client) -> None:
    owl, green = cluster_of(client, "owl0-0.jpg"), cluster_of(client, "green0.png")
    one, other = image(client, "owl0-0.jpg"), image(client, "owl1-1.jpg")
    (report,) = client.decide(Move(images=[one.id], to=green)).reports
    assert report.moved == 1
    assert where(client)["owl0-1.jpg"] == owl
    (report,) = client.decide(Move(images=[other.id], to=green, burst=True)).reports
    assert report.moved == 3
    assert {where(client)[f"owl1-{i}.jpg"] for i in range(3)} == {green}
    assert {item.name for item in client.images(state="decided")} == {
        "owl0-0.jpg",
        *(f"owl1-{i}.jpg" for i in range(3)),
    }


def test_exclude(client: Client) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    done = client.decide(Exclude(images=[image(client, "fox0-0.jpg").id], cluster=fox))
    assert done.reports[0].kind == "exclude"
    assert where(client)["fox0-0.jpg"] != fox


def test_a_new_cluster_of_images(client: Client) -> None:
    ids = [image(client, f"night{i}.jpg").id for i in range(3)]
    (report,) = client.decide(New(images=ids, name="Badger")).reports
    assert (report.kind, report.new) == ("new", [report.cluster])
    found = clusters(client)[report.cluster]
    assert (found.name, found.size) == ("Badger", 3)


def test_confirm_keeps_images_where_they_are(client: Client) -> None:
    before = where(client)
    ids = [image(client, name).id for name in ("fox0-0.jpg", "owl0-0.jpg")]
    reports = client.decide(Confirm(images=ids)).reports
    assert [report.kind for report in reports] == ["move", "move"]
    assert where(client) == before
    assert {i.name for i in client.images(state="decided")} == {"fox0-0.jpg", "owl0-0.jpg"}
    with pytest.raises(ServiceError, match="in no cluster"):
        client.decide(Confirm(images=[image(client, "odd.jpg").id]))


def test_retire(client: Client) -> None:
    green = cluster_of(client, "green0.png")
    client.decide(Retire(cluster=green))
    assert green not in clusters(client)
    assert where(client)["green0.png"] != green


# Batches ------------------------------------------------------------------------------------


def test_a_batch_is_one_step_and_one_undo(client: Client) -> None:
    fox, owl = cluster_of(client, "fox0-0.jpg"), cluster_of(client, "owl0-0.jpg")
    before, at = clusters(client), where(client)
    done = client.decide(
        Rename(cluster=fox, name="Fox"),
        Move(images=[image(client, "owl0-0.jpg").id], to=fox),
        Split(cluster=owl),
        Pin(cluster=fox),
    )
    assert done.revision == 2
    assert [report.kind for report in done.reports] == ["rename", "move", "split", "pin"]
    undone = client.undo()
    assert (undone.done, undone.revision, len(undone.what)) == ("undone", 3, 4)
    assert where(client) == at
    assert {i: (c.name, c.size) for i, c in clusters(client).items()} == {
        i: (c.name, c.size) for i, c in before.items()
    }


def test_a_batch_of_which_one_cannot_be_changes_nothing(client: Client) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    with pytest.raises(ServiceError, match="999"):
        client.decide(Rename(cluster=fox, name="Fox"), Rename(cluster=999, name="No"))
    assert clusters(client)[fox].name is None
    assert client.status().revision == 1


# Refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decision",
    [
        Rename(cluster=1, name="   "),
        Rename(cluster=999, name="x"),
        Merge(clusters=[1, 1]),
        Move(images=["0" * 32], to=1),
        Exclude(images=["0" * 32], cluster=1),
        Split(cluster=1, k=99),
        Retire(cluster=999),
        Confirm(images=["0" * 32]),
    ],
    ids=repr,
)
def test_a_decision_that_cannot_be(client: Client, decision: AnyDecision) -> None:
    client.status()
    with pytest.raises(ServiceError) as raised:
        client.decide(decision)
    assert raised.value.status in {404, 409, 422}, raised.value.problem
    assert str(raised.value)
    assert client.status().revision == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decisions": []},
        {"decisions": [{"kind": "burn", "cluster": 1}]},
        {"decisions": [{"kind": "rename", "cluster": "1", "name": 5}]},
        {"decisions": [{"kind": "rename", "cluster": 1, "name": "x", "more": 1}]},
        {"decisions": [{"kind": "move", "images": ["../../etc/passwd"], "to": 1}]},
        {"decisions": [{"kind": "move", "images": [], "to": 1}]},
        {"decisions": [{"kind": "pin", "cluster": 2**80}]},
        {"decisions": {"kind": "pin", "cluster": 1}},
        [],
        None,
    ],
    ids=repr,
)
def test_a_body_that_is_none(url: str, body: object) -> None:
    answer = httpx.post(f"{url}/api/v1/decisions", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


# Revisions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/decisions", "/undo", "/redo", "/review/correct"])
def test_a_write_needs_the_revision_that_was_seen(url: str, name: str) -> None:
    body = {
        "/decisions": {"decisions": [{"kind": "pin", "cluster": 1}]},
        "/review/correct": {},
    }.get(name)
    answer = httpx.post(f"{url}/api/v1{name}", json=body)
    assert answer.status_code == 428
    assert answer.json()["type"] == "/problems/revision-required"
    assert '"17"' in answer.json()["hint"]
    with Client(url) as client:
        assert client.status().revision == 1


@pytest.mark.parametrize("given", ["x", '"x"', '"1", "2"', "-1", '"' + "9" * 40 + '"'])
def test_what_is_no_revision_is_refused(url: str, given: str) -> None:
    answer = httpx.post(f"{url}/api/v1/undo", headers={"If-Match": given})
    assert answer.status_code == 422


def test_the_slower_of_two_clients_is_told_what_happened(client: Client, url: str) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    with Client(url) as other:
        other.status()
        client.rename(fox, "Fox")
        with pytest.raises(ServiceError) as raised:
            other.rename(fox, "Dog")
        error = raised.value
        assert (error.status, error.kind) == (412, "stale-revision")
        assert error.problem["revision"] == 2
        (event,) = error.problem["since"]
        assert "Fox" in event["what"]
        assert event["clusters"] == [fox]
        assert clusters(client)[fox].name == "Fox", "nothing was overwritten"
        with pytest.raises(ServiceError):
            other.rename(fox, "Dog")  # trying again without looking does not help
        other.status()
        other.rename(fox, "Dog")
    assert clusters(client)[fox].name == "Dog"


def test_whoever_wants_to_decides_in_any_state(client: Client, url: str) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    with Client(url) as other:
        other.rename(fox, "Fox", revision=ANY_REVISION)
        with pytest.raises(ServiceError, match="revision 1"):
            other.rename(fox, "Dog", revision=1)
        other.rename(fox, "Dog", revision=2)


def test_a_client_that_has_read_nothing_is_asked_to(url: str) -> None:
    with Client(url) as client, pytest.raises(ServiceError) as raised:
        client.rename(1, "Fox")
    assert raised.value.status == 428


def test_the_etag_is_the_revision(url: str, client: Client) -> None:
    for path in ("/status", "/clusters", "/images", "/images/columns", "/history"):
        assert httpx.get(f"{url}/api/v1{path}").headers["etag"] == '"1"', path
    client.status()
    client.rename(1, "Fox")
    assert httpx.get(f"{url}/api/v1/clusters").headers["etag"] == '"2"'
    answer = httpx.post(f"{url}/api/v1/undo", headers={"If-Match": '"2"'})
    assert answer.headers["etag"] == '"3"'
    stale = httpx.post(f"{url}/api/v1/undo", headers={"If-Match": '"2"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, '"3"')


def test_the_command_line_may_be_faster(client: Client, run: Run) -> None:
    fox = cluster_of(client, "fox0-0.jpg")
    done = run("clusters", "rename", fox, "Fox of the shell")
    assert done.code == 0, done.err
    with pytest.raises(ServiceError) as raised:
        client.rename(fox, "Dog")
    assert raised.value.status == 412
    assert "Fox of the shell" in raised.value.problem["since"][0]["what"]
    assert clusters(client)[fox].name == "Fox of the shell"


def test_a_writing_library_elsewhere_is_waited_for_or_named(
    client: Client, opened: Library
) -> None:
    client.status()
    with Library.open(opened.store.path) as other, other.store.writing():
        with pytest.raises(ServiceError) as raised:
            client.rename(1, "Fox")
        assert raised.value.status == 503
        assert client.status().revision == 1, "reading goes on"
    client.rename(1, "Fox")


# Back and forth -----------------------------------------------------------------------------


def test_undo_and_redo_without_limit(client: Client) -> None:
    client.status()
    names = ["Fox", "Dog", "Wolf"]
    for name in names:
        client.rename(1, name)
    seen = []
    for _ in names:
        seen.append(clusters(client)[1].name)
        assert client.undo().done == "undone"
    assert seen == names[::-1]
    assert clusters(client)[1].name is None
    for name in names:
        assert client.redo().done == "redone"
        assert clusters(client)[1].name == name


def test_nothing_to_redo_is_a_conflict(client: Client) -> None:
    client.status()
    with pytest.raises(ServiceError) as raised:
        client.redo()
    assert raised.value.status == 409
    assert client.status().revision == 1


def test_the_history(client: Client) -> None:
    fox, owl = cluster_of(client, "fox0-0.jpg"), cluster_of(client, "owl0-0.jpg")
    client.rename(fox, "Fox")
    client.rename(owl, "Owl")
    client.undo()
    found = client.history()
    assert [event.step for event in found.events] == [4, 3, 2, 1]
    assert "Owl" in str(found.can_redo)
    assert "Fox" in str(found.can_undo)
    assert [e.step for e in client.history(fox).events] == [2, 1]
    assert [e.step for e in client.history(limit=2).events] == [4, 3]
    assert [e.step for e in client.history(before=3).events] == [2, 1]
