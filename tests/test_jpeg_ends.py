"""JPEG files that are not whole: the rows that are there decide."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from organizer import decode
from organizer.cli import ingest_output
from organizer.errors import ImageError
from organizer.library import Library
from organizer.pixels import jpeg
from organizer.types import DecodedImage, Outcome
from tests.test_decode import _decode

_HEIGHT = 240


def scene(seed: int = 0, *, height: int = _HEIGHT) -> Image.Image:
    """A picture with detail everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4, 80, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((320, height), Image.Resampling.BICUBIC)


def as_jpeg(image: Image.Image, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, **how)
    return buffer.getvalue()


def same_rows(image: DecodedImage, whole: NDArray[np.uint8]) -> float:
    """The share of rows, from the top, that are as in the whole picture."""
    differing = np.flatnonzero((image.pixels != whole).any(axis=(1, 2)))
    return float(differing[0]) / len(whole) if len(differing) else 1.0


@pytest.mark.parametrize("min_side", [None, 64])
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}])
@pytest.mark.parametrize(
    "end",
    [b"", b"\xff", b"\0" * 4_096, b"\0\0\0\x18ftypmp42" + b"\0\xff\xc0\0\1" * 400],
    ids=["cut off", "half a marker", "zeros", "a video"],
)
def test_what_follows_the_last_row_makes_no_difference(
    end: bytes, how: dict[str, Any], min_side: int | None
) -> None:
    data = as_jpeg(scene(), **how)
    if how.get("progressive") and len(end) > 1:
        pytest.skip("what follows the last of several scans may be one more")
    image = _decode(data[:-2] + end, min_side=min_side)
    assert image.damage == ""
    np.testing.assert_array_equal(image.pixels, _decode(data, min_side=min_side).pixels)


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_one_colour_to_the_last_row_is_not_a_missing_part(colour: int) -> None:
    pixels = np.asarray(scene()).copy()
    pixels[80:] = colour
    data = as_jpeg(Image.fromarray(pixels), optimize=True)
    assert _decode(data[:-2]).damage == ""


@given(share=st.floats(0.4, 0.99), seed=st.integers(0, 9), grey=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_rows_before_a_cut_are_there_and_the_others_are_counted(
    share: float, seed: int, grey: bool
) -> None:
    data = as_jpeg(scene(seed).convert("L") if grey else scene(seed))
    whole = _decode(data).pixels
    image = _decode(data[: int(len(data) * share)])
    there = same_rows(image, whole)
    told = int(image.damage.split("%")[0]) / 100 if "%" in image.damage else 0.0
    assert abs(1 - told - there) <= 18 / _HEIGHT  # a row of blocks, and rounding
    assert abs(there - share) < 0.15


def test_a_hole_of_zeros_is_told() -> None:
    data = bytearray(as_jpeg(scene()))
    third = len(data) // 3
    data[third : 2 * third] = bytes(third)
    image = _decode(bytes(data))
    told = int(image.damage.split("%")[0])
    assert 30 <= told <= 50
    assert image.damage.endswith("% of the picture is missing")


def test_other_bytes_in_the_middle_are_told() -> None:
    data = bytearray(as_jpeg(scene()))
    at = len(data) // 2
    data[at : at + 600] = np.random.default_rng(1).integers(0, 255, 600, np.uint8).tobytes()
    assert _decode(bytes(data)).damage


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_less_than_a_quarter_is_refused(mode: str) -> None:
    data = as_jpeg(scene().convert(mode))
    with pytest.raises(ImageError, match="% of the picture is missing") as caught:
        _decode(data[: int(len(data) * 0.15)])
    assert caught.value.lasting
    assert _decode(data[: int(len(data) * 0.6)]).damage.endswith("missing")


def test_a_file_cut_off_before_its_picture_is_refused() -> None:
    data = as_jpeg(scene())
    for length in (3, 20, 200, 600):
        with pytest.raises(ImageError):
            _decode(data[:length])


def test_what_is_missing_is_grey_and_the_size_stays() -> None:
    data = as_jpeg(scene())
    image = _decode(data[: len(data) // 2])
    assert (image.width, image.height) == (320, _HEIGHT)
    assert (image.pixels[-20:] == 128).all()


@given(data=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_closed_or_not_at_all(data: bytes) -> None:
    decode.register_codecs()
    try:
        forms = list(jpeg.closed_forms(b"\xff\xd8\xff\xda" + data))
    except (OSError, SyntaxError):  # as Pillow says of what is no JPEG
        return
    assert all(form.endswith(b"\xff\xd9") for form in forms)


def test_an_ingest_takes_what_is_left_and_tells(
    library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(3):
        (folder / f"{seed}.jpg").write_bytes(as_jpeg(scene(seed)))
    cut = folder / "cut.jpg"
    cut.write_bytes(as_jpeg(scene(7))[: len(as_jpeg(scene(7))) // 2])
    scene(8).save(folder / "two.tif", save_all=True, append_images=[scene(9)])
    report = library.ingest(folder, embedder="channel-mean")
    assert +report.counts == {Outcome.ADDED: 5}
    assert (report.damaged.photos, report.damaged.first) == (1, cut)
    assert report.several.photos == 1
    assert library.problems() == []
    ((path, text),) = library.damaged()
    assert path == cut
    assert library.images[cut].facts.extra == {"damage": text}
    ingest_output.print_ingest(report, json=False, has_clusters=False, own=None)
    told = capsys.readouterr().err
    assert f"1 damaged photo taken with what is left of the picture; first {cut}: {text}" in told
    assert "1 file with several pictures, of which the main one was taken" in told
    assert library.ingest(folder).damaged.photos == 0  # it is told once
