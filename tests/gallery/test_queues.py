"""Queues: suggestions in groups, and questions answered with one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]


@pytest.fixture
def taught(open_page: Open) -> Gallery:
    """Fox and Crow are named; images of two other colours were moved to them."""
    gallery = open_page()
    fox, crow, third, fourth = list(gallery.names)[:4]

    def some(cluster: int) -> list[str]:
        found = gallery.get("/images", cluster=cluster, limit=8)["items"]
        return [image["id"] for image in found]

    gallery.decide(
        {"kind": "rename", "cluster": fox, "name": "Fox"},
        {"kind": "rename", "cluster": crow, "name": "Crow"},
        {"kind": "move", "images": some(third), "to": fox},
        {"kind": "move", "images": some(fourth), "to": crow},
    )
    return gallery


def _cohorts(gallery: Gallery) -> list[dict[str, Any]]:
    return list(gallery.get("/suggestions")["cohorts"])


def test_groups_are_accepted_and_passed_over_with_one_key_each(taught: Gallery) -> None:
    first, second = _cohorts(taught)
    taught.go("#/queue/suggestions")
    assert taught.text("h1") == f"{first['count']} images look like {first['name']}"
    taught.press("y")
    taught.until(
        lambda: taught.text("h1") == f"{second['count']} images look like {second['name']}"
    )
    taught.until(lambda: len(_cohorts(taught)) == 1)
    taught.press("x")
    taught.until(lambda: "answered" in taught.text("main"))
    assert len(_cohorts(taught)) == 1
    taught.press("Control+z")
    taught.until(lambda: len(_cohorts(taught)) == 2)


def test_some_of_a_group_are_accepted(taught: Gallery) -> None:
    first = _cohorts(taught)[0]
    taught.go("#/queue/suggestions")
    taught.wait_for_grid()
    taught.press("Space", "Shift+ArrowRight")
    taught.until(lambda: "Accept these 2" in taught.text(".head"))
    taught.press("y")
    left = first["count"] - 2
    taught.until(lambda: taught.text("h1").startswith(f"{left} image"))
    taught.until(lambda: taught.get(f"/images/{first['images'][0]['id']}")["state"] == "decided")


def test_questions_are_answered_yes_no_and_with_another_name(taught: Gallery) -> None:
    taught.go("#/queue/doubtful")
    asked = taught.get("/review/doubtful", limit=50)["images"]
    if not asked:
        assert "nothing to ask" in taught.text("main")
        return
    name = asked[0]["cluster_name"] or f"Cluster {asked[0]['shown_in']}"
    assert taught.text("h1") == f"Is this {name}?"
    taught.press("y")
    taught.until(lambda: taught.get(f"/images/{asked[0]['id']}")["state"] == "decided")


def test_a_review_sample_is_answered_and_its_purity_said(taught: Gallery) -> None:
    cluster = next(iter(taught.names))
    taught.go(f"#/queue/review?cluster={cluster}")
    taught.press("y", "y", "x")
    taught.until(lambda: (taught.get("/review/audit")["audit"] or {}).get("overall") is not None)
    taught.until(lambda: taught.get("/review/audit")["audit"]["overall"]["answered"] == 3)
    assert taught.get("/review/audit")["audit"]["overall"]["right"] == 2


def test_what_is_worth_asking_is_asked(taught: Gallery) -> None:
    taught.go("#/queue/questions")
    asked = taught.get("/questions", limit=50)["questions"][0]
    taught.press("m")
    taught.type("Crow")
    taught.press("Enter")
    taught.until(lambda: taught.get(f"/images/{asked['id']}")["cluster_name"] == "Crow")
    taught.until(lambda: ", 2 of" in taught.text(".question-bar"))
