"""The quick reading of EXIF: what Pillow says of the same block, or nothing at all."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from organizer import decode, exif

_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_TAKEN, _SERIAL, _NOTE, _COMMENT, _TEMPERATURE = 0x9003, 0xA431, 0x927C, 0x9286, 0x9400


def _photo(block: bytes) -> Image.Image:
    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, "JPEG")
    image = Image.open(buffer)
    image.info["exif"] = block
    return image


def _both(block: bytes) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What the quick way gives, and what Pillow does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return decode._plain_tags(_photo(block)), decode._tags_by_pillow(_photo(block))


def _block(
    outer: dict[int, Any] | None = None,
    inner: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
    *,
    order: str = "<",
) -> bytes:
    made = Image.Exif()
    made.endian = order
    made.update(outer or {})
    made.get_ifd(exif.EXIF_IFD).update(inner or {})
    made.get_ifd(exif.GPS_IFD).update(gps or {})
    return made.tobytes()


_FULL = _block(
    {_MAKE: "RECONYX", _MODEL: "PC900", _ORIENTATION: 6, 0x011A: 72.0},
    {
        _TAKEN: "2020:04:16 10:10:32",
        _SERIAL: "12",
        _NOTE: b"\x01\xf1" + bytes(range(90)),
        _COMMENT: b"ASCII\0\0\0hello",
        _TEMPERATURE: IFDRational(-75, 10),
        0x8827: 50,
    },
    {1: "S", 2: (33.0, 30.0, 36.0), 3: "E", 4: (151.0, 15.0, 0.0)},
)


def test_a_block_that_is_in_order_is_read_as_pillow_reads_it() -> None:
    quick, pillow = _both(_FULL)
    assert quick == pillow
    assert quick is not None
    assert quick["Model"] == "PC900"
    assert quick["MakerNote"] == b"\x01\xf1" + bytes(range(90))
    assert quick["AmbientTemperature"] == -7.5
    assert quick["GPSLatitude"] == pytest.approx(-33.51)
    assert _both(b"Exif\0\0" + _FULL.removeprefix(b"Exif\0\0"))[0] == quick


_texts = st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=12)
_outer = st.fixed_dictionaries(
    {}, optional={_MAKE: _texts, _MODEL: _texts, _ORIENTATION: st.integers(0, 65535)}
)
_ratios = st.builds(IFDRational, st.integers(-(2**31), 2**31 - 1), st.integers(-9, 2**31 - 1))
_inner = st.fixed_dictionaries(
    {},
    optional={
        _TAKEN: _texts,
        _SERIAL: _texts,
        _NOTE: st.binary(max_size=40),
        _COMMENT: st.binary(max_size=40) | _texts,
        _TEMPERATURE: _ratios,
        0x8827: st.integers(0, 65535),
    },
)
_angles = st.tuples(*[st.builds(IFDRational, st.integers(0, 2**31), st.integers(0, 999))] * 3)
_gps = st.fixed_dictionaries({}, optional={1: _texts, 2: _angles, 3: _texts, 4: _angles})


@settings(max_examples=100)
@given(_outer, _inner, _gps, st.sampled_from("<>"))
def test_whatever_pillow_writes_is_read_as_it_reads_it(
    outer: dict[int, Any], inner: dict[int, Any], gps: dict[int, Any], order: str
) -> None:
    quick, pillow = _both(_block(outer, inner, gps, order=order))
    assert quick is None or quick == pillow


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_block_is_read_as_pillow_reads_it_or_left_to_it(data: st.DataObject) -> None:
    block = bytearray(_FULL)
    for _ in range(data.draw(st.integers(1, 3))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(block)) | st.just(len(block)))
    quick, pillow = _both(bytes(block[:cut]))
    assert quick is None or quick == pillow


def _directory(*entries: tuple[int, int, int, bytes]) -> bytes:
    """A block with one directory of entries: tag, type, count, and the four bytes of the value."""
    rows = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + bytes(4)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"PNG\0\0\0\0\0",
        _directory((_MAKE, 2, 4, b"abc\0"), (_MAKE, 2, 4, b"xyz\0")),
        _directory((_MAKE, 7, 4, b"abc\0")),
        _directory((_ORIENTATION, 3, 2, b"\6\0\1\0")),
        _directory((_ORIENTATION, 4, 1, b"\6\0\0\0")),
        _directory((_MAKE, 2, 400, b"\0\0\0\0")),
        _directory((0x9999, 2, 400, b"\0\0\0\0")),
        _directory((exif.EXIF_IFD, 4, 1, b"\xff\xff\0\0")),
        _directory((exif.EXIF_IFD, 3, 1, b"\x08\0\0\0")),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_pillow(block: bytes) -> None:
    assert exif.plain_tags(block) is None


def test_a_pointer_into_its_own_directory_does_no_harm() -> None:
    quick, pillow = _both(
        _directory((exif.EXIF_IFD, 4, 1, b"\x08\0\0\0"), (_MAKE, 2, 2, b"a\0\0\0"))
    )
    assert quick == pillow
    assert quick is not None
    assert quick["Make"] == "a"


def test_files_of_every_camera_are_read_as_pillow_reads_them(hostile: Path) -> None:
    files = [f for f in sorted(hostile.rglob("*")) if f.suffix.lower() in {".jpg", ".jpeg"}]
    quick = 0
    for file in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with Image.open(file) as image:
                    found, pillow = decode._plain_tags(image), decode._tags_by_pillow(image)
            except decode._DECODER_ERRORS:
                continue
        assert found is None or found == pillow, file
        quick += found is not None
    assert quick > 20
