"""EXIF tags -> when, with what and where a photo was taken, and what plugins' readers find in it.

Nothing is guessed: a photo without a time has none (a file's own date is that of the copy).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from organizer import registry
from organizer.errors import PluginError
from organizer.protocols import FileContent, MetadataReader
from organizer.types import DecodedImage, ImageFacts, PartSpec

_READERS = "organizer.metadata_readers"

_EXIF_TIME = re.compile(r"(\d{4})[:\-](\d\d)[:\-](\d\d)[ T](\d\d):(\d\d):(\d\d)")


def image_facts(
    image: DecodedImage, extra: Mapping[str, str | int | float] | None = None
) -> ImageFacts:
    """What the library keeps of an image besides its vectors.

    Args:
        image: The image.
        extra: What readers found in it. Their "serial_number" distinguishes two cameras of one
            model where the standard tags do not.
    """
    extra = extra or {}
    tags = image.metadata
    if "serial_number" in extra:
        tags = {"BodySerialNumber": extra["serial_number"], **tags}
    return ImageFacts(
        image_id=image.image_id,
        bytes=image.ref.size,
        width=image.width,
        height=image.height,
        format=image.format,
        taken_at=taken_at(tags),
        camera=camera(tags),
        latitude=_within(tags.get("GPSLatitude"), 90),
        longitude=_within(tags.get("GPSLongitude"), 180),
        extra=extra,
    )


def taken_at(tags: Mapping[str, str | int | float]) -> str | None:
    """Camera-local time as ISO 8601 without an offset, or None where there is none or it is void.

    Cameras whose clock was never set write zeros or year 0; that is no time.
    """
    match = _EXIF_TIME.match(str(tags.get("DateTimeOriginal", "")))
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - camera-local
    except ValueError:
        return None
    return moment.isoformat()


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


def read_extra(
    image: DecodedImage, data: bytes, readers: Mapping[str, MetadataReader]
) -> dict[str, str | int | float]:
    """What readers find in an image; of two that give one name, the first in the alphabet counts.

    Raises:
        PluginError: A reader failed, or gave what cannot be kept.
    """
    found: dict[str, str | int | float] = {}
    if readers:
        content = FileContent(data, image.format, image.metadata, image.blocks)
        for name, reader in readers.items():
            found = {**_read(name, reader, content, image), **found}
    return found


def _read(
    name: str, reader: MetadataReader, content: FileContent, image: DecodedImage
) -> Mapping[str, str | int | float]:
    try:
        given = reader.read(content)
    except Exception as error:
        # A plugin can raise anything; to go on would lose its findings unnoticed.
        raise _bug(name, image, f"failed with {type(error).__name__}: {error}") from error
    if not isinstance(given, Mapping):
        raise _bug(name, image, f"gave {type(given).__name__}, no mapping")
    wrong = [key for key, value in given.items() if not (isinstance(key, str) and _fits(value))]
    if wrong:
        raise _bug(name, image, f"gave {given[wrong[0]]!r} as {wrong[0]!r}, which cannot be kept")
    return given


def _fits(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return value.isascii() or value.encode(errors="ignore").decode() == value
    return isinstance(value, int) and not isinstance(value, bool)


def _bug(name: str, image: DecodedImage, what: str) -> PluginError:
    origin = registry.part_provider(_READERS, name)
    return PluginError(
        f"the metadata reader {name!r} of {origin} {what} (on {image.ref.file})",
        f"update or remove {origin}; what was committed before is kept",
    )


def _within(value: str | float | None, bound: float) -> float | None:
    return float(value) if isinstance(value, float) and abs(value) <= bound else None
