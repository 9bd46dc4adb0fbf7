from __future__ import annotations

import io
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
from organizer.types import DecodedImage, ImageFacts, ImageRef

_EXIF, _GPS = 0x8769, 0x8825
_MAKE, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112
_TAKEN, _SERIAL = 0x9003, 0xA431
_NOTHING = IFDRational(0, 0)  # what cameras write before they have found a satellite


def _decoded(
    *,
    tags: dict[int, Any] | None = None,
    inner: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
    kind: str = "JPEG",
) -> DecodedImage:
    exif = Image.Exif()
    exif.update(tags or {})
    exif.get_ifd(_EXIF).update(inner or {})
    exif.get_ifd(_GPS).update(gps or {})
    buffer = io.BytesIO()
    Image.fromarray(np.full((6, 8, 3), 90, np.uint8)).save(buffer, kind, exif=exif.tobytes())
    data = buffer.getvalue()
    return decode.decode_image(ImageRef(Path("nowhere"), "a.jpg", len(data), 0), data)


def _facts(**exif: Any) -> ImageFacts:
    return metadata.image_facts(_decoded(**exif))


def test_facts_are_those_of_the_file() -> None:
    image = _decoded(tags={_ORIENTATION: 6})
    facts = metadata.image_facts(image)
    assert facts.image_id == image.image_id
    assert facts.bytes == image.ref.size
    assert (facts.width, facts.height) == (6, 8)
    assert facts.format == "JPEG"


def test_a_photo_that_tells_nothing_has_nothing_guessed() -> None:
    facts = _facts()
    assert (facts.taken_at, facts.camera, facts.latitude, facts.longitude) == (None,) * 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_every_format_tells_when_where_and_with_what(kind: str) -> None:
    facts = _facts(
        kind=kind,
        tags={_MAKE: "Acme", _MODEL: "Trap 9"},
        inner={_TAKEN: "2021:07:04 05:06:07"},
        gps={1: "S", 2: (33.0, 30.0, 36.0), 3: "E", 4: (151.0, 15.0, 0.0)},
    )
    assert facts.taken_at == "2021-07-04T05:06:07"
    assert facts.camera == "Acme Trap 9"
    assert facts.latitude == pytest.approx(-33.51)
    assert facts.longitude == pytest.approx(151.25)


# --- when ---------------------------------------------------------------------------------------


@given(st.datetimes(min_value=datetime(1, 1, 1)))  # noqa: DTZ001 - cameras know no zones
def test_a_time_is_given_as_iso_8601(moment: datetime) -> None:
    text = (
        f"{moment.year:04}:{moment.month:02}:{moment.day:02} "
        f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    )
    told = metadata.taken_at({"DateTimeOriginal": text})
    assert told == moment.replace(microsecond=0).isoformat()


@pytest.mark.parametrize(
    "text", ["2021-07-04 05:06:07", "2021-07-04T05:06:07", "2021:07:04 05:06:07.250"]
)
def test_times_as_some_programs_write_them_are_understood(text: str) -> None:
    assert metadata.taken_at({"DateTimeOriginal": text}) == "2021-07-04T05:06:07"


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "0000:01:01 00:00:00",
        "2021:00:04 05:06:07",
        "2021:13:04 05:06:07",
        "2021:02:30 05:06:07",
        "2021:07:04 24:00:00",
        "2021:07:04 05:60:07",
        "    :  :     :  :  ",
        "2021:07:04",
        "yesterday",
        "",
        "\0" * 19,
    ],
)
def test_a_clock_that_was_never_set_tells_no_time(text: str) -> None:
    assert metadata.taken_at({"DateTimeOriginal": text}) is None
    assert _facts(inner={_TAKEN: text}).taken_at is None


@given(st.text() | st.integers() | st.floats())
def test_any_garbage_for_a_time_gives_a_time_or_none_and_never_raises(value: str | float) -> None:
    told = metadata.taken_at({"DateTimeOriginal": value})
    assert told is None or isinstance(datetime.fromisoformat(told), datetime)


def test_the_time_of_the_last_change_is_not_taken_for_that_of_the_photo() -> None:
    assert _facts(tags={0x0132: "2021:07:04 05:06:07"}).taken_at is None


# --- with what ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "model", "serial", "camera"),
    [
        ("Canon", "Canon EOS 5D", "", "Canon EOS 5D"),
        ("NIKON", "NIKON D90", "", "NIKON D90"),
        ("canon", "CANON EOS 5D", "", "CANON EOS 5D"),
        ("SONY", "ILCE-7M3", "", "SONY ILCE-7M3"),
        ("SONY", "", "", "SONY"),
        ("", "ILCE-7M3", "", "ILCE-7M3"),
        ("RECONYX", "HC600", "P12345", "RECONYX HC600 P12345"),
        ("Canon", "Canon EOS 5D", "42", "Canon EOS 5D 42"),
        ("", "", "42", "42"),
        ("Canon  ", "EOS \0\0", "", "Canon EOS"),
        ("  ", "\0", "", None),
        ("", "", "", None),
    ],
)
def test_a_camera_is_named_once(make: str, model: str, serial: str, camera: str | None) -> None:
    facts = _facts(tags={_MAKE: make, _MODEL: model}, inner={_SERIAL: serial})
    assert facts.camera == camera


# --- where --------------------------------------------------------------------------------------


@given(
    degrees=st.integers(0, 89),
    minutes=st.integers(0, 59),
    seconds=st.integers(0, 59),
    north=st.booleans(),
    east=st.booleans(),
)
def test_degrees_minutes_and_seconds_make_a_place(
    degrees: int, minutes: int, seconds: int, *, north: bool, east: bool
) -> None:
    parts = (float(degrees), float(minutes), float(seconds))
    facts = _facts(gps={1: "N" if north else "S", 2: parts, 3: "E" if east else "W", 4: parts})
    expected = (degrees * 3600 + minutes * 60 + seconds) / 3600
    assert facts.latitude == pytest.approx(expected if north else -expected, abs=1e-9)
    assert facts.longitude == pytest.approx(expected if east else -expected, abs=1e-9)


def test_the_bounds_of_the_earth_are_on_it() -> None:
    facts = _facts(gps={1: "S", 2: (90.0, 0.0, 0.0), 3: "W", 4: (180.0, 0.0, 0.0)})
    assert (facts.latitude, facts.longitude) == (-90, -180)


def test_a_place_off_the_earth_is_none() -> None:
    facts = _facts(gps={1: "N", 2: (90.0, 0.0, 1.0), 3: "E", 4: (180.0, 1.0, 0.0)})
    assert (facts.latitude, facts.longitude) == (None, None)


@pytest.mark.parametrize(
    "parts", [(_NOTHING, _NOTHING, _NOTHING), (1.0, _NOTHING, 0.0), (1.0, 2.0), (1.0,), 5.0]
)
def test_coordinates_that_are_not_known_are_left_out(parts: Any) -> None:
    facts = _facts(gps={1: "N", 2: parts, 3: "E", 4: (151.0, 15.0, 0.0)})
    assert facts.latitude is None
    assert facts.longitude == pytest.approx(151.25)


def test_half_a_place_stays_half() -> None:
    facts = _facts(gps={1: "N", 2: (1.0, 2.0, 3.0)})
    assert facts.latitude == pytest.approx(1 + 2 / 60 + 3 / 3600)
    assert facts.longitude is None
