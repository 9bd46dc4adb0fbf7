"""The maker notes of camera traps, from bytes laid out as their makers describe them."""

from __future__ import annotations

import io
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from organizer import decode, metadata
from organizer.library import Library
from organizer.protocols import FileContent
from organizer.types import DecodedImage, ImageRef
from organizer_camera_trap.maker_notes import MOON_PHASES, MakerNotes

_EXIF = 0x8769
_SERIAL = "H600BD05002562"
_EXPECTED = {
    "trigger": "motion",
    "event_number": 70_000,
    "moon_phase": "first quarter",
    "temperature": -23.0,
    "sequence_number": 2,
    "sequence_length": 5,
    "serial_number": _SERIAL,
    "user_label": "EAST",
}
_WHEN = (27, 53, 17)  # second, minute, hour
_HIGH_AND_LOW = divmod(70_000, 0x10000)


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def _hyperfire(fahrenheit: int = -9, celsius: int = -23, moon: int = 2) -> bytes:
    return struct.pack(
        "<H3H2H2s2H2H6HHHhh30s7H22s",
        *(0xF101, 3, 0, 1, 0x2010, 0x0518, b"M\0", 2, 5, *_HIGH_AND_LOW),
        *(*_WHEN, 1, 13, 2011, 4, moon, fahrenheit, celsius, _wide(_SERIAL)),
        *(128, 0, 32, 0, 1, 100, 5770, b"EAST"),
    )


def _ultrafire() -> bytes:
    return struct.pack(
        "<10sIH2xIH7s7s7s7sc2BI5BHBBhhBH15s21s",
        *(b"RECONYXUF", 0x20000, 111, 0x7F100001, 0x5D, b"", b"", b"", b"", b"M", 2, 5, 70_000),
        *(*_WHEN, 13, 1, 2011, 4, 2, -9, -23, 1, 5770, _SERIAL.encode(), b"EAST"),
    )


def _hyperfire_2() -> bytes:
    return struct.pack(
        "<10sHIHH2H8HH3H2H2s2H2H6HHHhh4H7H22s30s",
        *(b"RECONYXH2", 1, 0, 17, 100, 0, 0, *range(8), 1, 1, 2, 65, 0x2018, 0x0301, b"M\0", 2, 5),
        *(*_HIGH_AND_LOW, *_WHEN, 13, 1, 2011, 4, 2, -9, -23, 128, 0, 32, 0),
        *(0, 1, 2, 100, 5770, 5700, 1, b"EAST", _wide(_SERIAL)),
    )


def _microfire() -> bytes:
    return struct.pack(
        "<10sHIHH2H8HH3H2H3HH3HH2s2H2H6HHHhh4HBx5H22s30s",
        *(b"RECONYXMF", 1, 0, 17, 100, 0, 0, *range(8), 1, 1, 2, 65, 0x2018, 0x0301),
        *(1, 2, 65, 0, 1, 2, 65, 0, b"M\0", 2, 5, *_HIGH_AND_LOW, *_WHEN, 1, 13, 2011, 5, 2),
        *(-9, -23, 128, 0, 32, 0, 0, 1, 2, 100, 5770, 1, b"EAST", _wide(_SERIAL)),
    )


def _hyperfire_4k() -> bytes:
    return struct.pack(
        "<12sIIIH7s7sc2BI5BHBBhh4HBIHHHH51s15sHH",
        *(b"RECONYXHF4K", 1, 200, 1, 150, b"", b"", b"M", 2, 5, 70_000, *_WHEN, 13, 1, 2011, 5, 2),
        *(-9, -23, 128, 0, 32, 0, 0, 77, 100, 5770, 5700, 2, b"EAST", _SERIAL.encode(), 100, 17),
    )


_NOTES = {
    "HyperFire": _hyperfire(),
    "UltraFire": _ultrafire(),
    "HyperFire 2": _hyperfire_2(),
    "MicroFire": _microfire(),
    "HyperFire 4K": _hyperfire_4k(),
}
layouts = pytest.mark.parametrize("layout", _NOTES)


