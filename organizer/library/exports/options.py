"""What to export, and what was exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from organizer.types import PartSpec


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export.

    Attributes:
        vectors: Whether to; None leaves it to the format.
        embedder: Whose vectors.
        clusters: Ids and names of the clusters to which the export is limited, or the word
            "unsure"; all images where empty.
        include_missing: Whether images come whose files are all gone.
        relative_to: The folder that paths are relative to; None leaves it to the format.
        leave_out_incomplete: Whether images of which the format must know more than the library
            does are left out, in place of refusing the export.
    """

    vectors: bool | None = None
    embedder: str | None = None
    clusters: Sequence[str | int] = ()
    include_missing: bool = False
    relative_to: Path | None = None
    leave_out_incomplete: bool = False


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        exporter: The format.
        to: The file or folder; None where it went to a stream.
        images: Number of images in it.
        missing: Images left out because none of their files was there when last looked for.
        without_vector: Images left out because the embedder has no vector of them.
        people: Images left out because a person or a vehicle was seen on them.
        incomplete: Images left out because too little is known of them for the format, by what is
            not known.
        clustered: Whether there is a clustering.
        embedder: Whose vectors are in it; None where there are none.
        opened_with: How to go on; empty where there is nothing to say.
    """

    exporter: str
    to: Path | None
    images: int
    missing: int
    without_vector: int
    people: int
    incomplete: dict[str, int]
    clustered: bool
    embedder: PartSpec | None
    opened_with: str
