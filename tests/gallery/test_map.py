"""The map in a real browser, by WebGL and in the pixels of a canvas: seen, moved, lassoed, decided.

Places of points are computed here from what the API gives, and compared with the pixels.
"""

from __future__ import annotations

import io
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.browsers import another_chromium
from tests.gallery.opened import Gallery
from tests.service.servers import serving
from tests.traps import BOAR, COLOUR, FOX, OWL, frame

pytestmark = pytest.mark.slow

_EACH = 12
Rectangle = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def webgl(browser: Any) -> Iterator[Any]:
    """A Chromium with WebGL, which the processor does."""
    flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with another_chromium(browser, flags) as found:
        yield found


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds of animals by two cameras; the map is drawn."""
    home = tmp_path_factory.mktemp("made")
    for number, (name, colour) in enumerate((("fox", FOX), ("owl", OWL), ("boar", BOAR))):
        for i in range(_EACH):
            at = f"2024:0{number + 1}:{i + 1:02} 10:00:00"
            file = home / "photos" / f"{name}{i}.jpg"
            tone = tuple(channel + 2 * i for channel in colour)
            frame(file, tone, at=at, camera="AB"[i % 2], seed=i)  # type: ignore[arg-type]
    with Library.open_or_create(home) as library:
        library.ingest([home / "photos"], embedder=COLOUR)
        library.recluster(k=3, reduce="none")
        library.clusters[1].rename("Lynx")
        library.reports.map()
    return home


@pytest.fixture
def library(mapped: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(mapped, tmp_path, dirs_exist_ok=True)
    with Library.open(tmp_path, Settings()) as library:
        yield library


@pytest.fixture
def client(library: Library) -> Iterator[httpx.Client]:
    with serving(library) as client:
        yield client


@pytest.fixture(params=["webgl", "canvas"])
def opened(request: pytest.FixtureRequest, webgl: Any, client: httpx.Client) -> Iterator[Gallery]:
    """The map by each renderer, all its points drawn."""
    found = Gallery.open(webgl, client, f"#/map?draw={request.param}")
    _wait_for_points(found)
    assert found.page.get_attribute(".map-stage", "data-renderer") == request.param
    yield found
    _without_remarks(found)
    found.close()


@pytest.fixture
def quick(browser: Any, client: httpx.Client) -> Iterator[Gallery]:
    """The map by the renderer that the page chooses."""
    found = Gallery.open(browser, client, "#/map")
    _wait_for_points(found)
    yield found
    found.close()


def _without_remarks(found: Gallery) -> None:
    """Leave out what a WebGL without a graphics card says of itself when it is looked at."""
    found.complaints[:] = [text for text in found.complaints if "GPU stall" not in text]


def _wait_for_points(found: Gallery, count: int = 3 * _EACH) -> None:
    found.page.wait_for_selector(f".map-stage[data-drawn='{count}']")


def _picture(found: Gallery) -> NDArray[np.uint8]:
    """``(h, w, 3)`` what the map looks like."""
    png = found.page.locator(".map-stage").screenshot()
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB"))


def _stage(found: Gallery) -> dict[str, float]:
    box: dict[str, float] = found.page.locator(".map-stage").bounding_box()
    return box


def _points(found: Gallery) -> tuple[list[str], NDArray[np.float64]]:
    """The images and where they have to be on the whole map, in pixels of the stage."""
    ids = found.client.get("/map/ids").content.hex()
    xy = np.frombuffer(found.client.get("/map/points").content, "<f4").reshape(-1, 2)
    box = _stage(found)
    scale = min(box["width"], box["height"]) / 2 * 0.94
    middle = np.array([box["width"], box["height"]]) / 2
    places = middle + xy.astype(np.float64) * [scale, -scale]
    return [ids[i : i + 32] for i in range(0, len(ids), 32)], places


def _clusters(found: Gallery) -> NDArray[np.int32]:
    return np.frombuffer(found.client.get("/map/columns/cluster").content, "<i4")


def _legend(found: Gallery) -> dict[str, str]:
    """What the legend says of each group."""
    rows = found.page.locator(".map-legend li button").all()
    return {row.locator("span").inner_text(): row.locator("small").inner_text() for row in rows}


def _lasso(found: Gallery, around: Rectangle, *, key: str | None = None) -> None:
    """Draw a lasso with the mouse: left, top, right, bottom in the stage."""
    box, mouse = _stage(found), found.page.mouse
    left, top, right, bottom = around
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if key:
        found.page.keyboard.down(key)
    mouse.move(box["x"] + left, box["y"] + top)
    mouse.down()
    for x, y in corners[1:]:
        mouse.move(box["x"] + x, box["y"] + y, steps=4)
    mouse.up()
    if key:
        found.page.keyboard.up(key)


def _around(places: NDArray[np.float64], rows: NDArray[np.bool_]) -> Rectangle:
    """A rectangle about some points, with room for the lasso."""
    low, high = places[rows].min(axis=0) - 9, places[rows].max(axis=0) + 9
    return (low[0], low[1], high[0], high[1])


def _inside(places: NDArray[np.float64], around: Rectangle) -> NDArray[np.bool_]:
    left, top, right, bottom = around
    x, y = places.T
    return np.asarray((x > left) & (x < right) & (y > top) & (y < bottom))


def _selected(found: Gallery) -> int:
    text = found.page.locator(".act-bar .what").inner_text()
    return int(re.sub(r"\D", "", text))


# Seen ------------------------------------------------------------------------------------------


def test_each_point_is_where_it_belongs_in_the_colour_of_its_cluster(opened: Gallery) -> None:
    _, places = _points(opened)
    seen = _picture(opened).astype(int)
    clusters = _clusters(opened)
    swatches = opened.page.locator(".map-legend li i").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    colours = np.array([list(map(int, re.findall(r"\d+", text)[:3])) for text in swatches])
    ground = seen[2, 2]
    used: dict[int, int] = {}
    for (x, y), cluster in zip(places, clusters.tolist(), strict=True):
        colour = seen[min(round(y), len(seen) - 1), min(round(x), seen.shape[1] - 1)]
        assert np.abs(colour - ground).max() > 40, (x, y)
        nearest = int(np.abs(colours - colour).sum(axis=1).argmin())
        assert np.abs(colours[nearest] - colour).max() < 60
        assert used.setdefault(cluster, nearest) == nearest
    assert sorted(used.values()) == [0, 1, 2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_legend_counts_what_the_library_counts(
    browser: Any, client: httpx.Client, library: Library, scheme: str
) -> None:
    found = Gallery.open(browser, client, "#/map", color_scheme=scheme)
    _wait_for_points(found)
    sizes = {c.name or f"Cluster {c.id}": str(c.size) for c in library.clusters}
    assert _legend(found) == sizes
    found.page.get_by_role("button", name="Camera", exact=True).click()
    found.page.wait_for_selector(".map-legend li:has-text('A')")
    assert _legend(found) == {"A": "18", "B": "18"}
    found.page.get_by_role("button", name="Time", exact=True).click()
    found.page.wait_for_selector(".map-legend li:has-text('From 1 Jan 2024')")
    assert sum(map(int, _legend(found).values())) == 36
    found.page.get_by_role("button", name="Doubt", exact=True).click()
    found.page.wait_for_selector(".map-legend li:has-text('Sure')")
    doubts = np.frombuffer(client.get("/map/columns/doubt").content, "<f4")
    assert _legend(found)["Sure"] == str(int((doubts < 0.5).sum()))
    assert "colour=doubt" in found.page.url
    found.close()


def test_the_image_under_the_pointer_is_shown(opened: Gallery, library: Library) -> None:
    ids, places = _points(opened)
    box = _stage(opened)
    opened.page.mouse.move(box["x"] + places[5][0], box["y"] + places[5][1])
    opened.page.wait_for_selector(f".map-tip img[src*='{ids[5]}']")
    name = library.images[ids[5]].path
    assert name is not None
    opened.page.wait_for_selector(f".map-tip:has-text('{name.name}')")
    assert opened.page.locator(".map-tip img").evaluate("one => one.naturalWidth") > 0
    opened.page.mouse.move(box["x"] + 3, box["y"] + 3)
    opened.page.wait_for_selector(".map-tip", state="detached")
    opened.page.mouse.click(box["x"] + places[5][0], box["y"] + places[5][1])
    opened.page.wait_for_selector(f".viewer img[src*='{ids[5]}']")


def test_a_group_of_the_legend_is_highlighted(opened: Gallery) -> None:
    _, places = _points(opened)
    clusters = _clusters(opened)
    opened.page.locator(".map-legend li button", has_text="Lynx").click()
    opened.page.wait_for_selector("[aria-pressed='true']:has-text('Lynx')")
    _wait_for_points(opened)
    seen = _picture(opened).astype(int)
    ground = seen[2, 2]
    strength = [
        np.abs(seen[min(round(y), len(seen) - 1), min(round(x), seen.shape[1] - 1)] - ground).max()
        for x, y in places
    ]
    bright = np.array(strength)
    assert bright[clusters == 1].min() > bright[clusters != 1].max()


# Moved -----------------------------------------------------------------------------------------


def test_it_is_moved_by_mouse_wheel_and_keys(opened: Gallery) -> None:
    page = opened.page
    ids, places = _points(opened)
    box = _stage(opened)
    middle = np.array([box["width"], box["height"]]) / 2
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    is_central = np.linalg.norm(places - middle, axis=1) < middle.min() * 0.7
    row = int(np.where(is_central, apart.min(axis=1), -1).argmax())  # no other one is near
    tip = f".map-tip img[src*='{ids[row]}']"
    x, y = places[row] + [box["x"], box["y"]]
    page.mouse.move(x, y)
    page.wait_for_selector(tip)
    page.mouse.wheel(0, -700)
    page.wait_for_selector(tip, state="detached")
    page.wait_for_selector(tip)  # what is under the pointer stays there
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=5)
    page.mouse.up()
    page.wait_for_selector(tip)
    page.focus(".map-stage")
    for key in ("ArrowLeft", "ArrowUp", "+", "-", "0"):
        page.keyboard.press(key)
    _wait_for_points(opened)
    page.mouse.move(x, y)
    page.wait_for_selector(tip)


def test_fingers_move_it_and_a_tap_shows_the_picture(browser: Any, client: httpx.Client) -> None:
    phone: dict[str, Any] = {
        "viewport": {"width": 390, "height": 780},
        "has_touch": True,
        "is_mobile": True,
    }
    found = Gallery.open(browser, client, "#/map", **phone)
    _wait_for_points(found)
    _, places = _points(found)
    box = _stage(found)
    found.page.touchscreen.tap(box["x"] + places[4][0], box["y"] + places[4][1])
    found.page.wait_for_selector(".map-tip img")
    assert found.evaluate("document.body.scrollWidth <= innerWidth")
    found.close()


# Selected --------------------------------------------------------------------------------------


def test_a_lasso_selects_what_is_inside_it(opened: Gallery, library: Library) -> None:
    page = opened.page
    _, places = _points(opened)
    clusters = _clusters(opened)
    around = _around(places, clusters == 1)
    inside = _inside(places, around)
    page.get_by_role("button", name=re.compile("Lasso")).click()
    _lasso(opened, around)
    page.wait_for_selector(".act-bar")
    assert _selected(opened) == int(inside.sum())
    total, part = Counter(clusters.tolist()), Counter(clusters[inside].tolist())
    names = {c.id: c.name or f"Cluster {c.id}" for c in library.clusters}
    expected = {names[i]: f"{part[i]} / {total[i]}" for i in total}
    assert _legend(opened) == expected
    # Shift adds, alt takes away; outside the lasso mode shift draws one.
    other = _around(places, clusters == 2)
    _lasso(opened, other, key="Shift")
    both = inside | _inside(places, other)
    page.wait_for_selector(f".act-bar:has-text('{int(both.sum())} images')")
    _lasso(opened, other, key="Alt")
    page.wait_for_selector(f".act-bar:has-text('{int((both & ~_inside(places, other)).sum())} ')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".act-bar", state="detached")
    assert page.locator(".lasso").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    page.wait_for_selector(".lasso[aria-pressed='false']")
    _lasso(opened, other, key="Shift")
    page.wait_for_selector(f".act-bar:has-text('{int(_inside(places, other).sum())} images')")


def test_what_is_selected_is_moved_and_moved_back(quick: Gallery) -> None:
    page = quick.page
    _, places = _points(quick)
    clusters = _clusters(quick)
    around = _around(places, clusters == 2)
    inside = _inside(places, around)
    page.keyboard.press("s")
    _lasso(quick, around)
    page.wait_for_selector(".act-bar")
    page.keyboard.press("m")
    page.wait_for_selector("dialog input")
    page.keyboard.type("Lynx")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast:has-text('moved to Lynx')")
    quick.until(lambda: bool((_clusters(quick)[inside] == 1).all()))
    after = {**Counter(_clusters(quick).tolist())}
    page.wait_for_selector(f".map-legend li:has-text('Lynx') small:text-is('{after[1]}')")
    assert page.locator(".act-bar").count() == 0, "what was moved is no longer selected"
    page.keyboard.press("Control+z")
    page.wait_for_selector(".toast:has-text('Undone')")
    before = (clusters == 1).sum()
    page.wait_for_selector(f".map-legend li:has-text('Lynx') small:text-is('{before}')")
    assert _clusters(quick).tolist() == clusters.tolist()


def test_a_new_cluster_is_made_by_keys_alone(quick: Gallery, library: Library) -> None:
    page = quick.page
    page.focus(".map-stage")
    page.keyboard.press("a")
    page.wait_for_selector(".act-bar:has-text('36 images')")
    page.keyboard.press("b")
    page.wait_for_selector("dialog input")
    page.keyboard.type("Everything")
    page.keyboard.press("Enter")
    page.wait_for_selector(".map-legend li:has-text('Everything') small:text-is('36')")
    assert [(c.name, c.size) for c in library.clusters if c.size] == [("Everything", 36)]
    page.keyboard.press("a")
    page.wait_for_selector(".act-bar:has-text('36 images')")
    page.keyboard.press("x")
    page.wait_for_selector(".toast:has-text('no cluster would be left')")
    page.wait_for_selector(".map-legend li:has-text('Everything'):has-text('36 / 36')")


def test_what_another_decides_is_seen(quick: Gallery) -> None:
    ids, _ = _points(quick)
    quick.client.post(
        "/decisions",
        json={"decisions": [{"kind": "new", "images": ids[:5], "name": "Badger"}]},
        headers={"If-Match": "*"},
    )
    quick.page.wait_for_selector(".map-legend li:has-text('Badger'):has-text('5')")


# The map itself --------------------------------------------------------------------------------


def test_a_map_that_is_not_drawn_is_drawn(
    browser: Any, client: httpx.Client, library: Library
) -> None:
    for file in (library.store.path / "maps").iterdir():
        file.unlink()
    found = Gallery.open(browser, client, "#/map")
    _wait_for_points(found)
    assert client.get("/map").json()["drawn"]
    found.close()


def test_new_images_appear_and_it_can_be_drawn_anew(quick: Gallery, tmp_path: Path) -> None:
    page = quick.page
    for i in range(3):
        frame(tmp_path / "more" / f"{i}.jpg", FOX, at=None, seed=100 + i)
    quick.client.post("/ingests", json={"paths": [str(tmp_path / "more")]})
    _wait_for_points(quick, 39)
    page.wait_for_selector(".map-notes:has-text('3 images came since')")
    page.get_by_role("button", name="Draw it anew").click()
    page.wait_for_selector(".map-notes", state="detached")
    _wait_for_points(quick, 39)
    assert quick.client.get("/map").json()["placed_since"] == 0


def test_without_the_graphics_card_it_goes_on(webgl: Any, client: httpx.Client) -> None:
    found = Gallery.open(webgl, client, "#/map?draw=webgl")
    _wait_for_points(found)
    found.page.locator(".map-stage canvas").first.evaluate(
        "canvas => canvas.getContext('webgl2').getExtension('WEBGL_lose_context').loseContext()"
    )
    found.page.wait_for_selector(".map-stage[data-renderer='canvas'][data-drawn='36']")
    _, places = _points(found)
    seen = _picture(found).astype(int)
    x, y = (round(value) for value in places[10])
    assert np.abs(seen[y, x] - seen[2, 2]).max() > 40
    _without_remarks(found)
    found.close()