def _photo(note: bytes | None = None, *, make: str = "RECONYX", **inner: Any) -> bytes:
    exif = Image.Exif()
    exif.update({0x010F: make, 0x0110: "PC900"})
    tags = {0x927C: note, 0x9400: inner.get("temperature")}
    exif.get_ifd(_EXIF).update({tag: value for tag, value in tags.items() if value is not None})
    buffer = io.BytesIO()
    pixels = np.full((48, 64, 3), inner.get("grey", 90), np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", exif=exif.tobytes())
    return buffer.getvalue()


def _decoded(data: bytes) -> DecodedImage:
    return decode.decode_image(ImageRef(Path("nowhere"), "a.jpg", len(data), 0), data)


def _read(data: bytes) -> dict[str, str | int | float]:
    extra = metadata.read_extra(_decoded(data), data, {"camera-trap": MakerNotes()})
    assert not extra.failures
    return extra.found


@layouts
def test_every_layout_tells_all_that_it_holds(layout: str) -> None:
    assert _read(_photo(_NOTES[layout])) == _EXPECTED


@layouts
def test_a_note_that_is_cut_off_or_damaged_gives_nothing(layout: str) -> None:
    note = _NOTES[layout]
    reader = MakerNotes()
    for length in range(len(note) - 30):
        assert reader.read(_content(note[:length])) == {}
    draw = np.random.default_rng(4)
    for _ in range(200):
        scrambled = note[:12] + draw.bytes(len(note) - 12)
        assert reader.read(_content(scrambled)) == {}
    torn = note[:12] + bytes(len(note) - 12)
    assert reader.read(_content(torn)) == {}


@given(st.binary(max_size=300), st.sampled_from([*_NOTES.values()]), st.integers(0, 12))
def test_no_bytes_make_the_reader_fail(tail: bytes, note: bytes, kept: int) -> None:
    found = MakerNotes().read(_content(note[:kept] + tail))
    assert all(isinstance(value, str | int | float) for value in found.values())


def _content(note: bytes, make: str = "RECONYX") -> FileContent:
    return FileContent(b"", "JPEG", {"Make": make}, {"MakerNote": note})


def test_two_temperatures_that_disagree_are_none() -> None:
    assert _read(_photo(_hyperfire(fahrenheit=9, celsius=-13)))["temperature"] == -13
    assert _read(_photo(_hyperfire(fahrenheit=9, celsius=23))) == {}
    assert _read(_photo(_hyperfire(moon=8))) == {}


def test_a_hyperfire_is_known_by_its_firmware_or_its_make() -> None:
    other = b"\x01\xf1\x07\0" + _hyperfire()[4:]
    assert _read(_photo(other)) == _EXPECTED
    assert _read(_photo(other, make="Acme")) == {}
    assert _read(_photo(_hyperfire(), make="Acme")) == _EXPECTED


def test_the_standard_temperature_is_read_of_every_maker() -> None:
    warm = _photo(make="Acme", temperature=IFDRational(-75, 10))
    assert _read(warm) == {"temperature": -7.5}
    for void in (IFDRational(21, -1), IFDRational(9999, 1)):
        assert _read(_photo(make="Acme", temperature=void)) == {}
    assert _read(_photo(_hyperfire(), temperature=IFDRational(-23, 1))) == _EXPECTED


def test_a_photo_of_another_maker_has_nothing() -> None:
    assert _read(_photo(make="Acme")) == {}
    assert _read(_photo(b"Nikon\0\x02\x10\0\0" + bytes(200), make="NIKON")) == {}


def test_an_ingest_keeps_what_the_notes_hold_and_tells_cameras_apart(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(_photo(_hyperfire()))
    (folder / "b.jpg").write_bytes(_photo(make="Acme", grey=120))
    library.ingest([folder], embedder="channel-mean")
    store = library.store
    facts = {
        row.file.name: store.photos.facts_of([image_id])[image_id]
        for image_id, rows in store.photos.files_of().items()
        for row in rows
    }
    assert facts["a.jpg"].extra == _EXPECTED
    assert facts["a.jpg"].camera == f"RECONYX PC900 {_SERIAL}"
    assert facts["b.jpg"].extra == {}
    assert facts["b.jpg"].camera == "Acme PC900"


# Real photos -------------------------------------------------------------------------------------

_NEW_MOON, _SYNODIC = datetime(2000, 1, 6, 18, 14), 29.530588853  # noqa: DTZ001 - days are enough


def test_the_notes_of_real_photos_agree_with_the_sky_and_the_sequence(real_photos: Path) -> None:
    """The moon's age from a known new moon and its mean period: within a phase and a half."""
    folder = real_photos / "cameratrap" / "burrowing_owl"
    if not folder.exists():
        pytest.skip(f"NOT TESTED: there is no {folder}")
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        found = _read(data)
        taken = datetime.fromisoformat(metadata.image_facts(_decoded(data)).taken_at or "")
        age = (taken - _NEW_MOON).total_seconds() / 86_400 % _SYNODIC / _SYNODIC * 8
        told = MOON_PHASES.index(str(found["moon_phase"]))
        assert min(abs(age - told), 8 - abs(age - told)) < 1.5, file.name
        assert 10 <= float(found["temperature"]) <= 45  # a desert from April to October
        assert 1 <= int(found["sequence_number"]) <= int(found["sequence_length"]) == 3
        assert str(found["serial_number"]).startswith(("P900", "HLPX"))
