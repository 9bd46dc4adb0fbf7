"""Groups of duplicates and bursts, as they were found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class DuplicateKind(StrEnum):
    """What the files of a group have in common.

    EXACT: one picture, whatever else is written into the files. NEAR: one picture, resized, encoded
    anew, cut at the edges, turned or edited. BURST: one camera took them soon after each other.
    """

    EXACT = "exact"
    NEAR = "near"
    BURST = "burst"


@dataclass(frozen=True, slots=True)
class DuplicateFile:
    """A file of a group.

    Attributes:
        image_id: The image.
        path: The file. Of an image with several files, in a group of copies or of a burst, the
            first by path.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        bytes: The size of the file.
        taken_at: When it was taken, camera-local; None where that is not known.
        likeness: How alike it is to the file to keep, up to 1; None where that was not compared.
        sharpness: How sharp it is, its animal where a detector found one; None where that was not
            measured.
    """

    image_id: str
    path: Path
    width: int
    height: int
    bytes: int
    taken_at: str | None
    likeness: float | None = None
    sharpness: float | None = None


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files of which one is proposed to be kept.

    Attributes:
        kind: What they have in common.
        files: Two or more, the one to keep first.
        why: Why that one.
    """

    kind: DuplicateKind
    files: tuple[DuplicateFile, ...]
    why: str

    @property
    def kept(self) -> DuplicateFile:
        """The file to keep."""
        return self.files[0]

    @property
    def others(self) -> tuple[DuplicateFile, ...]:
        """The files that are not needed beside it."""
        return self.files[1:]


@dataclass(frozen=True, slots=True)
class DuplicatesReport:
    """What was found.

    Attributes:
        groups: The groups: exact ones, then near ones, then bursts; in order of their first paths.
        compared: Number of images that were compared.
        missing: Number of images of which no file is there; they are in no group.
        unread: Number of images that could not be compared by their pictures, as they could not be
            read; of these only exact duplicates are found.
        videos: Number of videos, of which only exact duplicates are found.
        hidden: Number of photos with people or vehicles that are left out.
        aside: Number of files that an arrangement has set aside before; they are left out.
    """

    groups: tuple[DuplicateGroup, ...]
    compared: int
    missing: int = 0
    unread: int = 0
    videos: int = 0
    hidden: int = 0
    aside: int = 0

    @property
    def others(self) -> int:
        """Number of files that are not needed beside those to keep."""
        return len({file.path for group in self.groups for file in group.others})

    @property
    def bytes(self) -> int:
        """The size of these files."""
        sizes = {file.path: file.bytes for group in self.groups for file in group.others}
        return sum(sizes.values())
