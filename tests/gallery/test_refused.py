"""What is refused, or was overtaken, is not said to be done."""

from __future__ import annotations

import json

from playwright.sync_api import Route

from tests.gallery.opened import Gallery


def _refuse(route: Route) -> None:
    body = {"title": "Refused", "detail": "The disk is full.", "type": "x"}
    route.fulfill(status=507, content_type="application/problem+json", body=json.dumps(body))


def test_a_refused_act_offers_no_undo(gallery: Gallery) -> None:
    cluster = next(iter(gallery.names))
    gallery.go(f"#/cluster/{cluster}")
    gallery.wait_for_grid()
    gallery.page.route("**/api/v1/decisions", _refuse)
    gallery.press("Space", "c")
    gallery.until(lambda: "The disk is full." in gallery.says)
    assert "confirmed" not in gallery.says
    assert "Undo" not in gallery.says


def test_the_undo_of_a_message_takes_back_no_other_act(gallery: Gallery) -> None:
    first, second = list(gallery.names)[:2]
    gallery.go(f"#/cluster/{first}")
    gallery.wait_for_grid()
    gallery.press("Space", "c")
    gallery.until(lambda: gallery.get("/images", state="decided")["total"] == 1)
    gallery.decide({"kind": "rename", "cluster": second, "name": "Lynx"})
    gallery.page.click(".toast.done >> text=Undo")
    gallery.until(lambda: "Something else was decided since." in gallery.says)
    assert gallery.names[second] == "Lynx"
    assert gallery.get("/images", state="decided")["total"] == 1


def test_unassigned_images_are_not_offered_what_means_nothing(gallery: Gallery) -> None:
    cluster = next(iter(gallery.names))
    gallery.go(f"#/cluster/{cluster}")
    gallery.wait_for_grid()
    gallery.press("a", "x")
    gallery.until(lambda: "Back to the clusters" in gallery.text("main"))
    gallery.go("#/unassigned")
    gallery.wait_for_grid()
    gallery.press("Space")
    gallery.until(lambda: "Move to" in gallery.text(".act-bar"))
    assert "Confirm" not in gallery.text(".act-bar")
    gallery.press("Enter")
    gallery.until(lambda: "Move to" in gallery.text(".viewer-acts"))
    assert "Not here" not in gallery.text(".viewer-acts")


def test_the_queues_are_gone_through_by_arrows(gallery: Gallery) -> None:
    gallery.go("#/queue")
    gallery.until(lambda: "Worth asking" in gallery.text("main"))
    gallery.press("ArrowDown", "Enter")
    gallery.until(lambda: gallery.evaluate("location.hash") == "#/queue/questions")
