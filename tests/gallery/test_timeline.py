"""The timeline in a real browser: days, night, filters, what is apart, and keys."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from organizer.library import Library
from organizer.settings import Settings
from tests.gallery.opened import Gallery
from tests.scenes import Scenes, season
from tests.service.servers import serving
from tests.test_detecting import seen
from tests.traps import COLOUR, frame

pytestmark = pytest.mark.slow

_EACH = 3
_BEGAN = datetime(2024, 4, 29, 5)  # noqa: DTZ001 - cameras know no zones


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two stations, a photo every five hours: animals, empty ones, people, vehicles; a night."""
    home = tmp_path_factory.mktemp("watched")
    scenes = season(home / "photos", each=_EACH)
    for number, path in enumerate(sorted(scenes.things)):
        _taken(scenes, path, _BEGAN + number * timedelta(hours=5))
    night = "2024:05:20 02:10:00"
    frame(scenes.folder / "ridge" / "night.jpg", (90, 90, 90), at=night, camera="ridge", noise=0)
    frame(scenes.folder / "ridge" / "none.jpg", (90, 150, 90), at=None, camera="ridge")
    with Library.open_or_create(home) as library:
        library.ingest([scenes.folder], embedder=COLOUR)
        library.detections.add(seen(library, scenes))
        library.recluster(k=3, reduce="none")
        library.deployments.set_template("{camera}")
    return home


def _taken(scenes: Scenes, path: str, at: datetime) -> None:
    with Image.open(scenes.folder / path) as picture:
        exif = picture.getexif()
        exif[0x0110] = path.partition("/")[0]
        exif.get_ifd(0x8769)[0x9003] = f"{at:%Y:%m:%d %H:%M:%S}"
        picture.save(scenes.folder / path, quality=95, exif=exif)


@pytest.fixture
def library(watched: Path, tmp_path: Path) -> Iterator[Library]:
    shutil.copytree(watched, tmp_path, dirs_exist_ok=True)
    with Library.open(tmp_path, Settings()) as library:
        yield library


@pytest.fixture
def client(library: Library) -> Iterator[httpx.Client]:
    with serving(library) as client:
        yield client


@pytest.fixture
def opened(open_page: Callable[..., Gallery]) -> Gallery:
    found = open_page("#/timeline")
    found.page.wait_for_selector(".timeline-event")
    return found


def _events(client: httpx.Client, *groups: str) -> list[Any]:
    found = client.get("/timeline").json()["events"]
    return sorted((e for e in found if e["group"] in groups), key=lambda e: str(e["start"]))


def _tabs(found: Gallery) -> list[str]:
    return [" ".join(text.split()) for text in found.page.locator(".tabs button").all_inner_texts()]


def test_events_stand_in_rows_by_day(opened: Gallery, client: httpx.Client) -> None:
    events = _events(client, "animals", "no detector result")
    assert len(events) == 2 * (3 * _EACH + 1) + 1
    days = list(dict.fromkeys(event["start"][:10] for event in events))
    titles = opened.page.locator(".timeline-day h2").all_inner_texts()
    assert titles[:3] == [f"{int(day[8:])} {_MONTHS[day[5:7]]} 2024" for day in days[:3]]
    first = opened.page.locator(".timeline-event a").first
    event = events[0]
    assert event["start"][11:16] in first.inner_text()
    assert first.locator("img").get_attribute("src").split("/")[4] == event["medoid"]
    assert first.locator("img").evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    words = " ".join((first.text_content() or "").split())
    assert event["camera"] in words
    assert "1 image" in words
    assert first.get_attribute("aria-label") is None


_MONTHS = {"04": "Apr", "05": "May"}


def test_the_night_is_marked(opened: Gallery) -> None:
    opened.page.get_by_role("button", name="May 2024").click()
    opened.press("End")
    night = opened.page.locator(".timeline-event.night:has-text('02:10')")
    night.wait_for()
    words = " ".join((night.locator("a").text_content() or "").split())
    assert "night" in words
    assert "infrared" in words
    title = night.locator(".light").get_attribute("title")
    assert title == "night, by the camera's clock"
    assert opened.page.locator(".hours .mark.night").count() >= 1
    light = opened.page.locator(".timeline-event:not(.night) a").first
    assert "colour" in (light.text_content() or "")


