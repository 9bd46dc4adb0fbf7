from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from organizer import decode
from organizer.errors import ImageError
from organizer.file_kinds import IMAGE_SUFFIXES
from organizer.identity import picture_hash
from organizer.pixels.colour import ColourProfiles
from organizer.types import DecodedImage, ImageRef, Outcome

_LIMIT = 2 * 1024**3
_ORIENTATION = 0x0112


@pytest.fixture(autouse=True, scope="module")
def _codecs() -> None:
    decode.register_codecs()


def _ref(data: bytes) -> ImageRef:
    return ImageRef(Path("nowhere"), "a.jpg", len(data), 0)


def _decode(data: bytes, *, min_side: int | None = None) -> DecodedImage:
    return decode.decode_image(_ref(data), data, min_side=min_side)


def _encode(image: Image.Image, kind: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def _quarters(width: int = 64, height: int = 40) -> NDArray[np.uint8]:
    """Four colours in four corners: no turn and no mirror gives the same picture."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = 220, 30, 30
    pixels[: height // 2, width // 2 :] = 30, 200, 30
    pixels[height // 2 :, : width // 2] = 30, 30, 210
    pixels[height // 2 :, width // 2 :] = 230, 220, 40
    return pixels


# How a camera that was held so would have stored an upright picture, in plain numpy.
_STORED: dict[int, Callable[[Any], Any]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: np.rot90,
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


def _turned(upright: NDArray[np.uint8], orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    stored = Image.fromarray(np.ascontiguousarray(_STORED[orientation](upright)))
    # As bytes: given so, pillow-heif and Pillow's AVIF write it as the container's own turn.
    return _encode(stored, kind, exif=exif.tobytes())


def _difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_every_orientation_gives_the_same_upright_picture(kind: str, orientation: int) -> None:
    image = _decode(_turned(_quarters(), orientation, kind))
    assert (image.width, image.height) == (64, 40)
    assert image.pixels.shape == (40, 64, 3)
    assert _difference(image.pixels, _quarters()) < 6
    assert "Orientation" not in image.metadata


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_picture_is_upright_too(orientation: int) -> None:
    image = _decode(_turned(_quarters(640, 400), orientation, "JPEG"), min_side=80)
    assert (image.width, image.height) == (640, 400)
    assert image.pixels.shape == (100, 160, 3)
    assert _difference(image.pixels, _quarters(160, 100)) < 6


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    image = _decode(_encode(Image.fromarray(_quarters()), "PNG", exif=exif))
    np.testing.assert_array_equal(image.pixels, _quarters())


@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
def test_photos_of_every_orientation_agree(hostile: Path, shape: str) -> None:
    folder = hostile / "exif-orientation"
    images = [_decode((folder / f"{shape}_{turn}.jpg").read_bytes()) for turn in range(9)]
    assert (images[0].width > images[0].height) == (shape == "Landscape")
    for image in images:
        assert (image.width, image.height) == (images[0].width, images[0].height)
        assert _difference(image.pixels, images[0].pixels) < 8


# --- every mode ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "PNG"),
        ("RGB", "BMP"),
        ("RGB", "DIB"),
        ("RGB", "TGA"),
        ("RGB", "PPM"),
        ("RGB", "JPEG2000"),
        ("RGBA", "PNG"),
        ("RGBA", "TIFF"),
        ("RGBX", "TIFF"),
        ("CMYK", "TIFF"),
        ("CMYK", "JPEG"),
        ("YCbCr", "TIFF"),
        ("YCbCr", "JPEG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("P", "TIFF"),
    ],
)
def test_colours_come_out_as_they_went_in(mode: str, kind: str) -> None:
    image = Image.fromarray(_quarters())
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    decoded = _decode(_encode(image, kind))
    assert decoded.pixels.dtype == np.uint8
    assert _difference(decoded.pixels, _quarters()) < 6


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "HEIF"])
def test_formats_of_the_day_are_read(kind: str) -> None:
    decoded = _decode(_encode(Image.fromarray(_quarters()), kind, quality=95))
    assert decoded.format == kind
    assert _difference(decoded.pixels, _quarters()) < 6


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "BMP", "PPM"])
def test_grey_has_three_equal_channels(kind: str) -> None:
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (16, 1))
    pixels = _decode(_encode(Image.fromarray(ramp), kind)).pixels
    assert pixels.shape == (16, 64, 3)
    assert _difference(pixels, np.stack([ramp] * 3, axis=2)) < 2
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_one_bit_is_black_and_white(kind: str) -> None:
    board = np.indices((8, 8)).sum(axis=0) % 2 == 1
    pixels = _decode(_encode(Image.fromarray(board), kind)).pixels
    np.testing.assert_array_equal(pixels, np.stack([board * 255] * 3, axis=2))


def test_lab_is_shown_in_its_colours() -> None:
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    muted = (128 + (_quarters().astype(int) - 128) // 3).astype(np.uint8)
    image = ImageCms.applyTransform(Image.fromarray(muted), to_lab)
    assert image is not None
    assert _difference(_decode(_encode(image, "TIFF")).pixels, muted) < 6


def test_16_bits_are_scaled_to_8() -> None:
    ramp = np.linspace(0, 65535, 64 * 16).round().astype(np.uint16).reshape(16, 64)
    expected = np.stack([ramp / 65535 * 255] * 3, axis=2)
    for kind in ("PNG", "TIFF", "PPM"):
        pixels = _decode(_encode(Image.fromarray(ramp), kind)).pixels
        assert pixels.dtype == np.uint8
        assert np.abs(pixels - expected).max() <= 1, kind


def test_16_bits_of_the_other_byte_order_are_the_same() -> None:
    ramp = np.arange(0, 65536, 64, dtype=np.uint16).reshape(16, 64)
    other = Image.frombytes("I;16B", (64, 16), ramp.astype(">u2").tobytes())
    usual = _decode(_encode(Image.fromarray(ramp), "TIFF"))
    np.testing.assert_array_equal(_decode(_encode(other, "TIFF")).pixels, usual.pixels)


def test_32_bit_whole_numbers_are_scaled_by_what_they_hold() -> None:
    bytes_ = np.arange(256, dtype=np.int32).reshape(16, 16)
    grey = _decode(_encode(Image.fromarray(bytes_), "TIFF")).pixels[..., 0]
    np.testing.assert_array_equal(grey, bytes_)
    words = bytes_ * 257
    grey = _decode(_encode(Image.fromarray(words), "TIFF")).pixels[..., 0]
    np.testing.assert_array_equal(grey, bytes_)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-5.0, 5.0), (0.0, 1e30), (-1e-6, 1e-6)])
def test_real_numbers_use_the_whole_range_from_black_to_white(low: float, high: float) -> None:
    ramp = np.linspace(low, high, 256, dtype=np.float32).reshape(16, 16)
    grey = _decode(_encode(Image.fromarray(ramp), "TIFF")).pixels[..., 0].ravel()
    assert (grey[0], grey[-1]) == (0, 255)
    assert np.abs(grey - np.arange(256.0)).max() <= 1


def test_32_bit_whole_numbers_below_zero_and_large_use_the_whole_range() -> None:
    values = np.linspace(-(2.0**31), 2.0**31 - 1, 256).astype(np.int32).reshape(16, 16)
    grey = _decode(_encode(Image.fromarray(values), "TIFF")).pixels[..., 0].ravel()
    assert np.abs(grey - np.arange(256.0)).max() <= 1


def test_real_numbers_that_are_none_do_no_harm() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    ramp[0, 0], ramp[0, 1], ramp[0, 2] = np.nan, np.inf, -np.inf
    grey = _decode(_encode(Image.fromarray(ramp), "TIFF")).pixels[..., 0].ravel()
    assert np.abs(grey[3:] - np.arange(3.0, 256)).max() <= 1


def test_a_constant_of_any_depth_is_a_picture() -> None:
    for kind in (np.uint8, np.uint16, np.int32, np.float32):
        pixels = _decode(_encode(Image.fromarray(np.full((4, 4), 7, kind)), "TIFF")).pixels
        assert pixels.shape == (4, 4, 3)
        assert (pixels == pixels[0, 0, 0]).all()


# --- what shows through -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "AVIF", "HEIF", "TGA"])
def test_what_shows_through_is_white(kind: str) -> None:
    layered = np.dstack([_quarters(), np.full((40, 64), 255, np.uint8)])
    layered[:, 32:, 3] = 0
    how = {"lossless": True} if kind == "WEBP" else {}
    pixels = _decode(_encode(Image.fromarray(layered), kind, **how)).pixels
    assert pixels[:, 36:].min() >= 250
    assert _difference(pixels[:, :28], _quarters()[:, :28]) < 6


def test_what_shows_half_through_is_mixed_with_white() -> None:
    layered = np.zeros((1, 256, 4), np.uint8)
    layered[..., :3] = 200, 100, 0
    layered[..., 3] = np.arange(256)
    alpha = layered[..., 3:] / 255
    pixels = _decode(_encode(Image.fromarray(layered), "PNG")).pixels
    assert np.abs(pixels - (layered[..., :3] * alpha + 255 * (1 - alpha))).max() <= 1


def test_grey_with_alpha_is_mixed_with_white() -> None:
    image = Image.fromarray(np.array([[[10, 255], [10, 0]]], np.uint8), "LA")
    pixels = _decode(_encode(image, "PNG")).pixels
    np.testing.assert_array_equal(pixels[0], [[10] * 3, [255] * 3])


def _palette(*, alpha: bool = False) -> Image.Image:
    image = Image.frombytes("P", (3, 1), bytes([0, 1, 2]))
    image.putpalette([200, 0, 0, 0, 150, 0, 0, 0, 100])
    if not alpha:
        return image
    image = image.convert("PA")
    image.putalpha(Image.frombytes("L", (3, 1), bytes([255, 0, 255])))
    return image


@pytest.mark.parametrize(("kind", "how"), [("PNG", 1), ("GIF", 1), ("PNG", b"\xff\x00\xff")])
def test_a_palette_may_have_colours_that_show_through(kind: str, how: int | bytes) -> None:
    pixels = _decode(_encode(_palette(), kind, transparency=how)).pixels
    np.testing.assert_array_equal(pixels[0], [[200, 0, 0], [255, 255, 255], [0, 0, 100]])


def test_a_palette_may_have_alpha() -> None:
    image = _palette(alpha=True)
    assert image.mode == "PA"
    pixels = _decode(_encode(image, "TIFF")).pixels
    np.testing.assert_array_equal(pixels[0], [[200, 0, 0], [255, 255, 255], [0, 0, 100]])


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.fromarray(np.array([[0, 80, 240]], np.uint8)), 80),
        (Image.fromarray(np.array([[0, 20_000, 60_000]], np.uint16)), 20_000),
        (Image.fromarray(np.array([[[9, 9, 9], [1, 2, 3], [70, 8, 9]]], np.uint8)), (1, 2, 3)),
    ],
    ids=["grey", "grey of 16 bits", "colour"],
)
def test_one_colour_may_show_through(image: Image.Image, colour: Any) -> None:
    opaque = _decode(_encode(image, "PNG")).pixels
    pixels = _decode(_encode(image, "PNG", transparency=colour)).pixels
    np.testing.assert_array_equal(pixels[0, 1], [255, 255, 255])
    np.testing.assert_array_equal(pixels[:, ::2], opaque[:, ::2])


# --- several frames -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO", "AVIF"])
def test_the_first_of_several_frames_counts(kind: str) -> None:
    frames = [Image.new("RGB", (32, 24), colour) for colour in ("red", "lime", "blue")]
    how = {} if kind in {"TIFF", "MPO"} else {"duration": 100}
    data = _encode(frames[0], kind, save_all=True, append_images=frames[1:], **how)
    with Image.open(io.BytesIO(data)) as check:
        assert getattr(check, "n_frames", 1) == 3
    decoded = _decode(data)
    assert decoded.pixels.shape == (24, 32, 3)
    assert _difference(decoded.pixels, np.full((24, 32, 3), (255, 0, 0), np.uint8)) < 4


# --- reduced sizes ------------------------------------------------------------------------------


@given(
    width=st.integers(8, 400),
    height=st.integers(8, 400),
    min_side=st.integers(1, 200),
    mode=st.sampled_from(["RGB", "L", "CMYK"]),
)
@settings(max_examples=60, deadline=None)
def test_a_reduced_picture_is_no_smaller_than_asked(
    width: int, height: int, min_side: int, mode: str
) -> None:
    data = _encode(Image.fromarray(_quarters(width, height)).convert(mode), "JPEG")
    image = _decode(data, min_side=min_side)
    got, shorter = min(image.pixels.shape[:2]), min(width, height)
    assert (image.width, image.height) == (width, height)
    assert min(shorter, min_side) <= got <= shorter
    if shorter >= 2 * min_side:
        assert got <= 2 * min_side or got == -(-shorter // 8)


def test_a_reduced_picture_shows_the_same() -> None:
    ramp = np.linspace(0, 255, 256)
    pixels = np.stack(np.broadcast_arrays(ramp[:, None], ramp, 128.0), axis=2).astype(np.uint8)
    image = _decode(_encode(Image.fromarray(pixels), "JPEG", quality=95), min_side=64)
    blocks = pixels.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert image.pixels.shape == (64, 64, 3)
    assert np.abs(image.pixels - blocks).mean() < 3


# Two ways to read a JPEG ----------------------------------------------------------------------


def _by_pillow(data: bytes, *, min_side: int | None) -> NDArray[np.uint8] | None:
    """The upright picture as Pillow alone gives it."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if min_side is not None:
                image.draft(None, (min_side, min_side))
            upright = ImageOps.exif_transpose(image)
            return np.asarray(upright.convert("RGB"))
    except Exception:  # noqa: BLE001 - whatever it is, there is no picture
        return None


def _has_own_colours(data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        return ColourProfiles().changes(image.info.get("icc_profile"))


def _ours(data: bytes, *, min_side: int | None) -> DecodedImage | None:
    try:
        return _decode(data, min_side=min_side)
    except ImageError as error:
        _said_in_one_line(error)
        return None


def _assert_same(data: bytes, min_side: int | None) -> bool:
    """Whether it is a picture; where Pillow has one too, it is the same."""
    ours, pillows = _ours(data, min_side=min_side), _by_pillow(data, min_side=min_side)
    if ours is None:
        return False
    if pillows is not None and not _has_own_colours(data):
        np.testing.assert_array_equal(ours.pixels, pillows)
    return True


@given(
    size=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    quality=st.integers(1, 100),
    subsampling=st.sampled_from([0, 1, 2]),
    progressive=st.booleans(),
    grey=st.booleans(),
    orientation=st.integers(0, 9),
    min_side=st.none() | st.integers(1, 160),
    seed=st.integers(0, 99),
)
@settings(max_examples=150, deadline=None)
def test_any_jpeg_has_the_pixels_that_pillow_gives_it(
    size: tuple[int, int],
    quality: int,
    subsampling: int,
    progressive: bool,
    grey: bool,
    orientation: int,
    min_side: int | None,
    seed: int,
) -> None:
    draw = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    image = Image.fromarray(draw).resize(size, Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    how = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    data = _encode(image.convert("L") if grey else image, "JPEG", exif=exif.tobytes(), **how)
    assert _assert_same(data, min_side)


@pytest.mark.parametrize("min_side", [None, 32, 232])
def test_every_hostile_jpeg_is_what_pillow_says(hostile: Path, min_side: int | None) -> None:
    files = [file for file in _hostile_files(hostile) if file.suffix.lower() in {".jpg", ".jpeg"}]
    pictures = [_assert_same(file.read_bytes(), min_side) for file in files]
    assert sum(pictures) > 20


@given(
    cut=st.integers(1, 1500),
    at=st.integers(2, 1500),
    value=st.integers(0, 255),
    min_side=st.sampled_from([None, 20]),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_jpeg_is_what_pillow_says(
    cut: int, at: int, value: int, min_side: int | None
) -> None:
    data = bytearray(_encode(Image.fromarray(_quarters(120, 90)), "JPEG", quality=90))
    data[at % len(data)] = value
    _assert_same(bytes(data), min_side)
    _assert_same(bytes(data[: -(cut % len(data))]), min_side)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_other_formats_than_jpeg_keep_their_size(kind: str) -> None:
    image = _decode(_encode(Image.fromarray(_quarters(160, 120)), kind), min_side=8)
    assert image.pixels.shape == (120, 160, 3)


# --- identity -----------------------------------------------------------------------------------


def test_a_decoded_image_carries_the_id_of_its_picture() -> None:
    data = _encode(Image.fromarray(_quarters()), "PNG")
    ref = _ref(data)
    image = decode.decode_image(ref, data)
    assert image.image_id == picture_hash(data)
    assert image.ref is ref
    assert decode.decode_image(ref, data, image_id="known").image_id == "known"


# --- what is refused ----------------------------------------------------------------------------


def _refused(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        _decode(data)
    assert caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("kind", ["EPS", "PCX", "ICO", "SGI", "PDF", "SPIDER", "MSP"])
def test_formats_that_are_not_on_the_list_are_not_opened(kind: str) -> None:
    image = Image.fromarray(_quarters(48, 48))
    image = image.convert({"SPIDER": "F", "MSP": "1"}.get(kind, "RGB"))
    error = _refused(_encode(image, kind))
    assert error.outcome is Outcome.BROKEN
    assert "not an image" in error.message


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _huge_png() -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def _huge_gif() -> bytes:
    return _encode(Image.new("L", (8, 8)), "GIF").replace(
        struct.pack("<HH", 8, 8), struct.pack("<HH", 60_000, 60_000)
    )


@pytest.mark.parametrize(
    "data", [_huge_png(), _huge_gif(), b"P5 60000 60000 255\n"], ids=["PNG", "GIF", "PPM"]
)
@pytest.mark.timeout(20)
def test_a_bomb_is_refused_as_too_large(data: bytes) -> None:
    error = _refused(data)
    assert error.outcome is Outcome.TOO_LARGE
    assert error.lasting


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "AVIF", "HEIF", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = _encode(Image.fromarray(noise), kind)
    error = _refused(data[: int(len(data) * share)])
    assert error.outcome is Outcome.BROKEN
    assert error.lasting


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>", b"text " * 99],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    assert _refused(data).outcome is Outcome.BROKEN


@pytest.mark.parametrize("exif", [b"Exif\0\0" + b"\xff" * 60, b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_a_damaged_exif_block_loses_tags_and_not_the_picture(exif: bytes) -> None:
    image = _decode(_encode(Image.fromarray(_quarters()), "JPEG", exif=exif))
    assert image.pixels.shape == (40, 64, 3)
    assert image.metadata == {}


# --- reading ------------------------------------------------------------------------------------


def test_reading_gives_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"12345")
    assert decode.read_file(ImageRef(tmp_path, "a.jpg", 5, 0), max_bytes=5) == b"12345"


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        decode.read_file(ImageRef(tmp_path, "not-there.jpg", 6, 0), max_bytes=5)
    assert caught.value.outcome is Outcome.TOO_LARGE
    assert not caught.value.lasting  # the limit may be raised, and asking again costs nothing


def test_an_empty_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(ImageError, match="empty") as caught:
        decode.read_file(ImageRef(tmp_path, "a.jpg", 0, 0), max_bytes=5)
    assert caught.value.outcome is Outcome.BROKEN


@pytest.mark.parametrize("path", ["not-there.jpg", "folder"])
def test_a_file_that_cannot_be_read_may_be_tried_again(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ImageError, match="cannot be read") as caught:
        decode.read_file(ImageRef(tmp_path, path, 3, 0), max_bytes=5)
    assert not caught.value.lasting


# --- any bytes at all ---------------------------------------------------------------------------


def _said_in_one_line(error: ImageError) -> Literal[False]:
    assert error.message
    assert "\n" not in error.message
    return False


def _picture_or_refusal(data: bytes, *, min_side: int | None = None) -> bool:
    """Whether there was a picture; anything but a sound one or an `ImageError` fails the test."""
    try:
        image = _decode(data, min_side=min_side)
    except ImageError as error:
        return _said_in_one_line(error)
    height, width, channels = image.pixels.shape
    assert channels == 3
    assert image.pixels.dtype == np.uint8
    assert min(image.width, image.height, width, height) >= 1
    assert all(isinstance(value, str | int | float) for value in image.metadata.values())
    reduced = (width, height) != (image.width, image.height)
    assert not reduced or (min_side is not None and min(width, height) >= min_side)
    return True


_MAGIC = [
    b"",
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"BM",
    b"RIFF\0\0\0\0WEBP",
    b"\0\0\0\x1cftypheic",
    b"\0\0\0\x1cftypavif",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"\xff\x4f\xff\x51",
    b"P6 ",
    b"Pf\n",
]


@given(magic=st.sampled_from(_MAGIC), rest=st.binary(max_size=120))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_picture_or_an_image_error(magic: bytes, rest: bytes) -> None:
    _picture_or_refusal(magic + rest)


def _valid(kind: str) -> bytes:
    image = Image.fromarray(_quarters(24, 16))
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769)[0x9003] = "2020:02:03 04:05:06"
    exif.get_ifd(0x8825).update({1: "S", 2: (1.0, 2.0, 3.0), 3: "W", 4: (4.0, 5.0, 6.0)})
    return _encode(image, kind, **({} if kind == "GIF" else {"exif": exif.tobytes()}))


@st.composite
def _damage(draw: st.DrawFn, data: bytes) -> bytes:
    """Some bytes changed, cut out, put in or doubled; or the end cut off."""
    damaged = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(damaged) - 1)))
        until = at + draw(st.integers(1, 8))
        match draw(st.integers(0, 4)):
            case 0:
                damaged[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del damaged[at:until]
            case 2:
                damaged[at:at] = draw(st.binary(min_size=1, max_size=8))
            case 3:
                damaged[at:at] = damaged[at:until]
            case _:
                damaged[at:until] = draw(st.sampled_from([b"\0", b"\xff"])) * (until - at)
    return bytes(damaged[: draw(st.integers(0, len(damaged)))] if draw(st.booleans()) else damaged)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "HEIF", "AVIF"])
def test_a_damaged_file_gives_a_picture_or_an_image_error(kind: str) -> None:
    data = _valid(kind)
    assert _picture_or_refusal(data)

    @given(_damage(data), st.sampled_from([None, 4]))
    @settings(
        max_examples=80,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    def check(damaged: bytes, min_side: int | None) -> None:
        _picture_or_refusal(damaged, min_side=min_side)

    check()


def _hostile_files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.mark.parametrize("min_side", [None, 32])
def test_every_hostile_file_gives_a_picture_or_an_image_error(
    hostile: Path, min_side: int | None
) -> None:
    pictures = 0
    for file in _hostile_files(hostile):
        ref = ImageRef(hostile, file.relative_to(hostile).as_posix(), file.stat().st_size, 0)
        try:
            data = decode.read_file(ref, max_bytes=_LIMIT)
        except ImageError:
            continue
        got = _picture_or_refusal(data, min_side=min_side)
        pictures += got and file.suffix.lower() in IMAGE_SUFFIXES
    assert pictures >= 700
