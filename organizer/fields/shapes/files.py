"""What ``export`` and ``arrange`` print."""

from __future__ import annotations

from pydantic import Field

from organizer.fields.shapes.base import RefusalJson, Shape


class SkippedJson(Shape):
    """Images that were left out of an export, by the reason."""

    missing: int
    without_vector: int
    people: int
    incomplete: dict[str, int]
    videos: int


class ExportJson(Shape):
    """What was exported."""

    format: str
    to: str | None
    images: int
    skipped: SkippedJson
    clustered: bool
    embedder: str | None
    open_with: str | None


class ExportOptionJson(Shape):
    """An option of a format."""

    name: str
    help: str
    example: str
    needed: bool


class ExportOptionsJson(Shape):
    """The options of a format."""

    options: list[ExportOptionJson]


class BetweenFoldersJson(Shape):
    """Files that an update put from one folder into another."""

    source: str = Field(alias="from")
    to: str
    files: int


class ArrangeJson(Shape):
    """What became of every file of the library."""

    to: str
    mode: str
    files: int
    done: int
    there: int
    results: dict[str, int]
    left: dict[str, int]
    not_in_plan: int
    sidecars: int
    relocated: int
    removed: int
    not_removed: dict[str, int]
    between: list[BetweenFoldersJson]
    unknown_files: int
    suffixed: int
    made_safe: int
    finished: bool
    plan: str | None
    refusals: list[RefusalJson]


class ArrangeUndoJson(Shape):
    """What the undo of an arrangement did."""

    to: str
    mode: str
    created_at: str
    undone: int
    sidecars: int
    results: dict[str, int]
    finished: bool
    refusals: list[RefusalJson]


class LabelledClusterJson(Shape):
    """A cluster by id and name; without an id it is none."""

    cluster_id: int | None
    name: str | None


class RenamedJson(LabelledClusterJson):
    """A cluster with a new name."""

    to: str


class MergedFoldersJson(Shape):
    """Two clusters that become one."""

    source: LabelledClusterJson = Field(alias="from")
    into: LabelledClusterJson
    images: int


class MovedFilesJson(Shape):
    """Images that move from one cluster to another."""

    source: LabelledClusterJson = Field(alias="from")
    to: LabelledClusterJson
    images: int


class NewFolderJson(Shape):
    """A new cluster."""

    name: str
    images: int


class LeftClusterJson(LabelledClusterJson):
    """A cluster that images left."""

    images: int


class ContradictoryJson(Shape):
    """A photo that is in several folders now."""

    path: str
    folders: list[str]


class ReadBackJson(Shape):
    """The decisions that follow from changed folders, and what they leave open."""

    to: str
    photos: int
    said: bool
    renamed: list[RenamedJson]
    merged: list[MergedFoldersJson]
    moved: list[MovedFilesJson]
    born: list[NewFolderJson]
    left: list[LeftClusterJson]
    gone: int
    loose: int
    contradictory: list[ContradictoryJson]
    strangers: list[str]
    not_said: list[str]
    remarks: list[str]
    refiled: int
