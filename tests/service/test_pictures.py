"""Pictures by id: thumbnails and originals, and what a cache and a browser are told of them."""

from __future__ import annotations

import io
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from organizer.client import Client, ServiceError
from organizer.library import Library
from organizer.service.options import ServiceOptions
from organizer.service.pictures import safe_media_type
from organizer.service.thumbnails import SIZES
from organizer.settings import Settings
from organizer.types import Detected, Detection, ImageDetections
from tests.scenes import Scenes, season
from tests.service.servers import SECONDS, running
from tests.test_metadata_written import write_keyword, write_tags
from tests.traps import COLOUR

_ORIENTATION = 0x0112


def image_id(client: Client, name: str) -> str:
    return next(item.id for item in client.images() if item.name == name)


def picture(data: bytes) -> Image.Image:
    found = Image.open(io.BytesIO(data))
    found.load()
    return found


@pytest.fixture
def large(client: Client, opened: Library, home: Path) -> str:
    """A photo of 900 x 600 that stands on its side in the file: its upper half is red."""
    pixels = np.zeros((900, 600, 3), np.uint8)
    pixels[:450, :, 0] = 250
    pixels[450:, :, 2] = 250
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    on_its_side = Image.fromarray(pixels).rotate(90, expand=True)
    on_its_side.save(home / "photos" / "large.jpg", exif=exif, quality=95)
    opened.ingest([home / "photos" / "large.jpg"])
    return image_id(client, "large.jpg")


