"""The page as a whole: what it fetches, how it grows, a library with nothing in it, a phone."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from organizer.library import Library
from organizer.service import ServiceOptions, gallery_files
from organizer.settings import Settings
from tests.gallery.made import make_pictures
from tests.gallery.opened import Gallery
from tests.service.servers import serving

Open = Callable[..., Gallery]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
TOKEN = "word-word-word-word-word"  # noqa: S105 - of a service that this test starts
AXE = os.environ.get("ORGANIZER_TEST_AXE")
VIEWS = (
    "#/",
    "#/unassigned",
    "#/queue",
    "#/queue/suggestions",
    "#/queue/doubtful",
    "#/search",
    "#/history",
    "#/images",
)

# A grid of more images than a page can be high, made of ids that no library has.
_MANY = """async (count) => {
  const { Collection } = await import("./collection.js");
  const { Selection } = await import("./selection.js");
  const { Grid } = await import("./grid.js");
  const bytes = new Uint8Array(16 * count);
  new DataView(bytes.buffer).setUint32(16 * (count - 1), 0xfeedbeef);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  const columns = {total: count, ids: btoa(text), ratio: [], state: "a".repeat(count)};
  const collection = new Collection(async () => columns);
  await collection.reload();
  const selection = new Selection(collection);
  const root = document.createElement("div");
  root.className = "grid";
  root.style.cssText = "position: fixed; inset: 0; z-index: 99; background: white";
  document.body.append(root);
  const grid = new Grid(root, {collection, selection, target: 190, isSquare: false});
  selection.moveTo(Infinity);
  grid.reveal(selection.cursor);
  await new Promise((done) => setTimeout(done, 800));
  const cells = [...root.querySelectorAll(".cell")].filter((cell) => !cell.hidden);
  const last = cells.find((cell) => cell.getAttribute("aria-posinset") == count);
  const found = {
    height: grid.layout.height,
    cells: cells.length,
    foot: last.getBoundingClientRect().bottom,
    id: collection.idAt(count - 1),
  };
  grid.close();
  root.remove();
  return found;
}"""


def test_the_policy_is_strict_and_the_page_does_not_need_more(gallery: Gallery) -> None:
    response = gallery.page.reload()
    assert response.headers["content-security-policy"] == POLICY
    gallery.page.wait_for_selector(".card")
    assert gallery.page.locator("[style*=url], script:not([src]), style").count() == 0


def test_a_grid_goes_on_where_pages_end(gallery: Gallery) -> None:
    found = gallery.evaluate(_MANY, 500_000)
    assert found["height"] > 10_000_000
    assert found["cells"] < 150
    assert 0 < found["foot"] <= 900
    assert found["id"].startswith("feedbeef")


def test_every_view_fits_a_phone(open_page: Open) -> None:
    gallery = open_page(viewport={"width": 360, "height": 740}, has_touch=True)
    for view in VIEWS:
        gallery.go(view)
        gallery.settled()
        assert gallery.evaluate("document.documentElement.scrollWidth") <= 360, view
        wide = "document.querySelector('main').scrollWidth"
        assert gallery.evaluate(wide) <= 360, view


def test_a_tap_sees_an_image_large_and_a_long_tap_selects(open_page: Open) -> None:
    gallery = open_page(viewport={"width": 390, "height": 844}, has_touch=True)
    cluster = next(iter(gallery.names))
    gallery.go(f"#/cluster/{cluster}")
    gallery.wait_for_grid()
    gallery.page.locator('.cell[aria-posinset="2"]').tap()
    gallery.page.wait_for_selector(".viewer")
    gallery.page.get_by_role("button", name="Close").first.tap()
    gallery.page.wait_for_selector(".viewer", state="detached")


def test_whoever_cannot_see_it_finds_it_labelled(open_page: Open) -> None:
    """Axe finds nothing, in light and dark."""
    if AXE is None:
        pytest.skip("NOT TESTED: set ORGANIZER_TEST_AXE to a file axe.min.js of axe-core")
    code = Path(AXE).read_text(encoding="utf-8")
    for scheme in ("light", "dark"):
        gallery = open_page(color_scheme=scheme, bypass_csp=True)
        cluster = next(iter(gallery.names))
        for view in (*VIEWS, f"#/cluster/{cluster}"):
            gallery.go(view)
            gallery.settled()
            assert _complaints(gallery, code) == [], (scheme, view)
        gallery.press("Enter")
        gallery.settled()
        assert not _complaints(gallery, code), (scheme, "large view", _complaints(gallery, code))
        gallery.press("Escape", "?")
        gallery.settled()
        assert _complaints(gallery, code) == [], (scheme, "help")


def _complaints(gallery: Gallery, axe: str) -> list[str]:
    gallery.evaluate(f"() => {{ if (!window.axe) {{ {axe} }} }}")
    found = gallery.evaluate("async () => (await axe.run()).violations")
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[httpx.Client]:
    """The service of a library with nothing in it."""
    with (
        Library.open_or_create(tmp_path / "new", Settings()) as library,
        serving(library) as client,
    ):
        yield client


def _with_a_small_embedder(route: Any) -> None:
    """What the page asks for, without the network that is usual."""
    body = route.request.post_data_json
    route.continue_(post_data={**body, "embedder": "channel-mean"})


def test_an_empty_library_says_what_to_do_and_does_it(
    browser: Any, empty: httpx.Client, tmp_path: Path
) -> None:
    photos = make_pictures(tmp_path / "photos", each=3)
    gallery = Gallery.open(browser, empty)
    gallery.page.route("**/api/v1/ingests", _with_a_small_embedder)
    assert "organizer ingest FOLDER" in gallery.text("main")
    gallery.page.get_by_label("Folder").fill(str(photos))
    gallery.press("Enter")
    gallery.until(lambda: "no clusters yet" in gallery.text("main"))
    gallery.page.get_by_role("button", name="Find the clusters").click()
    gallery.until(lambda: gallery.page.locator(".card").count() > 1)
    gallery.close()


def test_new_images_are_news_and_are_shown(gallery: Gallery, tmp_path: Path) -> None:
    cluster = next(iter(gallery.names))
    gallery.decide({"kind": "rename", "cluster": cluster, "name": "Fox"})
    make_pictures(tmp_path / "card", each=2, seed=90_000)
    job = gallery.client.post("/ingests", json={"paths": [str(tmp_path / "card")]})
    assert job.status_code == 202, job.text
    gallery.until(lambda: gallery.page.locator(".news").count() == 1)
    news = gallery.get("/status")["last_ingest"]
    assert f"{news['images']} new images" in gallery.text(".news")
    gallery.page.locator(".news a").first.click()
    gallery.wait_for_grid()
    assert gallery.total == news["images"]


def test_a_token_is_asked_for_and_who_decides_is_kept(browser: Any, eight: Library) -> None:
    with serving(eight, ServiceOptions(token=TOKEN)) as client:
        gallery = Gallery.open(browser, client)
        gallery.page.get_by_label("Token").fill("another token, not it")
        gallery.press("Enter")
        gallery.until(lambda: "this is not the token" in gallery.text("main"))
        gallery.page.get_by_label("Token").fill(TOKEN)
        gallery.page.get_by_label("Your name").fill("Zoë")
        gallery.press("Enter")
        gallery.page.wait_for_selector(".card")
        gallery.until(
            lambda: gallery.evaluate("document.querySelector('.medoid').naturalWidth > 0")
        )
        gallery.press("n")
        gallery.type("Fox")
        gallery.press("Enter", "Escape")
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        gallery.until(lambda: "Fox" in gallery.names.values())
        assert gallery.get("/history", limit=1)["events"][0]["user"] == "Zoë"
        assert not [url for url in gallery.requests if "token" in url]
        gallery.close()


def test_what_the_wall_needs_is_fetched_at_once() -> None:
    """The page names every module that it begins with, else they are found one after another."""
    folder = Path(gallery_files.__file__).parent / "gallery"
    found: set[str] = set()
    todo = ["main.js", "wall.js"]
    while todo:
        module = todo.pop()
        if module not in found:
            found.add(module)
            text = (folder / module).read_text(encoding="utf-8")
            todo += re.findall(r'^import[^;]*?from "\./([^"]+)"', text, re.MULTILINE)
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'rel="modulepreload" href="\./([^"]+)"', page)) == found - {"main.js"}
