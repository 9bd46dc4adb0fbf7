"""EXIF tags -> when, with what and where a photo was taken, and what plugins' readers find in it.

Nothing is guessed: a photo without a time has none (a file's own date is that of the copy).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from organizer import registry
from organizer.capture_times import DEFAULT_SOURCE, CaptureTime, time_of_tags
from organizer.errors import one_line
from organizer.protocols import FileContent, MetadataReader
from organizer.types import DecodedImage, ImageFacts, PartSpec, ReaderFailure

_READERS = "organizer.metadata_readers"

TIME_SOURCE, SUBSECOND, SERIAL_NUMBER = "time_source", "subsecond", "serial_number"
"""Names in `ImageFacts.extra`: where a time was read from, if not from DateTimeOriginal; how much
of its second had passed; the serial number of the camera."""

_NO_SERIAL = re.compile(r"[0\W_]*|n/?a|none|null|unknown|0?12345678?9?0?|(.)\1{7,}", re.IGNORECASE)
"""What cameras without a serial number write in its place, one like the other: noughts, one
character throughout, the digits in their order."""


def image_facts(
    image: DecodedImage, extra: Mapping[str, str | int | float] | None = None
) -> ImageFacts:
    """What the library keeps of an image besides its vectors.

    Args:
        image: The image.
        extra: What readers found in it. Their "serial_number" distinguishes two cameras of one
            model where the standard tags do not.
    """
    tags = dict(image.metadata)
    kept = dict(extra or {})
    serial = _serial(tags.get("BodySerialNumber")) or _serial(kept.get(SERIAL_NUMBER))
    kept.pop(SERIAL_NUMBER, None)
    if serial is not None:
        kept[SERIAL_NUMBER] = serial
    facts = ImageFacts(
        image_id=image.image_id,
        bytes=image.ref.size,
        width=image.width,
        height=image.height,
        format=image.format,
        taken_at=None,
        camera=camera(tags | {"BodySerialNumber": serial or ""}),
        latitude=_within(tags.get("GPSLatitude"), 90),
        longitude=_within(tags.get("GPSLongitude"), 180),
        extra=kept,
    )
    return with_time(facts, time_of_tags(tags))


def with_time(facts: ImageFacts, time: CaptureTime | None) -> ImageFacts:
    """Facts with the time of their image, its source, and how much of its second had passed."""
    extra = {name: v for name, v in facts.extra.items() if name not in {TIME_SOURCE, SUBSECOND}}
    if time is None:
        return replace(facts, taken_at=None, extra=extra)
    if time.source != DEFAULT_SOURCE:
        extra[TIME_SOURCE] = time.source
    if time.subsecond is not None:
        extra[SUBSECOND] = time.subsecond
    return replace(facts, taken_at=time.text, extra=extra)


def stored_time(facts: ImageFacts) -> CaptureTime | None:
    """The time of an image as it was read; the inverse of `with_time`."""
    source = time_source(facts.taken_at, facts.extra)
    if facts.taken_at is None or source is None:
        return None
    subsecond = facts.extra.get(SUBSECOND)
    return CaptureTime(facts.taken_at, source, None if subsecond is None else float(subsecond))


def time_source(taken_at: str | None, extra: Mapping[str, str | int | float]) -> str | None:
    """Where the time of an image was read from; None for one without a time."""
    return None if taken_at is None else str(extra.get(TIME_SOURCE, DEFAULT_SOURCE))


def camera(tags: Mapping[str, str | int | float]) -> str | None:
    """Make, model and serial number, as far as they are in the file; None where none is."""
    make, model = str(tags.get("Make", "")), str(tags.get("Model", ""))
    if model.lower().startswith(make.lower()):
        make = ""  # "NIKON" "NIKON D90" is one name, not two
    parts = [make, model, str(tags.get("BodySerialNumber", ""))]
    return " ".join(part for part in parts if part) or None


def installed_readers() -> dict[str, MetadataReader]:
    """Every reader of metadata that is installed, by name.

    Raises:
        PluginError: One cannot be loaded, or is none. It is not left out: what it would have found
            in the images of this ingest would never be looked for again.
    """
    return {
        name: registry.create_part(_READERS, PartSpec(name))[1]
        for name in registry.part_names(_READERS)
    }


@dataclass(frozen=True, slots=True)
class ExtraMetadata:
    """What readers of metadata made of an image.

    Attributes:
        found: What they found, by name.
        failures: The readers that failed, or gave what cannot be kept: nothing of theirs is in
            `found`.
    """

    found: dict[str, str | int | float]
    failures: tuple[ReaderFailure, ...] = ()


def reader_provider(name: str) -> str:
    """The distribution that a reader comes from.

    Raises:
        SettingsError: No reader has that name.
        PluginError: Two readers have it.
    """
    return registry.part_provider(_READERS, name)


def read_extra(
    image: DecodedImage, data: bytes, readers: Mapping[str, MetadataReader]
) -> ExtraMetadata:
    """What readers find in an image; of two that give one name, the first in the alphabet counts.

    A reader that fails is named in the result, and the others are asked all the same.
    """
    found: dict[str, str | int | float] = {}
    failures = []
    content = FileContent(data, image.format, image.metadata, image.blocks)
    for name, reader in readers.items():
        given = _read(reader, content)
        if isinstance(given, str):
            failures.append(ReaderFailure(name, given))
        else:
            found = {**given, **found}
    return ExtraMetadata(found, tuple(failures))


def _read(reader: MetadataReader, content: FileContent) -> dict[str, str | int | float] | str:
    """What a reader finds, or in one line what is wrong with it."""
    try:
        given = reader.read(content)
        if not isinstance(given, Mapping):
            return f"it gave {type(given).__name__}, no mapping"
        found = dict(given)
    except Exception as error:  # noqa: BLE001 - a plugin can raise anything
        return one_line(error)
    wrong = [key for key, value in found.items() if not (isinstance(key, str) and _fits(value))]
    if wrong:
        return f"it gave {found[wrong[0]]!r:.80} as {wrong[0]!r:.80}, which cannot be kept"
    return found


def _fits(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return value.isascii() or value.encode(errors="ignore").decode() == value
    return isinstance(value, int) and not isinstance(value, bool)


def _serial(value: str | float | None) -> str | None:
    """A serial number that tells cameras apart; None where there is none."""
    text = "" if value is None else str(value).strip()
    return None if _NO_SERIAL.fullmatch(text) else text


def _within(value: str | float | None, bound: float) -> float | None:
    return float(value) if isinstance(value, float) and abs(value) <= bound else None
