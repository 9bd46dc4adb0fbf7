"""The options of an export, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from organizer.arguments import (
    require_flag,
    require_integer,
    require_iterator,
    require_path,
    require_text,
)
from organizer.types import PartSpec


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export.

    Attributes:
        vectors: Whether to export vectors; None leaves it to the format.
        embedder: Whose vectors; the library's own where None.
        clusters: Ids and names of the clusters to which the export is limited, or "unsure" for the
            unassigned images; all images where empty.
        include_missing: Whether to export images whose files are all missing.
        relative_to: The folder that paths are relative to; None leaves it to the format.
        leave_out_incomplete: Whether to leave out images that lack what the format needs, in place
            of refusing the export.
    """

    vectors: bool | None = None
    embedder: str | None = None
    clusters: Sequence[str | int] = ()
    include_missing: bool = False
    relative_to: Path | None = None
    leave_out_incomplete: bool = False

    def checked(self) -> ExportOptions:
        """The same options, each known to be of its kind.

        Raises:
            SettingsError: One is not.
        """
        return replace(
            self,
            vectors=None if self.vectors is None else require_flag("vectors", self.vectors),
            embedder=None if self.embedder is None else require_text("embedder", self.embedder),
            clusters=[
                require_text("clusters", one)
                if isinstance(one, str)
                else require_integer("clusters", one)
                for one in require_iterator("clusters", self.clusters, "ids and names")
            ],
            include_missing=require_flag("include_missing", self.include_missing),
            relative_to=None
            if self.relative_to is None
            else require_path("relative_to", self.relative_to),
            leave_out_incomplete=require_flag("leave_out_incomplete", self.leave_out_incomplete),
        )


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        exporter: The format.
        to: The file or folder; None where it went to a stream.
        images: Number of exported images.
        missing: Number of images left out because all of their files are missing.
        without_vector: Number of images left out because the embedder has no vector of them.
        people: Number of images left out because they show a person or a vehicle.
        incomplete: Number of images left out because they lack what the format needs, by what they
            lack.
        videos: Number of videos left out because the format holds none.
        clustered: Whether there is a clustering.
        embedder: Whose vectors are exported; None where there are none.
        opened_with: How to open the export in its tool; empty where there is nothing to say.
    """

    exporter: str
    to: Path | None
    images: int
    missing: int
    without_vector: int
    people: int
    incomplete: dict[str, int]
    videos: int
    clustered: bool
    embedder: PartSpec | None
    opened_with: str
