"""What worker processes do with a file: read it, tell which image it is, decode it.

Whatever may go wrong in a decoder goes wrong there (`organizer.workers`).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from organizer import decode, light, metadata
from organizer.duplicates.miniature import make_miniature
from organizer.duplicates.sharpness import SHARPNESS_SIDE, measure_sharpness
from organizer.errors import ImageError
from organizer.frames import cut_box, read_frame
from organizer.identity import identify
from organizer.pixels.colour import ColourProfiles
from organizer.protocols import MetadataReader
from organizer.thumbnail import Thumbnail, thumbnail
from organizer.types import (
    DAMAGE,
    DURATION,
    KIND,
    MINIATURE_SIDE,
    Box,
    DecodedImage,
    Identity,
    ImageFacts,
    ImageRef,
    KnownImage,
    ReaderFailure,
)

WORKER = f"{__name__}:FileReader"
"""What a `organizer.workers.WorkerPool` of this work serves."""


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How the files of an ingest are read.

    Attributes:
        min_side: As in `organizer.decode.decode_image`.
        max_bytes: A larger file is refused.
        video_frames: Frames of a video at most.
    """

    min_side: int | None
    max_bytes: int
    video_frames: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a video.

    Attributes:
        pixels: ``(h, w, 3)`` uint8 RGB, upright.
        at: Seconds from its beginning.
    """

    pixels: NDArray[np.uint8]
    at: float


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What was found in a file.

    Attributes:
        image_id: The image.
        pixels: ``(h, w, 3)`` uint8 RGB, upright, to be embedded; None where the image has a vector
            and the file shows it as it is, and of a video, whose frames came before.
        facts: What the file says of the image; None where that is known.
        reader_failures: Readers of metadata that failed on it.
        holds_more: Whether the file holds further pictures.
        miniature: See `organizer.types.ProcessedFile`.
    """

    image_id: str
    pixels: NDArray[np.uint8] | None = None
    facts: ImageFacts | None = None
    reader_failures: tuple[ReaderFailure, ...] = ()
    holds_more: bool = False
    miniature: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """A picture to make: of all of a photo, or of a box of it.

    Attributes:
        image_id: The image or crop.
        frame_id: The image: of a crop that of its photo.
        picture: As in `organizer.frames.read_frame`.
        box: The box.
        files: Files that may hold it.
        frame_at: As in `organizer.frames.read_frame`.
    """

    image_id: str
    frame_id: str
    picture: str
    box: Box | None
    files: Sequence[Path]
    frame_at: float | None = None


Reading: TypeAlias = Generator[Identity | Frame, KnownImage | None, ReadFile]