def test_empties_and_people_are_apart_and_closed(opened: Gallery, client: httpx.Client) -> None:
    assert _tabs(opened) == ["Events 21", "Empty 4", "People 2", "Vehicles 2", "Without a time 1"]
    people = {event["event"] for event in _events(client, "people")}
    opened.page.get_by_role("button", name="People").click()
    opened.page.wait_for_selector(".timeline-note:has-text('not shown until you ask')")
    assert opened.page.locator(".timeline-event").count() == len(people)
    assert opened.page.locator(".timeline-event img").count() == 0
    assert not any("/groups/" in url for url in opened.requests)
    opened.page.get_by_role("button", name="Show them").click()
    opened.page.wait_for_selector(".cell img.shown")
    assert opened.total == 2
    opened.page.get_by_role("button", name="Empty").click()
    opened.page.wait_for_selector(".timeline-event img")
    assert opened.page.locator(".timeline-event").count() == 4
    opened.page.get_by_role("button", name="Without a time").click()
    opened.page.wait_for_selector(".timeline-note:has-text('1 photo without a time')")
    opened.page.wait_for_selector(".cell img.shown")


def test_it_is_limited_to_a_deployment(opened: Gallery, client: httpx.Client) -> None:
    opened.page.get_by_label("Deployment").select_option("brook")
    count = len(client.get("/timeline?deployment=brook").json()["events"])
    assert count == 3 * _EACH + 5
    opened.page.wait_for_selector(f".chip:has-text('{count} events')")
    cameras = set(opened.page.locator(".event-camera").all_inner_texts())
    assert cameras == {"brook"}
    assert "deployment=brook" in opened.page.url
    opened.page.reload()
    opened.page.wait_for_selector(f".chip:has-text('{count} events')")


def _card(found: Gallery) -> str:
    return str(found.evaluate("document.activeElement.textContent"))


def test_keys_go_from_event_to_event_and_decide(opened: Gallery, client: httpx.Client) -> None:
    events = _events(client, "animals", "no detector result")
    opened.press("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight")
    opened.until(lambda: events[1]["start"][11:16] in _card(opened))
    opened.press("m")
    opened.page.wait_for_selector("dialog input")
    opened.type("Red deer")
    opened.press("Enter")
    opened.until(lambda: "Red deer" in opened.text(".days"))
    after = next(e for e in _events(client, "animals") if e["event"] == events[1]["event"])
    names = opened.names
    assert [names[int(i)] for i in after["clusters"]] == ["Red deer"]
    opened.press("Control+z")
    opened.until(lambda: "Red deer" not in opened.text(".days"))
    opened.press("Enter")
    opened.page.wait_for_selector(".cell img.shown")
    assert f"event={events[1]['event']}" in opened.page.url
    assert opened.total == 1
    opened.until(lambda: f"{events[1]['camera']}, " in opened.text("h1"))
    assert events[1]["start"][11:16] in opened.text("h1")
    opened.press("Escape")
    opened.page.wait_for_selector(".timeline-event")
    opened.until(lambda: events[1]["start"][11:16] in _card(opened))


def test_of_very_many_events_only_those_that_are_seen_are_there(
    open_page: Callable[..., Gallery], client: httpx.Client
) -> None:
    made = client.get("/timeline").json()
    one = next(event for event in made["events"] if event["group"] == "animals")
    began = datetime(2020, 1, 1)  # noqa: DTZ001
    times = [(began + number * timedelta(minutes=31)).isoformat() for number in range(20_000)]
    made["events"] = [
        {**one, "event": number, "start": at, "end": at} for number, at in enumerate(times)
    ]
    found = open_page()
    found.page.route("**/api/v1/timeline*", lambda route: route.fulfill(json=made))
    found.go("#/timeline")
    found.page.wait_for_selector(".timeline-event")
    assert found.page.locator(".timeline-event").count() < 200
    found.press("End")
    found.until(lambda: times[-1][11:16] in _card(found))
    assert found.page.locator(".timeline-event").count() < 200


def test_photos_without_times_are_of_no_event(browser: Any, tmp_path: Path) -> None:
    for i in range(6):
        frame(tmp_path / "photos" / f"{i}.jpg", (40 * i, 90, 90), at=None, seed=i)
    with Library.open_or_create(tmp_path) as library:
        library.ingest([tmp_path / "photos"], embedder=COLOUR)
        library.recluster(k=2, reduce="none")
        with serving(library) as client:
            found = Gallery.open(browser, client, "#/timeline")
            found.until(lambda: "No events here" in found.text("main"))
            found.page.get_by_role("button", name="Without a time").click()
            found.until_total(6)
            found.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_two_events_beside_each_other(
    open_page: Callable[..., Gallery], scheme: str
) -> None:
    size = {"width": 390, "height": 800}
    found = open_page("#/timeline", viewport=size, color_scheme=scheme)
    found.page.wait_for_selector(".timeline-event")
    boxes = [one.bounding_box() for one in found.page.locator(".timeline-event").all()[:4]]
    assert len({box["x"] for box in boxes}) == 2
    assert found.evaluate("document.body.scrollWidth <= innerWidth")
