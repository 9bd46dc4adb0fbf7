"""Two tabs, another program, and decisions that come too late: nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]


def _deaf(gallery: Gallery, view: str = "#/") -> None:
    """Load a view anew so that it does not hear what others do."""
    gallery.page.route("**/api/v1/events", lambda route: route.abort())
    gallery.go(view)
    gallery.page.reload()
    gallery.page.wait_for_selector("main h1")


def _first_two(gallery: Gallery, cluster: int) -> list[str]:
    """The ids of the first two images that the grid of a cluster shows."""
    found = gallery.get("/images", cluster=cluster, state="auto", order="border", limit=2)
    return [image["id"] for image in found["items"]]


def _move_to(gallery: Gallery, cluster: int) -> None:
    gallery.press("m")
    gallery.type(f"cluster {cluster}")
    gallery.press("Enter")


def _named(gallery: Gallery) -> list[tuple[int, str | None]]:
    return list(gallery.names.items())


def test_what_one_tab_decides_the_other_shows(open_page: Open) -> None:
    one, other = open_page(), open_page()
    one.press("n")
    one.type("Fox")
    one.press("Enter", "Escape")
    other.until(lambda: "Fox" in other.text(".cards"))
    assert other.text(".wall-progress") == "1 of 8 clusters named"
    other.press("Control+z")
    one.until(lambda: one.text(".wall-progress") == "0 of 8 clusters named")


def test_images_that_another_tab_confirmed_leave_this_one(open_page: Open) -> None:
    one = open_page()
    cluster = next(iter(one.names))
    one.go(f"#/cluster/{cluster}")
    one.wait_for_grid()
    other = open_page(f"#/cluster/{cluster}")
    other.wait_for_grid()
    total = one.total
    one.press("c", "c")
    other.until(lambda: other.total == total - 2)


def test_a_name_of_a_cluster_that_nobody_touched_is_saved_all_the_same(gallery: Gallery) -> None:
    _deaf(gallery)
    (first, _), (second, _) = _named(gallery)[:2]
    gallery.decide({"kind": "rename", "cluster": second, "name": "Crow"})
    gallery.press("n")
    gallery.type("Fox")
    gallery.press("Enter", "Escape")
    gallery.until(lambda: gallery.names[first] == "Fox")
    assert gallery.names[second] == "Crow"
    assert 412 in gallery.refused
    gallery.until(lambda: "Crow" in gallery.text(".cards"))


def test_a_name_that_another_gave_meanwhile_is_not_overwritten(gallery: Gallery) -> None:
    _deaf(gallery)
    (first, _), *_ = _named(gallery)
    gallery.decide({"kind": "rename", "cluster": first, "name": "Wolf"})
    gallery.press("n")
    gallery.type("Fox")
    gallery.press("Enter", "Escape")
    gallery.until(lambda: "Nothing was overwritten" in gallery.says)
    assert gallery.names[first] == "Wolf"
    gallery.until(lambda: "Wolf" in gallery.text(".cards"))


def test_only_images_that_are_still_there_are_moved(gallery: Gallery) -> None:
    (first, _), (second, _), (third, _) = _named(gallery)[:3]
    _deaf(gallery, f"#/cluster/{first}")
    gallery.wait_for_grid()
    taken = gallery.get("/images", cluster=first, order="border", limit=2)["items"]
    ids = [image["id"] for image in taken]
    gallery.decide({"kind": "move", "images": ids[:1], "to": third})
    gallery.press("Space", "Shift+ArrowRight", "m")
    gallery.type(f"cluster {second}")
    gallery.press("Enter")
    gallery.until(lambda: gallery.get(f"/images/{ids[1]}")["cluster"] == second)
    assert gallery.get(f"/images/{ids[0]}")["cluster"] == third


def test_a_key_pressed_before_the_grid_shows_a_change_overwrites_nothing(
    gallery: Gallery,
) -> None:
    (first, _), (second, _), (third, _) = _named(gallery)[:3]
    gallery.go(f"#/cluster/{first}")
    gallery.wait_for_grid()
    total = gallery.total
    image, _ = _first_two(gallery, first)
    held: list[Any] = []
    is_held = [True]

    def hold(route: Any) -> None:
        held.append(route) if is_held else route.continue_()

    gallery.page.route("**/images/columns?*", hold)
    gallery.decide({"kind": "move", "images": [image], "to": third})
    gallery.until(lambda: held and f"All {total - 1}" in gallery.text(".tabs"))
    assert gallery.total == total  # what the person looks at
    _move_to(gallery, second)
    gallery.until(lambda: "Nothing was overwritten" in gallery.says)
    assert gallery.get(f"/images/{image}")["cluster"] == third
    assert 412 in gallery.refused
    is_held.clear()
    for route in held:
        route.continue_()
    gallery.until_total(total - 1)


def test_decisions_of_one_page_follow_each_other_without_a_refusal(gallery: Gallery) -> None:
    (first, _), (second, _) = _named(gallery)[:2]
    gallery.go(f"#/cluster/{first}")
    gallery.wait_for_grid()
    gallery.press("c", "c", "x", "Control+z", "c")
    _move_to(gallery, second)
    gallery.until(lambda: gallery.get("/images", cluster=second, state="decided")["total"] == 1)
    gallery.settled()
    assert gallery.refused == []


def test_of_search_results_only_what_is_where_it_was_seen_is_moved(gallery: Gallery) -> None:
    (first, _), (second, _), (third, _) = _named(gallery)[:3]
    like = _first_two(gallery, first)[0]
    _deaf(gallery, f"#/search?like={like}")
    gallery.wait_for_grid()
    body = {"likes": [like], "limit": 200}
    hits = gallery.client.post("/search", json=body).json()["hits"][:3]
    ids = [hit["id"] for hit in hits]
    gallery.decide({"kind": "move", "images": ids[1:2], "to": third})
    gallery.press("Space", "Shift+ArrowRight", "Shift+ArrowRight")
    _move_to(gallery, second)
    gallery.until(lambda: "1 image left out" in gallery.says)
    found = [gallery.get(f"/images/{image}")["cluster"] for image in ids]
    assert found == [second, third, second]


def test_of_many_images_those_that_were_decided_about_are_left_out(gallery: Gallery) -> None:
    (first, _), (second, _), (third, _) = _named(gallery)[:3]
    _deaf(gallery, f"#/cluster/{first}")
    gallery.wait_for_grid()
    total = gallery.total
    moved, confirmed = _first_two(gallery, first)
    gallery.decide({"kind": "move", "images": [moved], "to": third})
    gallery.decide({"kind": "confirm", "images": [confirmed]})
    gallery.press("a")
    _move_to(gallery, second)
    gallery.until(lambda: "2 images left out" in gallery.says)
    assert gallery.get(f"/images/{moved}")["cluster"] == third
    assert gallery.get(f"/images/{confirmed}")["cluster"] == first
    assert gallery.get("/images", cluster=second, state="decided")["total"] == total - 2


def test_none_is_confirmed_in_a_cluster_where_nobody_saw_it(gallery: Gallery) -> None:
    (first, _), _, (third, _) = _named(gallery)[:3]
    _deaf(gallery, f"#/cluster/{first}")
    gallery.wait_for_grid()
    ids = _first_two(gallery, first)
    gallery.decide({"kind": "new", "images": ids[:1], "name": None})
    decided = gallery.get("/images", state="decided")["total"]
    # Whatever the revision: the cluster itself is looked at.
    anything = {"If-Match": "*"}
    gallery.page.route(
        "**/api/v1/decisions",
        lambda route: route.continue_(headers={**route.request.headers, **anything}),
    )
    gallery.press("Space", "Shift+ArrowRight", "c")
    gallery.until(lambda: "1 image left out" in gallery.says)
    assert 409 in gallery.refused
    assert gallery.get(f"/images/{ids[1]}")["state"] == "decided"
    assert gallery.get("/images", state="decided")["total"] == decided + 1
    assert third in gallery.names


def test_a_decision_about_too_many_images_is_refused_before_it_is_sent(gallery: Gallery) -> None:
    said = gallery.evaluate(
        """async () => {
          const { gridActs, MOST } = await import(
            new URL("grid_acts.js", document.querySelector("script[type=module]").src));
          const said = [];
          const app = { toast: (text) => said.push(text), acts: {} };
          const collection = { clusterOf: () => 1, isDecided: () => false, idAt: String };
          const rows = () => Array.from({ length: MOST + 1 }, (_, row) => row);
          const acts = gridActs(app, { collection, context: { cluster: 1 }, rows });
          for (const name of ["confirm", "move", "exclude", "new"]) await acts[name]();
          return said;
        }"""
    )
    assert said == 4 * ["That are too many for one decision: select 100,000 images at most."]


def test_what_others_do_at_once_is_loaded_at_once(gallery: Gallery) -> None:
    names = _named(gallery)[:4]
    gallery.settled()
    before = len(gallery.requests)
    for cluster, _ in names:
        gallery.decide({"kind": "rename", "cluster": cluster, "name": f"Name {cluster}"})
    gallery.until(lambda: "4 of 8 clusters named" in gallery.text(".wall-progress"))
    gallery.settled()
    asked = [url.partition("/api/v1")[2] for url in gallery.requests[before:]]
    lists = [path for path in asked if path.startswith("/clusters")]
    assert all(path.startswith("/clusters?") for path in lists)
    assert len(lists) < len(names)


def test_what_another_program_decides_is_shown_and_said(gallery: Gallery) -> None:
    (first, _), *_ = _named(gallery)
    gallery.decide({"kind": "rename", "cluster": first, "name": "Wolf"})
    gallery.until(lambda: "Wolf" in gallery.text(".cards") and "'Wolf'" in gallery.says)


def test_a_service_that_does_not_answer_is_said(gallery: Gallery) -> None:
    gallery.context.set_offline(True)
    gallery.press("n")
    gallery.type("Fox")
    gallery.press("Enter", "Escape")
    gallery.until(lambda: "does not answer" in gallery.says)
    gallery.until(lambda: gallery.page.locator(".offline").count() == 1)
    gallery.until(lambda: gallery.text(".wall-progress") == "0 of 8 clusters named")
    gallery.context.set_offline(False)
    gallery.press("n")
    gallery.type("Fox")
    gallery.press("Enter", "Escape")
    gallery.until(lambda: "Fox" in gallery.names.values())
    gallery.until(lambda: gallery.page.locator(".offline").count() == 0)