class FileReader:
    """Reads files, with what is kept from one to the next."""

    def read(self, ref: ImageRef, options: ReadingOptions) -> Reading:
        """Read a file of an ingest.

        First its identity is yielded, and the answer is which image of the library that is; then,
        of a video, its frames.

        Raises:
            ImageError: The file cannot be used.
            PluginError: A reader of metadata cannot be loaded.
        """
        data = decode.read_file(ref, max_bytes=options.max_bytes)
        found = identify(data)
        known = yield found
        if known is not None and known.is_embedded:
            tags = self._tags(ref, data, found, known)
            if tags is not None:
                return tags
        image_id = found.picture if known is None else known.image_id
        if decode.is_video(ref):
            return (yield from _frames(ref, data, image_id, found, options.video_frames))
        image = decode.decode_image(
            ref, data, image_id=image_id, min_side=options.min_side, profiles=self._profiles
        )
        extra = metadata.read_extra(image, data, self._readers)
        facts = _facts(image, found, extra.found)
        made = make_miniature(image.pixels) if image.pixels.size else None
        return ReadFile(image_id, image.pixels, facts, extra.failures, image.holds_more, made)

    def thumbnail(
        self, wanted: WantedPicture, side: int, quality: int, max_bytes: int
    ) -> Generator[None, None, Thumbnail | None]:
        """See `thumbnail_of`."""
        yield from ()
        return thumbnail_of(wanted, side=side, quality=quality, max_bytes=max_bytes)

    def pixels(
        self, wanted: WantedPicture, min_side: int, max_bytes: int
    ) -> Generator[None, None, NDArray[np.uint8] | None]:
        """The pixels of a picture, ``(h, w, 3)`` uint8 RGB, upright; None as in `miniature`.

        Args:
            wanted: The picture.
            min_side: As in `organizer.decode.decode_image`.
            max_bytes: A larger file is not read.
        """
        yield from ()
        return _pixels_of(wanted, min_side=min_side, max_bytes=max_bytes)

    def miniature(
        self, wanted: WantedPicture, max_bytes: int
    ) -> Generator[None, None, NDArray[np.uint8] | None]:
        """The miniature of a picture; None where no file holds it, or none that can be read."""
        yield from ()
        pixels = _pixels_of(wanted, min_side=MINIATURE_SIDE, max_bytes=max_bytes)
        return None if pixels is None else make_miniature(pixels)

    def sharpness(
        self, wanted: WantedPicture, max_bytes: int
    ) -> Generator[None, None, float | None]:
        """How sharp a picture is, or what lies in a box of it; None as in `miniature`."""
        yield from ()
        pixels = _pixels_of(wanted, min_side=SHARPNESS_SIDE, max_bytes=max_bytes)
        return None if pixels is None else measure_sharpness(pixels)

    def decode(
        self, ref: ImageRef, data: bytes, min_side: int | None, max_pixels: int | None
    ) -> Generator[None, None, NDArray[np.uint8]]:
        """The pixels of a file's content; see `organizer.decode.decode_image`."""
        yield from ()
        return decode.decode_image(ref, data, min_side=min_side, max_pixels=max_pixels).pixels

    @cached_property
    def _readers(self) -> dict[str, MetadataReader]:
        return metadata.installed_readers()

    @cached_property
    def _profiles(self) -> ColourProfiles:
        return ColourProfiles()

    def _tags(
        self, ref: ImageRef, data: bytes, found: Identity, known: KnownImage
    ) -> ReadFile | None:
        """A file of an image that has a vector; None where the file shows it otherwise."""
        if known.file_hash == found.file:
            return ReadFile(known.image_id)
        try:
            image = decode.decode_image(ref, data, image_id=known.image_id, only_tags=True)
        except ImageError:  # the picture is one that is in the library; only its tags are lost
            return ReadFile(known.image_id)
        if known.view not in {"", image.view}:
            return None
        extra = metadata.read_extra(image, data, self._readers)
        facts = _facts(image, found, extra.found)
        return ReadFile(known.image_id, None, facts, extra.failures)


def thumbnail_of(
    wanted: WantedPicture, *, side: int, quality: int, max_bytes: int
) -> Thumbnail | None:
    """A small picture; None where no file holds it any more, or none that can be read.

    Args:
        wanted: What of.
        side: Pixels of its longer side, at most.
        quality: As in `organizer.thumbnail.thumbnail`.
        max_bytes: A larger file is not read.
    """
    pixels = _pixels_of(wanted, min_side=side, max_bytes=max_bytes)
    return None if pixels is None else thumbnail(pixels, side=side, quality=quality)


def _pixels_of(wanted: WantedPicture, *, min_side: int, max_bytes: int) -> NDArray[np.uint8] | None:
    """The pixels of a picture; None where no file holds it any more, or none that can be read."""
    decode.register_codecs()
    box, most = wanted.box, 1 / min_side
    needed = (
        min_side if box is None else math.ceil(min_side / max(min(box.width, box.height), most))
    )
    image = read_frame(
        wanted.frame_id,
        wanted.files,
        min_side=needed,
        max_bytes=max_bytes,
        picture=wanted.picture,
        frame_at=wanted.frame_at,
    )
    if image is None or not image.pixels.size:
        return None
    return image.pixels if box is None else cut_box(image.pixels, box)


def _frames(ref: ImageRef, data: bytes, image_id: str, found: Identity, most: int) -> Reading:
    """The frames of a video; what is known of it is measured on the first."""
    facts: ImageFacts | None = None
    for frame in decode.decode_frames(ref, data, image_id=image_id, most=most):
        if facts is None:
            told = {KIND: "video"} | ({} if frame.duration is None else {DURATION: frame.duration})
            facts = _facts(frame, found, told)
        yield Frame(frame.pixels, frame.frame_at or 0.0)
    return ReadFile(image_id, facts=facts)


def _facts(image: DecodedImage, found: Identity, extra: dict[str, str | int | float]) -> ImageFacts:
    if image.damage:
        extra = {**extra, DAMAGE: image.damage}
    facts = replace(
        metadata.image_facts(image, extra),
        picture_hash=found.picture,
        file_hash=found.file,
        view=image.view,
    )
    if not image.pixels.size:
        return facts
    measured = light.measure_light(image.pixels)
    return replace(facts, brightness=measured.brightness, chroma=measured.chroma)
