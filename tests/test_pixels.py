"""Samples of any depth, several bands, colour profiles, several pictures in a file."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from organizer.errors import ImageError
from organizer.pixels import jxl
from organizer.pixels.colour import ColourProfiles
from organizer.pixels.depth import eight_bits
from tests.test_decode import _decode, _encode

_SCENE = np.asarray(
    Image.fromarray(np.random.default_rng(4).integers(40, 220, (12, 16), dtype=np.uint8)).resize(
        (160, 120), Image.Resampling.BICUBIC
    )
)


def as_tiff(values: NDArray[Any], **how: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **how)
    return buffer.getvalue()


# Depth --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_picture_of_fewer_bits_in_16_is_as_bright_as_it_was(bits: int, kind: str) -> None:
    values = (_SCENE.astype(np.float64) / 255 * (2**bits - 1)).round().astype(np.uint16)
    values[0, 0] = 2**bits - 1
    got = _decode(_encode(Image.fromarray(values), kind)).pixels[..., 0].astype(int)
    assert np.abs(got - _SCENE)[1:].max() <= 1


@pytest.mark.parametrize(
    "values",
    [
        7_000 + 2 * _SCENE.astype(np.uint16),
        _SCENE.astype(np.int16) - 300,
        (_SCENE / np.float32(1000) - 7).astype(np.float32),
    ],
    ids=["thermal", "signed", "real"],
)
def test_what_uses_a_small_part_of_a_range_is_stretched(values: NDArray[Any]) -> None:
    got = _decode(as_tiff(values)).pixels[..., 0].astype(int)
    assert got.min() <= 1
    assert got.max() >= 254
    assert np.corrcoef(got.ravel(), _SCENE.ravel())[0, 1] > 0.999


def test_dead_pixels_do_not_decide() -> None:
    values = 7_000 + 2 * _SCENE.astype(np.uint16)
    values[3, 4], values[9, 9] = 65_535, 0
    got = _decode(as_tiff(values)).pixels[..., 0].astype(int)
    assert np.corrcoef(got[20:].ravel(), _SCENE[20:].ravel())[0, 1] > 0.999
    assert got[20:].std() > 20


def test_the_range_that_a_file_tells_counts() -> None:
    values = 100 * _SCENE.astype(np.uint16)
    tags = [(280, "H", 1, 0, True), (281, "H", 1, 25_500, True)]
    got = _decode(as_tiff(values, extratags=tags)).pixels[..., 0].astype(int)
    assert np.abs(got - _SCENE).max() <= 1


def test_white_may_be_zero() -> None:
    values = 257 * _SCENE.astype(np.uint16)
    values[0, :2] = 0, 65_535
    got = _decode(as_tiff(values, photometric="miniswhite")).pixels[..., 0].astype(int)
    assert np.abs(255 - got - _SCENE)[1:].max() <= 1


def test_no_measurement_is_black_and_decides_nothing() -> None:
    values = _SCENE.astype(np.float32) / 255
    values[:30] = -9_999
    tag = (42_113, "s", 0, "-9999", True)
    got = _decode(as_tiff(values, extratags=[tag])).pixels[..., 0].astype(int)
    assert (got[:30] == 0).all()
    assert np.abs(got - _SCENE)[30:].max() <= 1


@given(st.lists(st.floats(width=32), min_size=1, max_size=40))
def test_any_numbers_are_eight_bits(numbers: list[float]) -> None:
    values = np.array([numbers], dtype=np.float32)
    got = eight_bits(values)
    assert got.dtype == np.uint8
    assert got.shape == values.shape
    known = np.isfinite(values)
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(got[known][order].astype(int)) >= 0).all()


# Bands --------------------------------------------------------------------------------------

_BANDS = np.stack([_SCENE, _SCENE[::-1], 255 - _SCENE], axis=2)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("values", "how"),
    [
        (_BANDS.astype(np.uint16) * 16, {"photometric": "rgb"}),
        (np.dstack([_BANDS, _SCENE]).astype(np.uint16) * 16, {"photometric": "minisblack"}),
        (np.dstack([_BANDS, _BANDS[..., :2]]), {"photometric": "minisblack"}),
        (_BANDS.astype(np.float32) / 255, {"photometric": "rgb"}),
        (_BANDS.astype(np.float64) / 255, {"photometric": "rgb"}),
    ],
    ids=["12 bits", "four of 12", "five", "real", "double"],
)
def test_the_first_three_bands_are_the_colours(
    values: NDArray[Any], how: dict[str, Any], compression: str | None
) -> None:
    data = as_tiff(values, planarconfig="contig", compression=compression, **how)
    image = _decode(data)
    assert (image.width, image.height, image.format) == (160, 120, "TIFF")
    assert np.abs(image.pixels.astype(int) - _BANDS).max() <= 17  # 12 bits: * 16 is not * 16.06


def test_bands_may_lie_one_after_the_other() -> None:
    planes = np.moveaxis(np.dstack([_BANDS, _SCENE, _SCENE]), -1, 0)
    image = _decode(as_tiff(planes, photometric="minisblack", planarconfig="separate"))
    np.testing.assert_array_equal(image.pixels, _BANDS)


@pytest.mark.parametrize("kind", [np.int8, np.float16, np.float64, np.uint32])
def test_one_band_of_any_kind_is_grey(kind: type[Any]) -> None:
    values = (_SCENE // 2).astype(kind)
    got = _decode(as_tiff(values)).pixels
    assert got.shape == (120, 160, 3)
    assert np.corrcoef(got[..., 0].ravel(), _SCENE.ravel())[0, 1] > 0.99


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(ImageError, match="complex64 are not read"):
        _decode(as_tiff(_SCENE.astype(np.complex64)))


# Colours ------------------------------------------------------------------------------------


def fixed(values: Any) -> bytes:
    """Numbers as ICC profiles hold them: 16 bits before the point and 16 behind it."""
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def profile_of(primaries: tuple[tuple[float, float], ...], gamma: float) -> bytes:
    """An ICC profile (version 2) of three primaries (xy), the white D50 and a gamma."""
    white = np.array([0.9642, 1.0, 0.8249])
    xyz = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    columns = xyz * np.linalg.solve(xyz, white)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78) + b"\0"
    parts = {
        b"desc": text,
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(white),
    }
    for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
        parts[name + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(column)
        parts[name + b"TRC"] = curve
    table, body, at = b"", b"", 132 + 12 * len(parts)
    for name, bare in parts.items():
        part = bare + bytes(-len(bare) % 4)
        table += name + struct.pack(">II", at, len(part))
        body, at = body + part, at + len(part)
    head = struct.pack(">I4sI4s4s4s", at, bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + fixed(white) + bytes(48)
    return head + struct.pack(">I", len(parts)) + table + body


WIDE = profile_of(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), 2.2)


def expected_in_srgb(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """By the definitions, in numpy: to XYZ by the primaries of `WIDE`, to sRGB by those of sRGB."""
    white = np.array([0.9642, 1.0, 0.8249])

    def matrix(primaries: Any) -> NDArray[np.float64]:
        xyz = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
        return np.asarray(xyz * np.linalg.solve(xyz, white))

    # sRGB's primaries adapted to D50 (its ICC profile).
    to_xyz = np.array(
        [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
    )
    wide = matrix(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)))
    light = (pixels / 255) ** 2.2 @ wide.T @ np.linalg.inv(to_xyz).T
    light = np.clip(light, 0, 1)
    return np.asarray(
        255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    )


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_wide_colours_are_shown_in_srgb(kind: str) -> None:
    colours = np.array([[200, 80, 60], [60, 160, 90], [90, 90, 200], [128, 128, 128]], np.uint8)
    pixels = np.repeat(colours[None], 16, axis=0).repeat(16, axis=1)
    how = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}.get(kind, {"quality": 100})
    got = _decode(_encode(Image.fromarray(pixels), kind, icc_profile=WIDE, **how)).pixels
    middle = got[8, 8::16].astype(float)
    assert np.abs(middle - expected_in_srgb(colours)).max() <= (4 if kind == "JPEG" else 2)
    assert np.abs(middle - colours).max() > 8  # otherwise the test would hold without a profile


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"no profile",
        WIDE[:200],
        WIDE[:130] + b"\xff" * 300,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["none", "text", "cut off", "damaged", "sRGB"],
)
def test_srgb_and_damaged_profiles_change_nothing(profile: bytes) -> None:
    data = _encode(Image.fromarray(_BANDS), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(_decode(data).pixels, _BANDS)


def test_a_profile_of_other_channels_changes_nothing() -> None:
    cmyk = Image.fromarray(_BANDS).convert("CMYK")
    with_it = _decode(_encode(cmyk, "TIFF", icc_profile=WIDE)).pixels
    np.testing.assert_array_equal(with_it, _decode(_encode(cmyk, "TIFF")).pixels)


def test_a_large_picture_with_a_profile_is_reduced_before_it_is_converted() -> None:
    data = _encode(Image.fromarray(_BANDS), "PNG", icc_profile=WIDE)
    image = _decode(data, min_side=40)
    assert image.pixels.shape == (40, 54, 3)
    assert (image.width, image.height) == (160, 120)


def test_a_transform_is_made_once() -> None:
    profiles = ColourProfiles()
    assert profiles.changes(WIDE)
    assert profiles._transform(WIDE) is profiles._transform(bytes(bytearray(WIDE)))


# Several pictures ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF", "HEIF"])
def test_it_is_told_that_a_file_holds_others(kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "lime")]
    how = {} if kind in {"TIFF", "MPO", "HEIF"} else {"duration": 100}
    several = _encode(frames[0], kind, save_all=True, append_images=frames[1:], **how)
    assert _decode(several).holds_more
    assert not _decode(_encode(frames[0], "JPEG" if kind == "MPO" else kind)).holds_more


def test_of_several_in_a_heic_the_marked_one_is_taken() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "lime", "blue")]
    data = _encode(frames[0], "HEIF", save_all=True, append_images=frames[1:], primary_index=2)
    assert _decode(data).pixels[30, 30].argmax() == 2


def test_a_small_copy_before_the_picture_of_a_tiff_is_passed_over() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(_BANDS[::8, ::8].copy(), photometric="rgb", subfiletype=1)
        file.write(_BANDS, photometric="rgb")
    image = _decode(buffer.getvalue())
    assert (image.width, image.height) == (160, 120)
    np.testing.assert_array_equal(image.pixels, _BANDS)


# JPEG XL ------------------------------------------------------------------------------------


_BARE_700 = b"\xff\x0a\x98\x8f\x76\xc5\x00\x13\x88\x02\x00" + bytes(20)


def test_the_size_of_a_jpeg_xl_is_in_its_first_bytes() -> None:
    # As libjxl writes them.
    assert jxl.size_of(b"\xff\x0a\xcb\x06\x00\x13\x88\x02\x00" + bytes(20)) == (64, 48)
    assert jxl.size_of(_BARE_700) == (700, 500)
    boxed = jxl._CONTAINER + struct.pack(">I4s", 20, b"ftyp") + b"jxl \0\0\0\0jxl "
    boxed += struct.pack(">I4s", 0, b"jxlc") + _BARE_700
    assert jxl.size_of(boxed) == (700, 500)


@given(st.binary(max_size=60))
def test_any_bytes_of_a_jpeg_xl_have_a_size_or_an_image_error(rest: bytes) -> None:
    for head in (b"\xff\x0a", jxl._CONTAINER):
        try:
            width, height = jxl.size_of(head + rest)
        except ImageError:
            continue
        assert height >= 1
        assert width >= 0


def test_a_jpeg_xl_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("pillow_jxl", reason="the extra jxl is not installed")
    file = tmp_path / "a.jxl"
    Image.fromarray(_BANDS).save(file, lossless=True)
    np.testing.assert_array_equal(_decode(file.read_bytes()).pixels, _BANDS)
