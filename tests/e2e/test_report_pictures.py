"""The pictures of the page in a real browser: large, sharp, on the map, on a phone, on paper."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from PIL import Image

from organizer.report.contents import ContactSheet, ReportContents, ReportPicture
from organizer.report.page import render
from organizer.types import Box
from tests.browsers import chromium
from tests.pages import contents, picture
from tests.report_browser import OpenedPage, opened

_WIDE = (720, 480)
_DESK = {"width": 1280, "height": 900}
_PHONE = {"width": 390, "height": 844}
_LIST = "#cluster-3 .pictures a"
_CONTRAST = (Path(__file__).parents[1] / "report_contrast.js").read_text(encoding="utf-8")
_BOX = Box(0.25, 0.5, 0.25, 0.25)


def _linked(found: ReportPicture, *, side: int = 240) -> ReportPicture:
    """The same as large as on a page, with the link to its file."""
    drawn = picture(found.path, len(found.path), side=side)
    return replace(drawn, note=found.note, link=quote(os.fsencode(found.path)))


def _linked_sheet(sheet: ContactSheet) -> ContactSheet:
    typical, border = (tuple(map(_linked, part)) for part in (sheet.typical, sheet.border))
    return replace(sheet, typical=typical, border=border)


@pytest.fixture(scope="module")
def shown() -> ReportContents:
    """A report in which all files but those of cluster 5 are there, the third one a crop."""
    made = contents(names=("lynx", None, "fox"), spots=4, pictures=8)
    sheets = {i: _linked_sheet(sheet) for i, sheet in made.sheets.items()}
    first, second, third, fourth, *others = sheets[3].typical
    third, fourth = replace(third, box=_BOX), replace(fourth, jpeg=b"")
    sheets[3] = replace(sheets[3], typical=(first, second, third, fourth, *others))
    gone = tuple(replace(one, link=f"gone/{i}.jpg") for i, one in enumerate(sheets[5].typical))
    sheets[5] = replace(sheets[5], typical=gone)
    assert made.map is not None
    return replace(
        made,
        sheets=sheets,
        doubtful=tuple(map(_linked, made.doubtful * 3)),
        unassigned_pictures=tuple(map(_linked, made.unassigned_pictures)),
        map=replace(made.map, links=tuple(quote(os.fsencode(p)) for p in made.map.paths)),
    )


@pytest.fixture(scope="module")
def file(shown: ReportContents, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("near photos")
    assert shown.map is not None
    for path in shown.map.paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", _WIDE, "#7a5").save(folder / path, "JPEG")
    file = folder / "report.html"
    file.write_text(render(shown), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def seen(browser: Any, file: Path) -> Iterator[OpenedPage]:
    with opened(browser, file, viewport=_DESK) as seen:
        yield seen


def _large_is(seen: OpenedPage, size: tuple[int, int]) -> bool:
    found = "[...document.querySelectorAll('#large-view img')].map((i) => i.naturalWidth)"
    return bool(seen.page.evaluate(found) == [size[0]])


def _focused(seen: OpenedPage) -> int:
    """The position in its list of the picture that has the focus."""
    found = f"[...document.querySelectorAll('{_LIST}')].indexOf(document.activeElement)"
    return int(seen.page.evaluate(found))


# The large view ---------------------------------------------------------------------------------


def test_a_click_enlarges_and_links_to_the_file(seen: OpenedPage, shown: ReportContents) -> None:
    second = shown.sheets[3].typical[1]
    seen.page.locator(_LIST).nth(1).click()
    assert seen.page.is_visible("#large")
    assert not seen.page.is_visible("#tip")
    seen.until(lambda: _large_is(seen, _WIDE))
    assert seen.page.get_attribute("#large-link", "href") == second.link
    assert seen.page.text_content("#large-path") == second.path
    assert seen.page.inner_text("#large-note") == "typical"
    assert seen.page.inner_text("#large-count") == "2 of 16"
    with seen.page.context.expect_page() as other:
        seen.page.click("#large-link")
    assert other.value.url.endswith(second.link)
    seen.page.mouse.click(3, 3)
    assert not seen.page.is_visible("#large")


def test_the_large_view_works_by_keyboard(seen: OpenedPage) -> None:
    seen.page.locator(_LIST).first.focus()
    seen.page.keyboard.press("ArrowRight")
    seen.page.keyboard.press("Enter")
    for key, position in (
        ("ArrowRight", 3), ("ArrowDown", 4), ("ArrowLeft", 3), ("End", 16), ("ArrowRight", 16),
        ("Home", 1), ("ArrowUp", 1), ("ArrowRight", 2), ("ArrowRight", 3),
    ):  # fmt: skip
        seen.page.keyboard.press(key)
        assert seen.page.inner_text("#large-count") == f"{position} of 16"
    seen.page.keyboard.press("Escape")
    assert not seen.page.is_visible("#large")
    assert _focused(seen) == 2
    seen.page.keyboard.press("ArrowLeft")
    assert _focused(seen) == 1


def test_a_held_key_opens_the_file_as_links_do(seen: OpenedPage) -> None:
    with seen.page.context.expect_page():
        seen.page.locator(_LIST).nth(1).click(modifiers=["ControlOrMeta"])
    assert not seen.page.is_visible("#large")


def test_without_its_file_a_picture_is_the_one_of_the_page(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport=_DESK) as seen:
        seen.page.locator("#cluster-5 .pictures a").first.click()
        seen.until(lambda: len(seen.complaints) > 0)
        assert _large_is(seen, (240, 180))
        assert ["ERR_FILE_NOT_FOUND" in text for text in seen.complaints] == [True]
        seen.complaints.clear()


def test_of_a_picture_that_could_not_be_read_no_file_is_shown(seen: OpenedPage) -> None:
    before = len(seen.requests)
    seen.page.locator(_LIST).nth(3).click()
    assert seen.page.inner_text("#large-view") == "cannot be read"
    assert not seen.page.is_visible("#large-link")
    assert len(seen.requests) == before


def test_a_crop_is_outlined_in_its_photo(seen: OpenedPage) -> None:
    seen.page.locator(_LIST).nth(2).click()
    seen.until(lambda: _large_is(seen, _WIDE))
    photo = seen.page.locator(".frame img").bounding_box()
    outline = seen.page.locator(".frame rect").last.bounding_box()
    scale = min(photo["width"] / _WIDE[0], photo["height"] / _WIDE[1])
    left = photo["x"] + (photo["width"] - scale * _WIDE[0]) / 2
    top = photo["y"] + (photo["height"] - scale * _WIDE[1]) / 2
    assert outline["x"] == pytest.approx(left + _BOX.x * scale * _WIDE[0], abs=4)
    assert outline["y"] == pytest.approx(top + _BOX.y * scale * _WIDE[1], abs=4)
    assert outline["width"] == pytest.approx(_BOX.width * scale * _WIDE[0], abs=8)


@pytest.mark.parametrize("size", [_DESK, _PHONE, {"width": 740, "height": 360}])
def test_the_large_view_fits_the_screen(browser: Any, file: Path, size: dict[str, int]) -> None:
    with opened(browser, file, viewport=size) as seen:
        seen.page.locator(_LIST).first.click()
        seen.until(lambda: _large_is(seen, _WIDE))
        for part in ("#large", "#large-view img", "#large-link", "[data-large=close]"):
            box = seen.page.locator(part).bounding_box()
            assert box["x"] >= 0
            assert box["y"] >= 0
            assert box["x"] + box["width"] <= size["width"]
            assert box["y"] + box["height"] <= size["height"]


# The map ----------------------------------------------------------------------------------------


def _tip_picture(seen: OpenedPage) -> list[int]:
    found = "[...document.querySelectorAll('#tip:not([hidden]) img')].map((i) => i.naturalWidth)"
    widths: list[int] = seen.page.evaluate(found)
    return widths


def test_the_map_shows_the_picture_of_a_point(seen: OpenedPage, shown: ReportContents) -> None:
    seen.to_map()
    assert shown.map is not None
    seen.page.mouse.move(*seen.at(*shown.map.xy[shown.map.spots[0].row]))
    seen.until(lambda: _tip_picture(seen) == [64])
    seen.page.uncheck("#map-pictures")
    spots = {spot.row for spot in shown.map.spots}
    gaps = abs(shown.map.xy[:, None] - shown.map.xy[None]).max(axis=2)
    row = next(i for i, gap in enumerate(gaps) if i not in spots and (gap < 0.02).sum() == 1)
    seen.page.mouse.move(*seen.at(*shown.map.xy[row]))
    seen.until(lambda: _tip_picture(seen) == [_WIDE[0]])
    assert shown.map.paths[row] in seen.tip
    box = seen.page.locator("#tip").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= _DESK["height"]


def test_a_click_on_the_map_enlarges_and_enter_does(
    seen: OpenedPage, shown: ReportContents
) -> None:
    seen.to_map()
    assert shown.map is not None
    spot = shown.map.spots[0]
    seen.page.mouse.click(*seen.at(*shown.map.xy[spot.row]))
    assert seen.page.text_content("#large-path") == spot.picture.path
    seen.page.keyboard.press("Escape")
    assert seen.page.evaluate("document.activeElement.id") == "map-canvas"
    seen.page.keyboard.press("ArrowRight")
    said = seen.page.text_content("#map-status")
    seen.page.keyboard.press("Enter")
    assert seen.page.is_visible("#large")
    assert said.startswith(seen.page.text_content("#large-path"))
    row = shown.map.paths.index(seen.page.text_content("#large-path"))
    assert unquote(seen.page.get_attribute("#large-link", "href")) == shown.map.paths[row]


def test_a_second_tap_on_the_map_enlarges(browser: Any, file: Path, shown: ReportContents) -> None:
    with opened(browser, file, viewport=_PHONE, has_touch=True) as seen:
        seen.to_map()
        assert shown.map is not None
        place = seen.at(*shown.map.xy[shown.map.spots[0].row])
        seen.page.touchscreen.tap(*place)
        assert seen.page.is_visible("#tip")
        assert not seen.page.is_visible("#large")
        seen.page.touchscreen.tap(*place)
        assert seen.page.is_visible("#large")


# Screens and paper ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [_DESK, _PHONE])
def test_pictures_are_sharp_where_pixels_are_small(
    browser: Any, file: Path, size: dict[str, int]
) -> None:
    with opened(browser, file, viewport=size, device_scale_factor=2) as seen:
        seen.page.locator("#cluster-3").scroll_into_view_if_needed()
        sharpness: list[float] = seen.page.evaluate(
            f"[...document.querySelectorAll('{_LIST} img')]"
            ".map((image) => image.naturalWidth / (image.clientWidth * devicePixelRatio))"
        )
        assert sorted(sharpness)[len(sharpness) // 2] >= 0.95
        assert min(sharpness) >= 0.75


def test_a_phone_has_no_blank_space(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport=_PHONE) as seen:
        seen.unfold()
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(wider) == 0
        for part in ("#doubtful", "#cluster-3", "#cluster-4"):
            seen.page.locator(part).scroll_into_view_if_needed()
            rows = _rows_of(seen, f"{part} .pictures li")
            assert len(rows) > 1
            # All but the last row are filled, and what stands in a row is equally tall.
            assert all(max(right for *_, right in row) > 0.85 * 358 for row in rows[:-1])
            for row in rows:
                heights = [height for height, _ in row]
                assert max(heights) <= 1.3 * min(heights)
        # In a row of the table there is text that can be seen at every height but its padding.
        seen.page.locator("#clusters").scroll_into_view_if_needed()
        blank: list[int] = seen.page.evaluate(_LARGEST_BLANKS)
        assert len(blank) == 5
        assert max(blank) <= 18


_LARGEST_BLANKS = """
[...document.querySelectorAll("#clusters tbody tr")].map((row) => {
  const box = row.getBoundingClientRect();
  const lines = new Set();
  for (const cell of row.cells) {
    const range = document.createRange();
    range.selectNodeContents(cell);
    for (const one of range.getClientRects()) {
      if (one.left >= innerWidth) continue;
      for (let y = Math.floor(one.top); y < one.bottom; y++) lines.add(y);
    }
  }
  let [largest, run] = [0, 0];
  for (let y = Math.floor(box.top); y < box.bottom; y++) {
    run = lines.has(y) ? 0 : run + 1;
    largest = Math.max(largest, run);
  }
  return largest;
})
"""


def _rows_of(seen: OpenedPage, selector: str) -> list[list[tuple[float, float]]]:
    """Height and right edge of each element, by rows."""
    boxes: list[list[float]] = seen.page.evaluate(
        "(s) => [...document.querySelectorAll(s)].map((e) => [e.offsetTop,"
        " e.querySelector('a').offsetHeight, e.offsetLeft + e.offsetWidth"
        " - e.parentElement.offsetLeft])",
        selector,
    )
    rows: dict[float, list[tuple[float, float]]] = {}
    for top, height, right in boxes:
        rows.setdefault(top, []).append((height, right))
    return list(rows.values())


def test_tick_labels_do_not_touch_on_a_narrow_screen(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport={"width": 360, "height": 800}) as seen:
        seen.unfold()
        seen.page.locator("#evidence").scroll_into_view_if_needed()
        for selector in (".axis .ticks span", "#evidence-silhouette", "#evidence-inertia"):
            found = selector if selector.startswith(".") else f".chart:has({selector}) svg text"
            boxes = [one.bounding_box() for one in seen.page.locator(found).all()]
            assert len(boxes) >= 3
            for i, a in enumerate(boxes):
                for b in boxes[i + 1 :]:
                    apart_x = max(a["x"], b["x"]) - min(a["x"] + a["width"], b["x"] + b["width"])
                    apart_y = max(a["y"], b["y"]) - min(a["y"] + a["height"], b["y"] + b["height"])
                    assert max(apart_x, apart_y) >= 0


def test_on_paper_all_is_open_light_and_whole(
    browser: Any, file: Path, shown: ReportContents
) -> None:
    options = {"viewport": {"width": 703, "height": 1000}, "color_scheme": "dark"}
    with opened(browser, file, **options) as seen:
        paper = seen.page.pdf(format="A4", print_background=True)
        listed = [one for s in shown.sheets.values() for one in (*s.typical, *s.border)]
        assert paper.count(b"/Subtype /Image") >= len({one.jpeg for one in listed if one.jpeg})
        assert seen.page.locator("details[open]").count() < seen.page.locator("details").count()
        seen.page.emulate_media(media="print")
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert seen.page.locator("details:not([open])").count() == 0
        ground = "getComputedStyle(document.body).backgroundColor"
        assert seen.page.evaluate(ground) == "rgb(255, 255, 255)"
        assert seen.page.evaluate("matchMedia('print').matches")
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert seen.page.evaluate(wider) == 0
        assert not seen.page.is_visible(".toc")
        uncut = "getComputedStyle(document.querySelector('.pictures li')).breakInside"
        assert seen.page.evaluate(uncut) == "avoid"
        seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert seen.page.locator(".section > details[open]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [_DESK, _PHONE])
def test_all_can_be_seen(browser: Any, file: Path, scheme: str, size: dict[str, int]) -> None:
    with opened(browser, file, viewport=size, color_scheme=scheme) as seen:
        seen.unfold()
        seen.to_map()
        seen.page.locator("#map-legend button").first.click()
        found = seen.page.evaluate(_CONTRAST)
        assert found["bad"] == []
        assert found["checked"] > 400
        seen.page.locator("#cluster-4 .pictures a").nth(1).click()
        assert seen.page.evaluate(_CONTRAST)["bad"] == []


def test_a_section_unfolds_for_who_comes_by_a_link(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport=_DESK) as seen:
        assert not seen.page.is_visible("#scores .cards")
        seen.page.click(".toc a[href='#scores']")
        assert seen.page.locator("#scores .cards").first.is_visible()
        seen.page.goto("about:blank")
        seen.page.goto(f"{file.as_uri()}#silhouette")
        assert seen.page.is_visible(".silhouettes")
        assert re.search("#silhouette$", seen.page.url)
