"""Reads what camera traps write into photos besides the standard tags.

Values, where a photo holds them:

- ``temperature``: degrees Celsius. Of every maker: EXIF 2.31's AmbientTemperature (tag 9400h).
- ``moon_phase``: one of eight, from "new" over "full" to "old crescent".
- ``trigger``: "motion", "time lapse", "external sensor" and the like.
- ``event_number``: counted by the camera; the photos of one trigger have one.
- ``sequence_number`` and ``sequence_length``: photo 2 of 5.
- ``serial_number``: differs between two cameras of one model.
- ``user_label``: typed into the camera by the user.

The maker notes of Reconyx are read in all five known layouts: HyperFire (and RapidFire: HC500,
HC600, PC900), UltraFire, HyperFire 2, MicroFire and HyperFire 4K. The offsets are those of
"Reconyx Metadata 1.4" in ExifTool's table (lib/Image/ExifTool/Reconyx.pm, version 1.07), the usual
reference.

Bushnell, Browning and Cuddeback print temperature and moon into the picture; the layout of their
notes is not documented (ExifTool has none), so only their standard tags are read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from organizer.protocols import FileContent

MOON_PHASES = (
    "new",
    "new crescent",
    "first quarter",
    "waxing gibbous",
    "full",
    "waning gibbous",
    "last quarter",
    "old crescent",
)
_TRIGGER = {
    "C": "CodeLoc not entered",
    "E": "external sensor",
    "L": "cell live view",
    "M": "motion",
    "P": "point and shoot",
    "S": "cell status",
    "T": "time lapse",
}
_COLDEST, _HOTTEST = -80.0, 90.0  # degrees Celsius; a camera in the sun is hotter than the air
_DISAGREE = 3.0  # degrees Fahrenheit by which the two rounded values may differ


class MakerNotes:
    """Reads maker notes and the ambient temperature; see the module for the values."""

    def read(self, content: FileContent) -> Mapping[str, str | int | float]:
        """See `organizer.protocols.MetadataReader`. A damaged note is ignored."""
        found: dict[str, str | int | float] = {}
        note = content.blocks.get("MakerNote", b"")
        layout = _layout_of(note, str(content.tags.get("Make", "")))
        if layout is not None:
            found.update(_reconyx(note, layout))
        ambient = content.tags.get("AmbientTemperature")
        if isinstance(ambient, float) and _COLDEST <= ambient <= _HOTTEST:
            found["temperature"] = ambient
        return found


@dataclass(frozen=True, slots=True)
class _Layout:
    """The offsets of the values of a note in bytes; all are little-endian.

    Attributes:
        temperatures: In degrees Fahrenheit, followed by degrees Celsius.
        small: Whether the layout is one of the newer ones: counts of one byte, texts of one byte
            per character.
        length: Bytes of a complete note, up to the end of its last value.
    """

    trigger: int
    sequence: int
    event: int
    moon: int
    temperatures: int
    serial: int
    label: int
    label_length: int
    small: bool
    length: int


_HYPERFIRE = _Layout(12, 14, 18, 36, 38, 42, 86, 22, small=False, length=108)
_BY_BEGINNING = {
    b"RECONYXUF\0": _Layout(0x34, 0x35, 0x37, 0x43, 0x44, 0x4B, 0x5A, 21, small=True, length=0x6F),
    b"RECONYXH2\0": _Layout(0x34, 0x36, 0x3A, 0x4C, 0x4E, 0x7E, 0x68, 22, small=False, length=0x9C),
    b"RECONYXMF\0": _Layout(0x44, 0x46, 0x4A, 0x5C, 0x5E, 0x8C, 0x76, 22, small=False, length=0xAA),
    b"RECONYXHF4K\0": _Layout(
        0x28, 0x29, 0x2B, 0x37, 0x38, 0x84, 0x51, 51, small=True, length=0x93
    ),
}


def _layout_of(note: bytes, make: str) -> _Layout | None:
    """The layout of a Reconyx note; None for any other note, and for an incomplete one."""
    if note.startswith(b"RECONYX"):
        found = (layout for begins, layout in _BY_BEGINNING.items() if note.startswith(begins))
        layout = next(found, None)
    elif note.startswith((b"\x01\xf1\x02\0", b"\x01\xf1\x03\0")) or (
        note.startswith(b"\x01\xf1") and make.upper() == "RECONYX"
    ):
        layout = _HYPERFIRE
    else:
        return None
    return layout if layout is not None and len(note) >= layout.length else None


def _reconyx(note: bytes, layout: _Layout) -> dict[str, str | int | float]:
    """The values of a note; none where trigger, moon or the temperatures are implausible."""
    trigger = _TRIGGER.get(chr(note[layout.trigger]))
    moon = _one(note, layout.moon, small=layout.small)
    fahrenheit, celsius = struct.unpack_from("<2h", note, layout.temperatures)
    if trigger is None or moon >= len(MOON_PHASES) or not _COLDEST <= celsius <= _HOTTEST:
        return {}
    if abs(celsius * 9 / 5 + 32 - fahrenheit) > _DISAGREE:
        return {}
    number, length = struct.unpack_from("<2B" if layout.small else "<2H", note, layout.sequence)
    found: dict[str, str | int | float] = {
        "trigger": trigger,
        "event_number": _event(note, layout),
        "moon_phase": MOON_PHASES[moon],
        "temperature": float(celsius),
    }
    if 1 <= number <= length:
        found |= {"sequence_number": number, "sequence_length": length}
    texts = {
        "serial_number": _text(note, layout.serial, 15, wide=not layout.small),
        "user_label": _text(note, layout.label, layout.label_length, wide=False),
    }
    return found | {name: text for name, text in texts.items() if text}


def _one(note: bytes, at: int, *, small: bool) -> int:
    return note[at] if small else note[at] | note[at + 1] << 8


def _event(note: bytes, layout: _Layout) -> int:
    if layout.small:
        return int.from_bytes(note[layout.event : layout.event + 4], "little")
    high, low = struct.unpack_from("<2H", note, layout.event)
    return int(high) << 16 | int(low)


def _text(note: bytes, at: int, length: int, *, wide: bool) -> str:
    """A text that ends at its first zero; empty where it is not printable."""
    data = note[at : at + length * (2 if wide else 1)]
    text = data.decode("utf-16-le" if wide else "utf-8", errors="replace").split("\0")[0].strip()
    return text if text.isprintable() and "\ufffd" not in text else ""
