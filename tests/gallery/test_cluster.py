"""A cluster, opened: images confirmed, moved and taken out with the keyboard, and undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]


@pytest.fixture
def opened(open_page: Open) -> Gallery:
    """The largest cluster, after the two largest were named Fox and Crow."""
    gallery = open_page()
    first, second = list(gallery.names)[:2]
    gallery.decide(
        {"kind": "rename", "cluster": first, "name": "Fox"},
        {"kind": "rename", "cluster": second, "name": "Crow"},
    )
    gallery.until(lambda: "Crow" in gallery.text(".cards"))
    gallery.press("Enter")
    gallery.wait_for_grid()
    return gallery


def _ids(gallery: Gallery) -> tuple[int, int]:
    named = {name: cluster for cluster, name in gallery.names.items()}
    return named["Fox"], named["Crow"]


def test_what_is_confirmed_leaves_the_grid_and_the_count_falls(opened: Gallery) -> None:
    fox, _ = _ids(opened)
    size = opened.size(fox)
    assert opened.total == size
    opened.press("c", "c", "c")
    opened.until(lambda: opened.total == size - 3)
    opened.until(lambda: f"To check {size - 3} Checked 3 All {size}" in opened.text(".tabs"))
    opened.until(lambda: opened.get("/images", cluster=fox, state="decided")["total"] == 3)
    for left in (2, 1, 0):
        opened.press("Control+z")
        opened.until_total(size - left)
        assert opened.get("/images", cluster=fox, state="decided")["total"] == left
    opened.press("Control+Shift+z")
    opened.until(lambda: opened.total == size - 1)


def test_a_cluster_that_is_checked_leads_to_the_next(opened: Gallery) -> None:
    _, crow = _ids(opened)
    opened.press("a", "c")
    opened.until(lambda: "checked" in opened.text(".grid-empty"))
    opened.press("j")
    opened.until(lambda: opened.page.url.endswith(f"#/cluster/{crow}"))


def test_images_move_to_the_cluster_whose_name_is_begun(opened: Gallery) -> None:
    fox, crow = _ids(opened)
    sizes = opened.size(fox), opened.size(crow)
    opened.press("Space", "Shift+ArrowRight", "Shift+ArrowRight", "m")
    opened.type("cr")
    opened.until(lambda: "Crow" in opened.text("dialog [aria-selected=true]"))
    opened.press("Enter")
    opened.until(lambda: (opened.size(fox), opened.size(crow)) == (sizes[0] - 3, sizes[1] + 3))
    opened.until(lambda: "3 images moved to Crow" in opened.says)
    assert opened.focused == "Images of Fox"
    opened.press("r")  # the same again, for the next image
    opened.until(lambda: opened.size(crow) == sizes[1] + 4)
    opened.press("m", "1")
    opened.until(lambda: opened.size(crow) == sizes[1] + 5)


def test_a_name_that_no_cluster_has_makes_a_new_one(opened: Gallery) -> None:
    opened.press("m")
    opened.type("Zebra")
    opened.press("Enter")
    opened.until(lambda: "Zebra" in opened.names.values())
    zebra = next(cluster for cluster, name in opened.names.items() if name == "Zebra")
    assert opened.size(zebra) == 1


def test_what_does_not_belong_here_is_taken_out_and_never_lost(opened: Gallery) -> None:
    fox, _ = _ids(opened)
    size = opened.size(fox)
    opened.press("x")
    opened.until(lambda: opened.size(fox) == size - 1)
    opened.until(lambda: opened.total == size - 1)
    opened.press("Control+z")
    opened.until(lambda: opened.size(fox) == size)
    opened.until(lambda: opened.total == size)


def test_a_burst_and_then_its_event_are_selected(opened: Gallery) -> None:
    opened.press("e")
    opened.until(lambda: opened.selected == 3)
    opened.press("e")
    opened.until(lambda: opened.selected >= 3)
    opened.press("Escape")
    opened.until(lambda: opened.selected == 0)
    assert "#/cluster/" in opened.page.url


def test_ranges_grow_and_shrink_with_shift(opened: Gallery) -> None:
    opened.press("ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight")
    assert opened.selected == 4
    opened.press("Shift+ArrowLeft")
    assert opened.selected == 3
    assert opened.cursor == 4
    opened.press("a")
    assert opened.selected == opened.total
    opened.press("a")
    assert opened.selected == 0


def test_the_mouse_that_rests_does_not_take_the_cursor(opened: Gallery) -> None:
    box = opened.page.locator('.cell[aria-posinset="4"]').bounding_box()
    opened.page.mouse.move(box["x"] + 20, box["y"] + 20)
    opened.press("ArrowRight")
    opened.page.mouse.move(box["x"] + 22, box["y"] + 21)
    assert opened.cursor == 2
    mark = opened.page.locator('.cell[aria-posinset="4"] .cell-mark')
    assert mark.evaluate("mark => getComputedStyle(mark).opacity") == "0"


def test_images_are_clicked_with_shift_and_with_ctrl(opened: Gallery) -> None:
    cell = '.cell[aria-posinset="{}"]'
    opened.page.click(cell.format(2))
    opened.page.click(cell.format(5), modifiers=["Shift"])
    assert opened.selected == 4
    opened.page.click(cell.format(3), modifiers=["Control"])
    assert opened.selected == 3
    opened.page.get_by_role("button", name="Confirm").click()
    fox, _ = _ids(opened)
    opened.until(lambda: opened.get("/images", cluster=fox, state="decided")["total"] == 3)


def test_an_image_is_seen_large_and_acted_on(opened: Gallery) -> None:
    fox, _ = _ids(opened)
    size = opened.total
    opened.press("Enter")
    opened.until(lambda: opened.evaluate("document.querySelector('.large.shown') !== null"))
    assert f"1 of {size}" in opened.text(".viewer-bar")
    assert "Trail 1" in opened.text(".facts")
    path = opened.text(".facts .path code")
    assert path.endswith(".jpg")
    opened.press("c")  # and on to the next
    opened.until(lambda: f"1 of {size - 1}" in opened.text(".viewer-bar"))
    opened.press("ArrowRight")
    opened.until(lambda: f"2 of {size - 1}" in opened.text(".viewer-bar"))
    opened.until(lambda: opened.text(".facts .path code") != path)
    opened.press("Escape")
    opened.until(lambda: opened.focused == "Images of Fox")
    assert opened.cursor == 2
    opened.until(lambda: opened.get("/images", cluster=fox, state="decided")["total"] == 1)


def test_the_file_is_opened_beside_the_page_and_who_decided_is_said(opened: Gallery) -> None:
    fox, _ = _ids(opened)
    image = opened.get("/images", cluster=fox, order="border", limit=1)["items"][0]["id"]
    decision = {"kind": "confirm", "images": [image], "cluster": fox}
    done = opened.client.post(
        "/decisions",
        json={"decisions": [decision]},
        headers={"If-Match": "*", "X-Organizer-User": "Ada"},
    )
    assert done.status_code == 200
    opened.go(f"#/cluster/{fox}?state=decided")
    opened.until_total(1)
    opened.press("Enter")
    opened.until(lambda: "Ada" in opened.text(".facts-history"))
    link = opened.page.get_by_role("link", name="Open the file")
    assert link.get_attribute("rel") == "noopener"
    with opened.context.expect_page() as another:
        link.click()
    another.value.wait_for_load_state()
    assert another.value.url.endswith(f"/images/{image}/original")
    assert another.value.evaluate("document.images[0].naturalWidth > 0")


def test_a_cluster_is_dissolved_when_it_is_meant(opened: Gallery) -> None:
    fox, _ = _ids(opened)
    opened.page.get_by_role("button", name="Dissolve").click()
    opened.until(lambda: "Dissolve Fox" in opened.text("dialog"))
    opened.press("Escape")
    opened.page.wait_for_selector("dialog", state="detached")
    assert fox in opened.names
    opened.page.get_by_role("button", name="Dissolve").click()
    opened.page.wait_for_selector("dialog")
    opened.press("Enter")
    opened.page.wait_for_selector(".cards")
    opened.until(lambda: fox not in opened.names)
    opened.until(lambda: "Fox is dissolved" in opened.says)
    opened.press("Control+z")
    opened.until(lambda: opened.names.get(fox) == "Fox")


def test_thumbnails_of_another_version_have_another_address(opened: Gallery) -> None:
    made = opened.get("/status")
    opened.page.route(
        "**/api/v1/status", lambda route: route.fulfill(json={**made, "thumbnail_version": 7})
    )
    opened.page.reload()
    opened.page.wait_for_selector(".cell")
    opened.press("Escape")
    opened.page.wait_for_selector(".cards img")
    assert opened.page.get_attribute(".cards img", "src").endswith("?v=7")


def test_the_help_lists_the_keys_of_what_is_seen_first(opened: Gallery) -> None:
    opened.press("?")
    titles = opened.page.locator(".help h3").all_inner_texts()
    assert set(titles[:2]) == {"Everywhere", "Images"} or "Images" in titles[:3]
    assert "confirm" in opened.text(".help")
    opened.press("Escape")
    opened.page.wait_for_selector("dialog", state="detached")
    assert opened.focused == "Images of Fox"


def test_a_view_or_a_cluster_is_reached_by_a_few_letters(opened: Gallery) -> None:
    _, crow = _ids(opened)
    opened.press("o")
    opened.type("cro")
    opened.press("Enter")
    opened.until(lambda: opened.page.url.endswith(f"#/cluster/{crow}"))
    opened.press("Escape")
    opened.page.wait_for_selector(".cards")
    opened.press("o")
    opened.type("hist")
    opened.press("Enter")
    opened.until(lambda: "named 'Fox'" in opened.text("main"))


def test_a_name_is_text_and_never_a_part_of_the_page(open_page: Open) -> None:
    harm = "<img src=x onerror=alert(1)><b>fox</b>{{7*7}}"
    gallery = open_page()
    first = next(iter(gallery.names))
    gallery.decide({"kind": "rename", "cluster": first, "name": harm})
    gallery.until(lambda: harm in gallery.text(".cards"))
    gallery.go(f"#/cluster/{first}")
    gallery.until(lambda: harm in gallery.text("main h1"))
    assert gallery.page.locator("[onerror], main b:text-is('fox')").count() == 0
