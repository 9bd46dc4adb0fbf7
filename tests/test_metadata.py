from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from organizer import decode, exif, metadata
from organizer.capture_times import time_of_tags
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
    xmp: bytes | None = None,
) -> DecodedImage:
    block = Image.Exif()
    block.update(tags or {})
    block.get_ifd(_EXIF).update(inner or {})
    block.get_ifd(_GPS).update(gps or {})
    buffer = io.BytesIO()
    more: dict[str, Any] = {} if xmp is None else {"xmp": xmp}
    if xmp is not None and kind == "PNG":
        more = {"pnginfo": PngInfo()}
        more["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    if xmp is not None and kind == "TIFF":
        block[700] = more.pop("xmp")
    image = Image.fromarray(np.full((6, 8, 3), 90, np.uint8))
    image.save(buffer, kind, exif=block.tobytes(), **more)
    data = buffer.getvalue()
    return decode.decode_image(ImageRef(Path("nowhere"), "a.jpg", len(data), 0), data)


def _facts(**exif: Any) -> ImageFacts:
    return metadata.image_facts(_decoded(**exif))


def _taken_at(tags: dict[str, Any]) -> str | None:
    found = time_of_tags(tags)
    return None if found is None else found.text


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
    assert _taken_at({"DateTimeOriginal": text}) == moment.replace(microsecond=0).isoformat()


@pytest.mark.parametrize(
    "text", ["2021-07-04 05:06:07", "2021-07-04T05:06:07", "2021:07:04 05:06:07.250"]
)
def test_times_as_some_programs_write_them_are_understood(text: str) -> None:
    assert _taken_at({"DateTimeOriginal": text}) == "2021-07-04T05:06:07"


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
    assert _taken_at({"DateTimeOriginal": text}) is None
    assert _facts(inner={_TAKEN: text}).taken_at is None


@given(st.text() | st.integers() | st.floats())
def test_any_garbage_for_a_time_gives_a_time_or_none_and_never_raises(value: str | float) -> None:
    told = _taken_at({"DateTimeOriginal": value})
    assert told is None or isinstance(datetime.fromisoformat(told), datetime)


_TIMES = {
    "DateTimeOriginal": (0x9003, 0x9291),
    "DateTimeDigitized": (0x9004, 0x9292),
    "DateTime": (0x0132, 0x9290),
}


@pytest.mark.parametrize("source", _TIMES)
def test_a_time_tells_where_it_was_read(source: str) -> None:
    tag, fraction = _TIMES[source]
    here = {tag: "2021:07:04 05:06:07"}
    tags = here if source == "DateTime" else {0x0132: "2022:01:01 00:00:00"}
    inner = {fraction: "05"} | ({} if source == "DateTime" else here)
    facts = _facts(tags=tags, inner=inner)
    assert facts.taken_at == "2021-07-04T05:06:07"
    assert metadata.time_source(facts.taken_at, facts.extra) == source
    assert facts.extra[metadata.SUBSECOND] == pytest.approx(0.05)
    assert (metadata.TIME_SOURCE in facts.extra) == (source != "DateTimeOriginal")


def test_without_a_time_there_is_no_source() -> None:
    facts = _facts(inner={_TAKEN: "0000:00:00 00:00:00", 0x9291: "12"})
    assert (facts.taken_at, facts.extra) == (None, {})
    assert metadata.time_source(None, {}) is None


_PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description {attributes}>
<exif:GPSLongitude>151,12.000E</exif:GPSLongitude></rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_packet_of_xmp_tells_what_exif_does_not(kind: str) -> None:
    attributes = 'xmp:CreateDate="2023-01-01T00:00:00" exif:GPSLatitude="33,51,0S"'
    packet = _PACKET.format(attributes=attributes + ' exif:DateTimeOriginal="2021-07-04T05:06:07"')
    facts = _facts(kind=kind, xmp=packet.encode(), tags={0x0132: "2022:01:01 00:00:00"})
    assert facts.taken_at == "2021-07-04T05:06:07"
    assert facts.extra == {"time_source": "XMP:DateTimeOriginal"}
    assert (facts.latitude, facts.longitude) == pytest.approx((-33.85, 151.2))


def test_exif_counts_before_xmp() -> None:
    packet = _PACKET.format(attributes='exif:DateTimeOriginal="1999-01-01T00:00:00"').encode()
    gps = {1: "N", 2: (1.0, 0.0, 0.0), 3: "W", 4: (2.0, 0.0, 0.0)}
    facts = _facts(xmp=packet, inner={_TAKEN: "2021:07:04 05:06:07"}, gps=gps)
    assert (facts.taken_at, facts.latitude, facts.longitude) == ("2021-07-04T05:06:07", 1, -2)
    assert facts.extra == {}


_XMP_PLACE = _PACKET.format(attributes='exif:GPSLatitude="33,51,0S"{}')


@pytest.mark.parametrize(
    ("packet", "gps"),
    [
        (_XMP_PLACE.format(""), {2: (33.0, 51.0, 0.0), 4: (151.0, 12.0, 0.0)}),
        (_XMP_PLACE.format(""), {9: "V"}),
        (_XMP_PLACE.format(' exif:GPSStatus="V"'), {}),
        (_XMP_PLACE.replace("33,51,0S", "0,0,0N").replace("151,12.0", "0,0.0"), {}),
    ],
)
def test_xmp_makes_no_place_of_one_that_is_unclear(packet: str, gps: dict[int, Any]) -> None:
    facts = _facts(xmp=packet.encode(), gps=gps)
    assert (facts.latitude, facts.longitude) == (None, None)


def test_a_void_fix_is_not_made_up_for_by_zeros() -> None:
    zeros = (0.0, 0.0, 0.0)
    assert _facts(gps={1: "N", 2: zeros, 3: "E", 4: zeros}).latitude is None
    equator = _facts(gps={1: "N", 2: zeros, 3: "E", 4: (32.0, 30.0, 0.0), 9: "A"})
    assert (equator.latitude, equator.longitude) == (0, 32.5)


@pytest.mark.parametrize("padding", ["\0", "\0A\x07?", "\0\0\0\0", " \x01"])
def test_a_text_ends_at_its_first_nul(padding: str) -> None:
    facts = _facts(tags={_MAKE: "BUSHNELL" + padding, _MODEL: "119876C" + padding})
    assert facts.camera == "BUSHNELL 119876C"


def test_memory_that_was_never_written_is_no_text() -> None:
    assert exif.clean_text("BUSHNELL\xff\xff\xff\xff") == "BUSHNELL"
    assert exif.clean_text("Caf\xe9 \xa0\x99Trap\t9\x80\n") == "Caf\xe9  Trap 9"


@pytest.mark.parametrize(
    "serial", ["0", "000000", " ", "n/a", "Unknown", "FFFFFFFFFFFF", "0123456789", "\0\0"]
)
def test_what_is_no_serial_number_is_none(serial: str) -> None:
    facts = _facts(tags={_MODEL: "Trap 9"}, inner={_SERIAL: serial})
    assert (facts.camera, facts.extra) == ("Trap 9", {})


def test_a_serial_number_is_kept() -> None:
    facts = _facts(tags={_MODEL: "Trap 9"}, inner={_SERIAL: "100000"})
    assert (facts.camera, facts.extra) == ("Trap 9 100000", {"serial_number": "100000"})


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
    assume(any(parts))
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
