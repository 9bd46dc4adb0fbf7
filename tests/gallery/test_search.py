"""Search: by images of the library, by a photo that is dropped, and acts on what was found."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from tests.gallery.opened import Gallery

Open = Callable[..., Gallery]

_DROP = """([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
  for (const type of ["dragover", "drop"]) {
    document.body.dispatchEvent(
      new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
  }
}"""


def _similar(gallery: Gallery) -> None:
    gallery.press("Enter")
    gallery.wait_for_grid()
    gallery.press("l")
    gallery.until(lambda: "#/search" in gallery.page.url)
    gallery.until(lambda: "images" in gallery.text(".head"))
    gallery.wait_for_grid()


def test_similar_images_are_found_from_any_image(gallery: Gallery) -> None:
    _similar(gallery)
    liked = gallery.evaluate("new URLSearchParams(location.hash.split('?')[1]).get('like')")
    cluster = gallery.get(f"/images/{liked}")["cluster"]
    hits = gallery.client.post("/search", json={"likes": [liked], "limit": 200}).json()["hits"]
    assert gallery.total == len(hits)
    assert hits[0]["cluster"] == cluster
    gallery.press("ArrowRight", "ArrowRight", "q")  # unlike the third
    gallery.until(lambda: gallery.page.locator(".example.unlike").count() == 1)
    gallery.page.locator(".example.unlike").click()
    gallery.until(lambda: gallery.page.locator(".example").count() == 1)


def test_ranges_are_selected_in_search_results_and_moved(gallery: Gallery) -> None:
    cluster = next(iter(gallery.names))
    gallery.decide({"kind": "rename", "cluster": cluster, "name": "Fox"})
    _similar(gallery)
    gallery.press("Space", "Shift+End")
    total = gallery.total
    gallery.until(lambda: f"{total} images selected" in gallery.text(".act-bar"))
    gallery.press("Escape", "Home", "Space", "Shift+ArrowRight", "Shift+ArrowRight", "m")
    gallery.type("Fox")
    gallery.press("Enter")
    gallery.until(lambda: gallery.get("/images", cluster=cluster, state="decided")["total"] == 3)
    assert gallery.total == total  # what was found stays found


def test_a_photo_that_is_dropped_on_the_page_is_searched_for(gallery: Gallery, made: Path) -> None:
    photo = made / "photos" / "blue" / "03.jpg"
    gallery.evaluate(_DROP, [base64.b64encode(photo.read_bytes()).decode(), "other.jpg"])
    gallery.until(lambda: "#/search" in gallery.page.url)
    gallery.wait_for_grid()
    gallery.press("Enter")
    gallery.until(lambda: gallery.text(".facts .path code").endswith("/blue/03.jpg"))


def _drop(gallery: Gallery, photo: Path, name: str = "other.jpg") -> None:
    gallery.evaluate(_DROP, [base64.b64encode(photo.read_bytes()).decode(), name])
    gallery.until(lambda: name in gallery.page.url)
    gallery.wait_for_grid()


def test_what_a_dropped_photo_finds_shows_later_decisions(gallery: Gallery, made: Path) -> None:
    photo = made / "photos" / "blue" / "03.jpg"
    cluster = next(iter(gallery.names))
    _drop(gallery, photo)
    caption = ".cell[aria-posinset='1']"
    image = gallery.get("/images", text="blue/03.jpg")["items"][0]["id"]
    gallery.decide(
        {"kind": "rename", "cluster": cluster, "name": "Badger"},
        {"kind": "move", "images": [image], "to": cluster},
    )
    gallery.until(lambda: "Badger" in gallery.page.locator(caption).inner_text())


def test_a_dropped_photo_is_not_combined_with_images_and_not_lost(
    gallery: Gallery, made: Path
) -> None:
    _drop(gallery, made / "photos" / "blue" / "03.jpg")
    gallery.press("q")
    gallery.until(lambda: "cannot be combined" in gallery.says)
    assert gallery.page.locator(".example img").count() == 1
    gallery.press("ArrowRight", "w")
    gallery.until(lambda: "Search with these instead" in gallery.says)
    gallery.page.get_by_role("button", name="Search with these instead").click()
    gallery.until(lambda: gallery.page.locator(".example.like").count() == 1)
    assert "picture" not in gallery.page.url


def test_a_photo_that_is_dropped_replaces_the_one_before(gallery: Gallery, made: Path) -> None:
    _drop(gallery, made / "photos" / "blue" / "03.jpg")
    url = gallery.page.get_attribute(".example img", "src")
    _drop(gallery, made / "photos" / "red" / "01.jpg", "next.jpg")
    gallery.until(lambda: gallery.page.get_attribute(".example img", "src") != url)
    gone = "(url) => fetch(url).then(() => false, () => true)"
    assert gallery.evaluate(gone, url)
    gallery.complaints[:] = [text for text in gallery.complaints if "blob:" not in text]


def test_a_part_of_the_path_is_found(open_page: Open) -> None:
    gallery = open_page()
    gallery.press("/")
    gallery.page.wait_for_selector(".search-form input")
    gallery.until(lambda: gallery.focused == "Part of the path")
    gallery.type("green/")
    gallery.press("Enter")
    gallery.wait_for_grid()
    assert gallery.total == gallery.get("/images", text="green/")["total"] > 10
