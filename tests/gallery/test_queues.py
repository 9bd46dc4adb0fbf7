"""Queues: suggestions in groups, and questions answered with one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from organizer.library import Library
from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]


@pytest.fixture
def taught(eight: Library, open_page: Open) -> Gallery:
    """Fox and Crow are named; to each came half of a cluster of its colour, the rest is open."""
    eight.recluster(k=12, reduce="none")
    gallery = open_page()
    clusters: dict[str, list[int]] = {}
    for cluster in gallery.names:
        colour = gallery.get("/images", cluster=cluster, limit=1)["items"][0]["path"].split("/")[-2]
        clusters.setdefault(colour, []).append(cluster)
    two = [parts for parts in clusters.values() if len(parts) > 1][:2]
    decisions: list[dict[str, Any]] = []
    for name, (first, other) in zip(("Fox", "Crow"), two, strict=True):
        found = gallery.get("/images", cluster=other, order="path")["items"]
        ids = [image["id"] for image in found[::2]]
        decisions += [
            {"kind": "rename", "cluster": first, "name": name},
            {"kind": "move", "images": ids, "to": first},
        ]
    gallery.decide(*decisions)
    return gallery


def _cohorts(gallery: Gallery) -> list[dict[str, Any]]:
    return list(gallery.get("/suggestions")["cohorts"])


def _clusters(gallery: Gallery, ids: list[str]) -> set[int | None]:
    return {gallery.get(f"/images/{image}")["cluster"] for image in ids}


def _said(cohort: dict[str, Any]) -> str:
    count, name = cohort["count"], cohort["name"]
    return f"{count} image looks like {name}" if count == 1 else f"{count} images look like {name}"


def test_groups_are_accepted_and_passed_over_with_one_key_each(taught: Gallery) -> None:
    first, second = _cohorts(taught)
    ids = [image["id"] for image in first["images"]]
    taught.go("#/queue/suggestions")
    assert taught.text("h1") == _said(first)
    taught.press("x")
    taught.until(lambda: taught.text("h1") == _said(second))
    taught.press("x")
    taught.until(lambda: "answered" in taught.text("main"))
    assert len(_cohorts(taught)) == 2  # nothing was decided by it
    taught.page.reload()
    taught.until(lambda: taught.text("h1") == _said(first))
    taught.press("y")
    taught.until(lambda: _clusters(taught, ids) == {first["cluster"]})
    taught.until(lambda: taught.text("h1") != _said(first))
    taught.press("Control+z")
    taught.until(lambda: first["cluster"] not in _clusters(taught, ids))
    taught.until(lambda: taught.text("h1") == _said(first))


def test_some_of_a_group_are_accepted(taught: Gallery) -> None:
    first = _cohorts(taught)[0]
    taught.go("#/queue/suggestions")
    taught.wait_for_grid()
    assert first["count"] > 1
    taught.press("Space")
    taught.until(lambda: "Accept these 1" in taught.text(".head"))
    taught.press("y")
    taught.until(lambda: taught.text("h1").startswith(f"{first['count'] - 1} image"))
    taught.until(lambda: taught.get(f"/images/{first['images'][0]['id']}")["state"] == "decided")


def test_a_suggestion_that_is_made_no_longer_is_left_out(taught: Gallery) -> None:
    first, second = _cohorts(taught)
    ids = [image["id"] for image in first["images"]]
    assert len(ids) > 1
    other = second["cluster"]
    taught.page.route("**/api/v1/events", lambda route: route.abort())
    taught.go("#/queue/suggestions")
    taught.page.reload()
    taught.until(lambda: taught.text("h1") == _said(first))
    taught.decide({"kind": "move", "images": ids[:1], "to": other})
    still = {
        image["id"]
        for cohort in _cohorts(taught)
        if cohort["cluster"] == first["cluster"]
        for image in cohort["images"]
    }
    taught.press("y")
    taught.until(lambda: "left out" in taught.says)
    assert taught.get(f"/images/{ids[0]}")["cluster"] == other
    kept = [image for image in ids if image in still]
    assert kept
    assert _clusters(taught, kept) == {first["cluster"]}
    assert f"{len(ids) - len(kept)} image" in taught.says


def test_questions_are_answered_yes_no_and_with_another_name(taught: Gallery) -> None:
    taught.go("#/queue/doubtful")
    asked = taught.get("/review/doubtful", limit=50)["images"]
    if not asked:
        assert "nothing to ask" in taught.text("main")
        return
    name = asked[0]["cluster_name"] or f"Cluster {asked[0]['shown_in']}"
    taught.until(lambda: taught.text("h1") == f"Is this {name}?")
    taught.press("y")
    taught.until(lambda: taught.get(f"/images/{asked[0]['id']}")["state"] == "decided")


def test_a_review_sample_is_answered_and_its_purity_said(taught: Gallery) -> None:
    cluster = next(iter(taught.names))
    taught.go(f"#/queue/review?cluster={cluster}")
    taught.until(lambda: ", 1 of" in taught.text(".question-bar"))
    taught.press("y", "y", "x")
    taught.until(lambda: (taught.get("/review/audit")["audit"] or {}).get("overall") is not None)
    taught.until(lambda: taught.get("/review/audit")["audit"]["overall"]["answered"] == 3)
    assert taught.get("/review/audit")["audit"]["overall"]["right"] == 2


def test_what_is_worth_asking_is_asked(taught: Gallery) -> None:
    taught.go("#/queue/questions")
    asked = taught.get("/questions", limit=50)["questions"][0]
    taught.until(lambda: ", 1 of" in taught.text(".question-bar"))
    taught.press("m")
    taught.type("Crow")
    taught.press("Enter")
    taught.until(lambda: taught.get(f"/images/{asked['id']}")["cluster_name"] == "Crow")
    taught.until(lambda: ", 2 of" in taught.text(".question-bar"))


def test_an_undone_question_is_asked_again(taught: Gallery) -> None:
    taught.go("#/queue/questions")
    asked = taught.get("/questions", limit=50)["questions"][0]
    before = taught.get(f"/images/{asked['id']}")["cluster"]
    taught.until(lambda: ", 1 of" in taught.text(".question-bar"))
    taught.press("m")
    taught.type("Crow")
    taught.press("Enter")
    taught.until(lambda: taught.get(f"/images/{asked['id']}")["cluster_name"] == "Crow")
    taught.until(lambda: ", 2 of" in taught.text(".question-bar"))
    taught.press("Control+z")
    taught.until(lambda: ", 1 of" in taught.text(".question-bar"))
    assert taught.get(f"/images/{asked['id']}")["cluster"] == before


def test_a_review_is_answered_in_the_large_view_too(taught: Gallery) -> None:
    cluster = next(iter(taught.names))
    taught.go(f"#/queue/review?cluster={cluster}")
    taught.until(lambda: ", 1 of" in taught.text(".question-bar"))
    taught.press("Enter")
    taught.page.wait_for_selector(".viewer")
    taught.press("c", "x")
    taught.until(lambda: (taught.get("/review/audit")["audit"] or {}).get("overall") is not None)
    taught.until(lambda: taught.get("/review/audit")["audit"]["overall"]["answered"] == 2)
    taught.press("Escape")
    taught.until(lambda: ", 3 of" in taught.text(".question-bar"))


def test_those_selected_leave_the_group_and_come_back(taught: Gallery) -> None:
    first = _cohorts(taught)[0]
    taught.go("#/queue/suggestions")
    taught.wait_for_grid()
    assert first["count"] > 1
    taught.press("Space", "x")
    taught.until(lambda: taught.text("h1").startswith(f"{first['count'] - 1} image"))
    assert "not accepted as" in taught.says
    taught.page.click("text=Take back")
    taught.until(lambda: taught.text("h1") == _said(first))
    assert len(_cohorts(taught)) == 2  # nothing was decided by it
