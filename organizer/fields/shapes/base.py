"""What the shapes of several commands have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A JSON object that a command prints: these fields and no others, of these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class BoxJson(Shape):
    """Where in its photo a crop is, as shares of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float


class UsualJson(Shape):
    """How far images of a cluster usually lie, and beyond which a new one does not fit."""

    typical: float
    border: float


class SplitJson(Shape):
    """A cluster that became several."""

    cluster_id: int
    into: list[int]


class MergeJson(Shape):
    """Clusters that became one."""

    cluster_id: int
    sources: list[int] = Field(alias="from")


class LineageJson(Shape):
    """What became of the clusters."""

    kept: list[int]
    born: list[int]
    retired: list[int]
    split: list[SplitJson]
    merged: list[MergeJson]
    images_moved: int


class CandidateJson(Shape):
    """The evidence for a number of clusters."""

    k: int
    silhouette: float
    inertia: float
    chosen: bool
    elbow: bool
    second: bool
    davies_bouldin: float | None
    calinski_harabasz: float | None
    gap: float | None
    gap_error: float | None
    stability: float | None


class LeftOutJson(Shape):
    """A line of a table that cannot be read."""

    line: int
    why: str
    hint: str


class RefusalJson(Shape):
    """A file that could not be used, and why."""

    path: str
    reason: str


class ErrorDetailJson(Shape):
    """What went wrong."""

    type: str
    message: str
    hint: str | None
    exit_code: int


class ErrorJson(Shape):
    """What a command that fails prints in the place of its result."""

    error: ErrorDetailJson
