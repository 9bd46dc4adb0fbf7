"""Files and images, from discovery to the row that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from organizer.types.embeddings import EmbeddingBatch

DAMAGE = "damage"
"""The name in `ImageFacts.extra` under which is kept what is missing of a damaged photo."""


KIND, DURATION, FRAME_AT = "kind", "duration", "frame_at"
"""Names in `ImageFacts.extra` of a video: "video"; its seconds; the second of the frame that stands
for it."""


class Outcome(StrEnum):
    """What became of one file in an ingest."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    NEW_METADATA = "new_metadata"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    BROKEN = "broken"
    TOO_LARGE = "too_large"


class FileState(StrEnum):
    """Whether a path that the library knows was there when last looked for."""

    PRESENT = "present"
    MISSING = "missing"


MINIATURE_SIDE = 32
"""Pixels of a side of a miniature, by which copies of a picture are recognised."""

Miniatures = NDArray[np.uint8]
"""``(n, 1024)``: a tiny grey picture of each image, row by row."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """A file that may hold an image, as discovery saw it.

    Attributes:
        root: Absolute folder that the path is relative to.
        path: Path relative to the root, with forward slashes.
        size: Bytes.
        mtime_ns: Time of the last change, nanoseconds since the epoch.
    """

    root: Path
    path: str
    size: int
    mtime_ns: int

    @property
    def file(self) -> Path:
        """Where the file lies now."""
        return self.root / self.path


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """An upright RGB picture.

    Attributes:
        ref: The file that it came from.
        image_id: The image; see `ImageFacts`.
        pixels: ``(h, w, 3)`` uint8; may be smaller than the picture in the file.
        width: Upright width of the picture in the file, pixels.
        height: Upright height of the picture in the file, pixels.
        format: Pillow's name of the file format; of a raw file its suffix: "NEF".
        metadata: EXIF tags by their standard names.
        blocks: EXIF tags that are bytes of a maker's own: "MakerNote", "UserComment".
        view: What in the file decides how the picture is shown besides the picture itself: the
            rotation, and the colour profile if there is one. Equal texts, equal pixels.
        damage: What is missing of the picture, in a few words; empty where nothing is.
        holds_more: Whether the file holds further pictures.
        frame_at: Of a frame of a video: seconds from its beginning.
        duration: Of a frame of a video: seconds of all of it, where that is known.
    """

    ref: ImageRef
    image_id: str
    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    metadata: Mapping[str, str | int | float]
    blocks: Mapping[str, bytes] = field(default_factory=dict)
    view: str = ""
    damage: str = ""
    holds_more: bool = False
    frame_at: float | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the library keeps of an image besides its vectors: one narrow row.

    An image may have several files, with one picture and other metadata. Those of the first file
    that is there count, in the order of their paths: it is the one that is shown for the image,
    and the same files give the same facts, in whatever order they came.

    Attributes:
        image_id: The image: the hash of its picture. One of a library of format 6 or older has the
            hash of the file that it was made of, for good.
        bytes: Size of its file.
        width: Upright width, pixels.
        height: Upright height, pixels.
        format: Pillow's name of the file format; of a raw file its suffix: "NEF".
        taken_at: Camera-local time, ISO 8601 without an offset; None where it is not known.
        camera: Make, model and serial number.
        latitude: Degrees, north is positive.
        longitude: Degrees, east is positive.
        brightness: Mean luma, 0 to 1; see `organizer.light`. None where it was not measured.
        chroma: How much colour there is, 0 to about 1; None likewise.
        extra: What else readers of metadata found, by name: temperature, phase of the moon. Of a
            photo of which a part is missing that too, by `DAMAGE`.
        picture_hash: The hash of its picture, by which it is known again; see
            `organizer.identity`. Empty where no file of it was read since format 6.
        file_hash: The hash of the file whose metadata these are.
        view: As `DecodedImage.view`, of that file. Empty where it is not known.
    """

    image_id: str
    bytes: int
    width: int
    height: int
    format: str
    taken_at: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None
    brightness: float | None = None
    chroma: float | None = None
    extra: Mapping[str, str | int | float] = field(default_factory=dict)
    picture_hash: str = ""
    file_hash: str = ""
    view: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is by its content; see `organizer.identity`.

    Attributes:
        picture: The hash of the picture data: 32 hexadecimal digits.
        file: The hash of all bytes, likewise.
    """

    picture: str
    file: str


@dataclass(frozen=True, slots=True)
class KnownImage:
    """What an ingest tells an executor of the image that a file holds.

    Attributes:
        image_id: The image.
        is_embedded: Whether it has a vector.
        file_hash: The hash of the file whose metadata are stored. A file with another one is read
            for its metadata.
        view: How the picture was shown when it was embedded; see `DecodedImage.view`. Where a file
            has another one, the image is embedded again. Empty where it is not known.
    """

    image_id: str
    is_embedded: bool = True
    file_hash: str = ""
    view: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be used, and why.

    Attributes:
        ref: The file; for a folder that cannot be listed, the folder.
        outcome: BROKEN or TOO_LARGE.
        reason: One line for a person.
        lasting: False where the next ingest should try again though the file did not change: it
            could not be read this time, or the embedder made no vector of it. The latter depends
            on the embedder and its version as much as on the file, and another embedder, or the
            same one with more memory, may well make one.
        image_id: The image in the file, where it was read and only has no vector; else None.
    """

    ref: ImageRef
    outcome: Outcome
    reason: str
    lasting: bool
    image_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReaderFailure:
    """A reader of metadata that failed on a photo; the photo is used without what it would find.

    Attributes:
        reader: The name of the reader.
        reason: One line for a person.
    """

    reader: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProcessedFile:
    """What reading one file gave: exactly one of `image_id` and `problem`.

    Attributes:
        ref: The file.
        image_id: The image in it.
        facts: What is known of the image by this file; None where the library knows that already.
        problem: Why the file cannot be used.
        reader_failures: What is not in `facts`.
        file_hash: The hash of its bytes.
        picture_hash: The hash of its picture.
        is_embedded: Whether the vector of its image was made of this file.
        holds_more: Whether the file holds further pictures, which are not read.
        miniature: ``(1024,)`` of the picture; see `organizer.duplicates`. None where it was not
            decoded, and of a video.
    """

    ref: ImageRef
    image_id: str | None = None
    facts: ImageFacts | None = None
    problem: Problem | None = None
    reader_failures: tuple[ReaderFailure, ...] = ()
    file_hash: str = ""
    picture_hash: str = ""
    is_embedded: bool = False
    holds_more: bool = False
    miniature: NDArray[np.uint8] | None = None

    @property
    def damage(self) -> str:
        """What is missing of a new photo, in a few words; empty where nothing is."""
        return str(self.facts.extra.get(DAMAGE, "")) if self.facts is not None else ""


@dataclass(frozen=True, slots=True)
class ProcessedBatch:
    """Files in the order of discovery, and the embeddings of the new images among them.

    Attributes:
        files: The files.
        embeddings: The vectors of those images among them that are new, or shown otherwise than
            before, and could be embedded.
        batch_failure: Why these could not be embedded at once, though each of them could be;
            empty where they could.
    """

    files: tuple[ProcessedFile, ...]
    embeddings: EmbeddingBatch
    batch_failure: str = ""