# Thumbnails ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_a_thumbnail_is_upright_whole_and_never_enlarged(
    client: Client, large: str, size: int
) -> None:
    found = picture(client.thumbnail(large, size=size))
    assert (found.format, found.mode) == ("JPEG", "RGB")
    assert max(found.size) == min(size, 900)
    assert found.size[1] > found.size[0], "upright"
    width, height = found.size
    red, _, blue = found.getpixel((width // 2, height // 8))  # type: ignore[misc]
    assert (red > 200, blue < 60) == (True, True)
    red, _, blue = found.getpixel((width // 2, height * 7 // 8))  # type: ignore[misc]
    assert (blue > 200, red < 60) == (True, True)
    assert not found.getexif(), "without metadata"


def test_what_a_cache_is_told_of_thumbnails(client: Client, url: str) -> None:
    address = f"{url}/api/v1/images/{image_id(client, 'late.jpg')}/thumbnail/96"
    for query in ("", "?v=1", "?v=2"):
        answer = httpx.get(address + query)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.headers["content-type"] == "image/jpeg"
        assert "content-encoding" not in answer.headers
    head = httpx.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("size", ["1", "97", "0", "-96", "100000000000", "big"])
def test_other_sizes_are_not_made(client: Client, url: str, size: str) -> None:
    answer = httpx.get(f"{url}/api/v1/images/{image_id(client, 'late.jpg')}/thumbnail/{size}")
    assert answer.status_code in {404, 422}
    assert "immutable" not in answer.headers["cache-control"], "a refusal is not kept for a year"


def test_of_a_missing_file_there_is_no_thumbnail(client: Client, home: Path) -> None:
    late = image_id(client, "late.jpg")
    (home / "photos" / "card" / "late.jpg").unlink()
    with pytest.raises(ServiceError, match="no picture") as raised:
        client.thumbnail(late, size=96)
    assert raised.value.status == 404


def test_what_a_file_holds_now_is_not_shown_for_what_it_held(client: Client, home: Path) -> None:
    late = image_id(client, "late.jpg")
    Image.new("RGB", (32, 24), "white").save(home / "photos" / "card" / "late.jpg")
    with pytest.raises(ServiceError, match="no picture") as raised:
        client.thumbnail(late, size=192)
    assert "has changed" in raised.value.hint


@pytest.fixture(scope="module")
def cropped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a season that is clustered by its crops."""
    home = tmp_path_factory.mktemp("season")
    scenes = season(home / "photos", each=2)
    with Library.open_or_create(home, Settings()) as library:
        library.ingest([scenes.folder], embedder=COLOUR)
        library.detections.add(seen_by_all(library, scenes))
        library.recluster(k=3, embedder=f"crops:{COLOUR}", reduce="none")
        with running(library) as url, Client(url) as client:
            yield client


def seen_by_all(library: Library, scenes: Scenes) -> list[ImageDetections]:
    """What a detector gives that sees everything."""
    found = []
    for path, things in scenes.things.items():
        image = library.store.photos.image_at(scenes.folder / path)
        assert image is not None
        boxes = tuple(
            Detection(
                thing.what if thing.what in {"person", "vehicle"} else "animal",
                thing.confidence,
                *thing.box,  # type: ignore[arg-type]
            )
            for thing in things
        )
        outcome = Detected.FOUND if boxes else Detected.EMPTY
        found.append(ImageDetections(image, outcome, boxes, detector="eye"))
    return found


def test_a_thumbnail_of_a_crop_is_what_lies_in_its_box(cropped: Client, tmp_path: Path) -> None:
    crop = next(i for i in cropped.images() if i.name == "fox0.jpg")
    detail = cropped.image(crop.id)
    assert detail.box is not None
    found = picture(cropped.thumbnail(crop.id, size=384))
    assert found.size == (40, 40)
    red, green, blue = found.getpixel((20, 20))  # type: ignore[misc]
    assert red > 150
    assert red > green > blue, "the fox"
    assert detail.frame is not None
    frame = cropped.image(detail.frame)
    assert [one.id for one in frame.crops] == [crop.id]
    whole = picture(cropped.thumbnail(detail.frame, size=384))
    assert whole.size == (160, 120)
    cropped.save_original(crop.id, tmp_path / "saved.jpg")
    assert (tmp_path / "saved.jpg").read_bytes() == Path(crop.path).read_bytes()


def test_what_a_detector_saw_is_shown_also_where_whole_photos_are_clustered(
    client: Client, opened: Library
) -> None:
    late = image_id(client, "late.jpg")
    seen = [
        Detection("animal", 0.91, 0.1, 0.2, 0.3, 0.4),
        Detection("person", 0.8, 0.5, 0.5, 0.25, 0.5),
        Detection("animal", 0.01, 0.6, 0.1, 0.1, 0.1),
    ]
    opened.detections.add([ImageDetections(late, Detected.FOUND, tuple(seen), detector="eye")])
    found = client.image(late)
    assert found.crops == []
    assert [(one.category, one.box) for one in found.boxes] == [
        ("animal", (0.1, 0.2, 0.3, 0.4)),
        ("person", (0.5, 0.5, 0.25, 0.5)),
    ]


def test_people_and_vehicles_are_closed_until_they_are_asked_for(cropped: Client) -> None:
    names = {item.name for item in cropped.images()}
    assert {"fox0.jpg", "pair.jpg"} <= names
    assert names & {"person.jpg", "car.jpg"} == set()
    columns = cropped.image_columns()
    assert (columns.hidden, columns.total) == (2, len(list(cropped.images())))
    assert cropped.status().groups["people"] == 2


# Originals ----------------------------------------------------------------------------------


def test_the_original_is_the_file(client: Client, url: str, home: Path) -> None:
    late = image_id(client, "late.jpg")
    data = (home / "photos" / "card" / "late.jpg").read_bytes()
    address = f"{url}/api/v1/images/{late}/original"
    answer = httpx.get(address)
    assert answer.content == data
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["etag"].startswith(f'"{late}-')
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["accept-ranges"] == "bytes"
    head = httpx.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(data))
    client.save_original(late, home / "copy.jpg")
    assert (home / "copy.jpg").read_bytes() == data


def test_parts_of_an_original(client: Client, url: str, home: Path) -> None:
    late = image_id(client, "late.jpg")
    data = (home / "photos" / "card" / "late.jpg").read_bytes()
    address = f"{url}/api/v1/images/{late}/original"

    def part(wanted: str, **headers: str) -> httpx.Response:
        return httpx.get(address, headers={"Range": wanted, **headers})

    answer = part("bytes=10-19")
    assert (answer.status_code, answer.content) == (206, data[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{len(data)}"
    assert part("bytes=-5").content == data[-5:]
    assert part(f"bytes={len(data) - 3}-").content == data[-3:]
    assert part("bytes=5-9", **{"If-Range": httpx.head(address).headers["etag"]}).status_code == 206
    assert part("bytes=5-9", **{"If-Range": '"other"'}).content == data
    beyond = part(f"bytes={len(data)}-")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"].endswith(f"*/{len(data)}")


@pytest.mark.parametrize("given", ['"{}"', 'W/"{}"', '"x", "{}"', "*"])
def test_an_original_that_has_not_changed_is_not_sent_again(
    client: Client, url: str, given: str
) -> None:
    late = image_id(client, "late.jpg")
    address = f"{url}/api/v1/images/{late}/original"
    etag = httpx.head(address).headers["etag"]
    answer = httpx.get(address, headers={"If-None-Match": given.format(etag.strip('"'))})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["cache-control"] == "private, no-cache"
    assert httpx.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_file_that_has_changed_is_not_served_as_the_image(
    client: Client, url: str, home: Path
) -> None:
    late = image_id(client, "late.jpg")
    (home / "photos" / "card" / "late.jpg").write_bytes(b"something else")
    answer = httpx.get(f"{url}/api/v1/images/{late}/original")
    assert answer.status_code == 404
    again = httpx.get(
        f"{url}/api/v1/images/{late}/original", headers={"If-None-Match": f'"{late}"'}
    )
    assert again.status_code == 404


def test_a_file_into_which_a_keyword_was_written_is_served_and_sent_again(
    client: Client, url: str, home: Path
) -> None:
    late = image_id(client, "late.jpg")
    address = f"{url}/api/v1/images/{late}/original"
    etag = httpx.head(address).headers["etag"]
    file = home / "photos" / "card" / "late.jpg"
    write_keyword(file)
    answer = httpx.get(address, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (200, file.read_bytes())


def test_a_photo_that_a_tag_rotates_has_another_thumbnail_at_another_address(
    client: Client, url: str, home: Path
) -> None:
    late = image_id(client, "late.jpg")
    before = client.status()
    address = f"{url}/api/v1/images/{late}/thumbnail/96"
    with Image.open(io.BytesIO(httpx.get(address).content)) as small:
        size = small.size
    write_tags(home / "photos" / "card" / "late.jpg", orientation=6)
    client.jobs.wait(client.jobs.ingest(), timeout=SECONDS)
    assert image_id(client, "late.jpg") == late
    assert client.status().thumbnail_version == before.thumbnail_version + 1
    with Image.open(io.BytesIO(httpx.get(address).content)) as small:
        assert small.size == size[::-1]


def test_a_file_that_was_only_touched_is_served(client: Client, url: str, home: Path) -> None:
    late = image_id(client, "late.jpg")
    file = home / "photos" / "card" / "late.jpg"
    file.touch()
    assert httpx.get(f"{url}/api/v1/images/{late}/original").content == file.read_bytes()


def test_a_copy_stands_in_for_a_file_that_is_gone(
    client: Client, opened: Library, home: Path
) -> None:
    late = image_id(client, "late.jpg")
    file = home / "photos" / "card" / "late.jpg"
    copy = home / "photos" / "copies" / "z.jpg"
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes())
    opened.ingest([copy])
    file.unlink()
    client.save_original(late, home / "saved.jpg")
    assert (home / "saved.jpg").read_bytes() == copy.read_bytes()


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.svgz", "a.xhtml", "a.xml", "a.js", "a"])
def test_what_a_browser_would_run_is_bytes(name: str) -> None:
    assert safe_media_type(Path(name)) == "application/octet-stream"


@pytest.mark.parametrize("name", ["a.jpg", "a.PNG", "a.webp", "a.tif", "a.heic"])
def test_a_picture_is_told_as_one(name: str) -> None:
    assert safe_media_type(Path(name)).startswith("image/")


# The file manager ---------------------------------------------------------------------------


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a file manager was asked to show, line by line."""
    notes = tmp_path / "shown.txt"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> "{notes}"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":9")
    return notes


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="another file manager")


@linux_only
def test_a_file_is_shown_in_its_folder(
    client: Client, url: str, home: Path, shown: Path, large: str
) -> None:
    assert client.status().can_show_files
    client.show_in_folder(large)
    end = time.monotonic() + 10
    while not shown.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert shown.read_text() == f"{home / 'photos'}\n"
    assert httpx.post(f"{url}/api/v1/images/{'0' * 32}/show").status_code == 404


@linux_only
def test_nobody_is_shown_a_file_on_the_screen_of_another_machine(
    opened: Library, shown: Path, large: str
) -> None:
    options = ServiceOptions(token=secrets.token_urlsafe(), hosts=frozenset())
    headers = {"Authorization": f"Bearer {options.token}"}
    with running(opened, options) as url:
        answer = httpx.post(f"{url}/api/v1/images/{large}/show", headers=headers)
        assert answer.status_code == 409
        assert answer.json()["hint"] == "open its folder by yourself"
        assert not httpx.get(f"{url}/api/v1/status", headers=headers).json()["can_show_files"]
    assert not shown.exists()
