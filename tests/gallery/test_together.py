"""Two tabs, another program, and decisions that come too late: nothing is overwritten."""

from __future__ import annotations

from collections.abc import Callable

from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]


def _deaf(gallery: Gallery, view: str = "#/") -> None:
    """Load a view anew so that it does not hear what others do."""
    gallery.page.route("**/api/v1/events", lambda route: route.abort())
    gallery.go(view)
    gallery.page.reload()
    gallery.page.wait_for_selector("main h1")


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
