"""Raw files are read by the pictures that the camera put into them."""

from __future__ import annotations

import io
import os
import struct
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from organizer.decode import decode_image
from organizer.errors import ImageError
from organizer.pixels import raw
from organizer.types import DecodedImage, ImageRef
from tests.conftest import Run, make_photo
from tests.raw_files import (
    HEIGHT,
    RAW_FILES,
    TAKEN_AT,
    WIDTH,
    jpeg,
    mosaic_dng,
    picture,
    without_preview,
)
from tests.typed import in_this_process

kinds = pytest.mark.parametrize("kind", RAW_FILES)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The program in this process: without the second that a start takes."""
    return partial(in_this_process, tmp_path)


def decoded(data: bytes, name: str, min_side: int | None = None) -> DecodedImage:
    return decode_image(ImageRef(Path("/photos"), name, len(data), 0), data, min_side=min_side)


@kinds
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_preview_is_the_photo_turned_as_the_raw_file_says(kind: str, turn: int) -> None:
    preview = jpeg()
    image = decoded(RAW_FILES[kind](preview, turn), f"IMG_1{kind.upper()}")
    with Image.open(io.BytesIO(preview)) as opened:
        exif = Image.Exif()
        exif[0x0112] = turn
        tagged = io.BytesIO()
        opened.save(tagged, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tagged)))
    difference = np.abs(image.pixels.astype(int) - expected)
    assert difference.max() <= (8 if kind == ".raf" else 1)  # there the JPEG was encoded twice
    assert (image.width, image.height) == (expected.shape[1], expected.shape[0])
    assert image.format == kind[1:].upper()
    assert "Orientation" not in image.metadata


@kinds
def test_camera_and_time_are_those_of_the_raw_file(kind: str) -> None:
    image = decoded(RAW_FILES[kind](jpeg(), 1), f"a{kind}")
    assert image.metadata["DateTimeOriginal"] == TAKEN_AT
    assert image.metadata["Make"]
    assert image.metadata["Model"]


@kinds
def test_a_raw_file_of_another_name_is_known_by_its_content(kind: str) -> None:
    image = decoded(RAW_FILES[kind](jpeg(), 6), "upload")
    assert image.pixels.shape == (WIDTH, HEIGHT, 3)
    assert image.format == "RAW"


@kinds
def test_a_smaller_picture_is_enough_where_a_network_needs_less(kind: str) -> None:
    image = decoded(RAW_FILES[kind](jpeg(picture(1_600, 1_200)), 1), f"a{kind}", min_side=300)
    assert image.pixels.shape == (300, 400, 3)
    assert (image.width, image.height) == (1_600, 1_200)


def test_the_largest_preview_is_taken() -> None:
    large = RAW_FILES[".nef"](jpeg(), 1) + jpeg(picture(330, 330))
    assert [Image.open(io.BytesIO(one)).size for one in raw.previews(large)] == [(WIDTH, HEIGHT)]
    searched = RAW_FILES[".orf"](jpeg(picture(400, 300)), 1) + jpeg()
    sizes = [Image.open(io.BytesIO(one)).size for one in raw.previews(searched)]
    assert sizes == [(WIDTH, HEIGHT), (400, 300)]


def test_where_the_largest_is_damaged_the_next_is_taken() -> None:
    large, small = jpeg(picture(1_000, 1_000)), jpeg()
    image = decoded(RAW_FILES[".orf"](large[:2_000], 1) + bytes(900) + small, "a.orf")
    assert (image.width, image.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "a.nef"])
def test_what_is_no_raw_file_is_read_as_before(name: str) -> None:
    assert decoded(jpeg(), name).format == "JPEG"
    if name != "a.nef":
        stream = io.BytesIO()
        Image.fromarray(picture()).save(stream, "TIFF")
        assert decoded(stream.getvalue(), name).format == "TIFF"


@pytest.mark.parametrize("name", ["a.nef", "a.dng"])
def test_without_a_preview_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "find_spec", lambda _: None)
    for data in (without_preview(), b"x" * 5_000):
        with pytest.raises(ImageError, match=r"pip install 'organizer-photos\[raw\]'") as raised:
            decoded(data, name)
        assert not raised.value.lasting


def test_the_tiles_of_a_dng_are_not_taken_for_its_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "find_spec", lambda _: None)
    with pytest.raises(ImageError, match="no preview"):
        decoded(RAW_FILES[".dng"](jpeg(picture(160, 120)), 1), "a.dng")


@given(st.sampled_from(sorted(RAW_FILES)), st.data())
def test_a_damaged_raw_file_is_a_picture_or_a_problem(kind: str, data: st.DataObject) -> None:
    whole = RAW_FILES[kind](jpeg(picture(330, 220)), 1)
    content = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        image = decoded(bytes(content), f"a{kind}", min_side=64)
    except ImageError:
        return
    assert image.pixels.ndim == 3


def test_a_camera_name_that_became_a_number_costs_the_metadata_alone() -> None:
    """Found by changing bytes at random: Pillow cannot write such a directory."""
    sound = RAW_FILES[".cr3"](jpeg(), 1)
    at = sound.index(struct.pack("<HH", 271, 2))
    odd = sound[:at] + struct.pack("<HHI", 271, 5, 1) + sound[at + 8 :]
    assert raw.exif_block(odd) is None
    seen = decode_image(ImageRef(Path("/photos"), "odd.cr3", len(odd), 0), odd)
    assert seen.pixels.shape[2] == 3


def test_libraw_develops_what_has_no_preview() -> None:
    pytest.importorskip("rawpy", reason="the extra raw is not installed")
    image = decoded(mosaic_dng(turn=6), "a.dng")
    height, width = image.pixels.shape[:2]
    assert height > width
    assert (image.width, image.height) == (2 * width, 2 * height)
    red, green, blue = image.pixels.reshape(-1, 3).mean(axis=0)
    assert red > green
    assert red > blue
    with pytest.raises(ImageError, match="cannot be developed"):
        decoded(b"x" * 5_000, "a.nef")


# Ingest --------------------------------------------------------------------------------------


def test_an_ingest_reads_raw_files_that_are_alone(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    make_photo(folder / "IMG_1.JPG")
    for number, (kind, make) in enumerate(RAW_FILES.items()):
        data = make(jpeg(picture(seed=number)), 1)
        (folder / f"IMG_1{kind}").write_bytes(data)
        (folder / f"RAW_{number}{kind}").write_bytes(data)
    (folder / "bad.nef").write_bytes(without_preview())
    ran = run("ingest", "photos", "--embedder", "channel-mean", "--json")
    assert ran.json["added"] == 1 + len(RAW_FILES)
    assert ran.json["companions"] == len(RAW_FILES)
    assert (ran.code, ran.json["broken"]) == (3, 1)
    (problem,) = run("problems", "--json").json["problems"]
    assert problem["path"].endswith("bad.nef")
    assert "the raw file" in problem["reason"]
    (tmp_path / "outside.dng").write_bytes(RAW_FILES[".dng"](jpeg(picture(seed=0)), 1))
    ran = run("search", str(tmp_path / "outside.dng"), "--json")
    assert ran.json["hits"][0]["path"].endswith("RAW_0.cr2")


def test_a_raw_file_stays_a_photo_when_a_jpeg_comes_to_it(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    make_photo(folder / "a.jpg")
    (folder / "IMG_1.NEF").write_bytes(RAW_FILES[".nef"](jpeg(), 1))
    (folder / "IMG_2.NEF").write_bytes(RAW_FILES[".nef"](jpeg(picture(seed=2)), 1))
    assert run("ingest", "photos", "--embedder", "channel-mean", "--json").json["added"] == 3
    make_photo(folder / "IMG_1.JPG", seed=1)
    ran = run("ingest", "photos", "--json")
    assert (ran.json["added"], ran.json["unchanged"], ran.json["missing"]) == (1, 3, 0)
    os.remove(folder / "IMG_1.NEF")  # noqa: PTH107
    assert run("ingest", "photos", "--json").json["missing"] == 1
