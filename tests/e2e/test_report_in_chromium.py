"""The page in a real browser: it opens from disk, asks nobody for anything, and works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from organizer.report.contents import ReportContents
from organizer.report.page import render
from tests.browsers import chromium
from tests.pages import HOSTILE, contents
from tests.report_browser import OpenedPage, opened

_HARM = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def shown() -> ReportContents:
    return contents(names=("lynx", _HARM, "fox"), spots=4)


@pytest.fixture(scope="module")
def file(shown: ReportContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "report <b> #1.html"
    file.write_text(render(shown), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def seen(browser: Any, file: Path) -> Iterator[OpenedPage]:
    with opened(browser, file, viewport={"width": 1280, "height": 900}) as seen:
        yield seen


def test_it_opens_whole_and_every_name_is_text(seen: OpenedPage, shown: ReportContents) -> None:
    titles = seen.page.locator("h2").all_inner_texts()
    assert {"Scores", "Clusters", "Silhouette", "Map", "Contact sheets"} <= set(titles)
    assert seen.page.locator("img[src=x]").count() == 0
    seen.page.click(".toc a[href='#clusters']")
    assert _HARM in seen.page.inner_text("#clusters")
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
    seen.page.locator("#unsure").scroll_into_view_if_needed()
    assert seen.page.evaluate(broken) == 0
    assert seen.page.title() == "photos of <b>2026 & more: cluster report"
    assert seen.page.locator(".sheet").count() == len(shown.clusters) + 2


def test_a_table_is_sorted_by_click_and_by_key(seen: OpenedPage) -> None:
    seen.unfold()
    images = seen.page.get_by_role("button", name="Images")
    assert seen.column(1) == ["3", "4", "5", "6", "7"]
    images.click()
    images.click()
    assert seen.column(3) == ["10", "30", "60", "80", "120"]
    assert images.locator("xpath=..").get_attribute("aria-sort") == "ascending"
    silhouette = seen.page.locator("#clusters").get_by_role("button", name="Silhouette")
    silhouette.focus()
    seen.page.keyboard.press("Enter")
    values = [float(text) for text in seen.column(4)]
    assert values == sorted(values, reverse=True)
    assert images.locator("xpath=..").get_attribute("aria-sort") is None


def test_rows_without_a_value_stay_last(seen: OpenedPage) -> None:
    seen.unfold()
    said = seen.page.get_by_role("button", name="What stands out")
    for _ in range(2):
        said.click()
        texts = seen.page.locator("#clusters tbody tr > :last-child").all_inner_texts()
        assert texts[2:] == ["", "", ""]
        assert all(texts[:2])


def test_pointing_at_a_point_shows_its_path_cluster_and_label(
    seen: OpenedPage, shown: ReportContents
) -> None:
    seen.to_map()
    assert shown.map is not None
    spot = shown.map.spots[0].row
    seen.page.mouse.move(*seen.at(*shown.map.xy[spot]))
    assert shown.map.paths[spot] in seen.tip
    assert "label: " in seen.tip
    seen.page.uncheck("#map-pictures")
    row = next(
        i
        for i, path in enumerate(shown.map.paths)
        if path.startswith("photos/") and _is_apart(shown, i)
    )
    seen.page.mouse.move(*seen.at(*shown.map.xy[row]))
    assert shown.map.paths[row] in seen.tip
    seen.page.mouse.move(5, 5)
    assert not seen.page.is_visible("#tip")


def _is_apart(shown: ReportContents, row: int) -> bool:
    assert shown.map is not None
    gaps = abs(shown.map.xy - shown.map.xy[row]).max(axis=1)
    return bool((gaps < 0.02).sum() == 1)


def test_the_map_zooms_by_buttons_keys_and_wheel(seen: OpenedPage) -> None:
    seen.to_map()
    assert seen.zoom == 1
    seen.page.get_by_role("button", name="Zoom in").click()
    seen.until(lambda: seen.zoom == 1.5)
    assert seen.page.inner_text("#map-zoom") == "150%"
    seen.page.focus("#map-canvas")
    seen.page.keyboard.press("-")
    seen.until(lambda: seen.zoom == 1.0)
    seen.page.mouse.move(*seen.at(0.5, 0.5))
    seen.page.mouse.wheel(0, -400)
    seen.until(lambda: seen.zoom > 1.5)
    seen.page.get_by_role("button", name="Reset").click()
    seen.until(lambda: seen.zoom == 1.0)


def test_a_page_that_is_scrolled_past_the_map_is_not_caught(seen: OpenedPage) -> None:
    seen.to_map()
    before = seen.page.evaluate("scrollY")
    seen.page.mouse.move(*seen.at(0, 0))
    seen.page.mouse.wheel(0, 200)
    seen.until(lambda: seen.page.evaluate("scrollY") > before)
    assert seen.zoom == 1


def test_dragging_moves_the_map(seen: OpenedPage, shown: ReportContents) -> None:
    seen.to_map()
    seen.page.uncheck("#map-pictures")
    assert shown.map is not None
    row = next(i for i in range(len(shown.map.xy)) if _is_apart(shown, i))
    x, y = seen.at(*shown.map.xy[row])
    middle = seen.at(0, 0)
    seen.page.mouse.move(*middle)
    seen.page.mouse.down()
    seen.page.mouse.move(middle[0] + 30, middle[1] - 20, steps=4)
    seen.page.mouse.up()
    seen.page.mouse.move(x + 30, y - 20)
    assert _printed(shown.map.paths[row]) in _printed(seen.tip)


def _printed(text: str) -> str:
    return " ".join(text.split())


def test_two_fingers_zoom_the_map(browser: Any, file: Path) -> None:
    options = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
    with opened(browser, file, **options) as seen:
        seen.to_map()
        x, y = seen.at(0, 0)
        touch = seen.page.context.new_cdp_session(seen.page)

        def put(kind: str, *places: float) -> None:
            points = [{"x": place, "y": y, "id": i} for i, place in enumerate(places)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        put("touchStart", x - 20, x + 20)
        for step in (30, 40, 50):
            put("touchMove", x - step, x + step)
        put("touchEnd")
        seen.until(lambda: seen.zoom == pytest.approx(2.5, abs=0.01))


def test_keys_tell_what_is_in_the_middle(seen: OpenedPage) -> None:
    seen.to_map()
    seen.page.focus("#map-canvas")
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.is_visible("#tip")
    said = seen.page.text_content("#map-status")
    assert "label: " in said
    seen.page.keyboard.press("Escape")
    assert not seen.page.is_visible("#tip")


def test_the_legend_shows_only_what_is_chosen(seen: OpenedPage, shown: ReportContents) -> None:
    seen.to_map()
    assert shown.map is not None
    seen.page.uncheck("#map-pictures")
    legend = seen.page.locator("#map-legend button")
    assert legend.count() == len(shown.clusters) + 1
    assert legend.nth(1).inner_text().split("\n")[0] == f"4 {_HARM}"
    before = seen.pixels()
    legend.nth(1).click()
    assert legend.nth(1).get_attribute("aria-pressed") == "true"
    seen.until(lambda: seen.pixels() != before)
    others = next(
        i for i in range(len(shown.map.xy)) if shown.map.cluster_ids[i] == 3 and _far(shown, i)
    )
    seen.page.mouse.move(*seen.at(*shown.map.xy[others]))
    assert not seen.page.is_visible("#tip")
    seen.page.get_by_role("button", name="Show all").click()
    seen.page.mouse.move(*seen.at(*shown.map.xy[others]))
    assert seen.page.is_visible("#tip")


def _far(shown: ReportContents, row: int) -> bool:
    """Whether nothing of the cluster that is chosen lies near a point."""
    assert shown.map is not None
    gaps = abs(shown.map.xy - shown.map.xy[row]).max(axis=1)
    return bool((gaps[shown.map.cluster_ids == 4] > 0.06).all())


def test_the_map_can_be_coloured_by_label(seen: OpenedPage) -> None:
    seen.to_map()
    before = seen.pixels()
    seen.page.get_by_label("label", exact=True).check()
    seen.until(lambda: seen.pixels() != before)
    names = [
        text.split("\n")[0] for text in seen.page.locator("#map-legend button").all_inner_texts()
    ]
    assert sorted(names) == sorted(["lynx", "fox", "wolf", "boar", "no label"])


def test_pictures_tell_their_path_to_pointer_and_key(seen: OpenedPage) -> None:
    pictures = seen.page.locator("#cluster-3 .pictures a")
    pictures.first.scroll_into_view_if_needed()
    pictures.first.hover()
    assert _printed(f"{HOSTILE[0]} medoid") == _printed(seen.tip)
    seen.page.mouse.move(2, 2)
    pictures.first.focus()
    seen.page.keyboard.press("ArrowRight")
    assert _printed(f"{HOSTILE[1]} typical") == _printed(seen.tip)
    assert pictures.nth(1).get_attribute("tabindex") == "0"
    assert pictures.first.get_attribute("tabindex") == "-1"


def test_the_contents_follow_the_reading(seen: OpenedPage) -> None:
    seen.page.click(".toc a[href='#silhouette']")
    seen.page.wait_for_selector(".toc a[href='#silhouette'][aria-current]")
    assert seen.page.locator(".toc [aria-current]").count() == 1


def test_a_path_on_the_map_is_shown_by_a_tap(
    browser: Any, file: Path, shown: ReportContents
) -> None:
    options = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
    with opened(browser, file, **options) as seen:
        seen.to_map()
        assert shown.map is not None
        spot = shown.map.spots[0].row
        seen.page.touchscreen.tap(*seen.at(*shown.map.xy[spot]))
        assert seen.page.is_visible("#tip")
        assert _printed(shown.map.paths[spot]) in _printed(seen.tip)


@pytest.mark.parametrize("width", [360, 768, 3840])
def test_nothing_is_wider_than_the_screen(browser: Any, file: Path, width: int) -> None:
    with opened(browser, file, viewport={"width": width, "height": 900}) as seen:
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(wider) == 0


def test_a_dark_screen_is_dark_and_the_map_with_it(seen: OpenedPage) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert seen.page.evaluate(ground) == "rgb(255, 255, 255)"
    seen.to_map()
    seen.page.get_by_label("label", exact=True).check()
    light = seen.pixels()
    seen.page.emulate_media(color_scheme="dark")
    assert seen.page.evaluate(ground) == "rgb(20, 23, 28)"
    seen.until(lambda: seen.pixels() != light)


def test_the_map_is_crisp_where_pixels_are_small(browser: Any, file: Path) -> None:
    options = {"viewport": {"width": 900, "height": 700}, "device_scale_factor": 2}
    with opened(browser, file, **options) as seen:
        seen.to_map()
        box = seen.page.locator("#map-canvas").bounding_box()
        assert seen.page.evaluate("document.getElementById('map-canvas').width") == pytest.approx(
            2 * box["width"], abs=1
        )


def test_it_reads_without_scripts(browser: Any, file: Path) -> None:
    options = {"viewport": {"width": 1280, "height": 900}, "java_script_enabled": False}
    with opened(browser, file, **options) as seen:
        assert "The map needs JavaScript." in seen.page.inner_text("#map")
        assert seen.page.is_visible("#cluster-3 img")
