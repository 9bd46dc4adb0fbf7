"""What ``ingest`` and ``watch`` print."""

from __future__ import annotations

from organizer.fields.shapes.base import Shape


class FoundClusterJson(Shape):
    """A novel cluster."""

    cluster_id: int
    count: int


class GrownClusterJson(Shape):
    """A cluster that new images came to."""

    cluster_id: int
    name: str | None
    added: int


class FailedReaderJson(Shape):
    """A reader of metadata that failed."""

    reader: str
    photos: int
    reason: str
    path: str


class NotedPhotosJson(Shape):
    """New photos of which something has to be said."""

    photos: int
    first: str | None


class AbsentJson(Shape):
    """A folder of which more than half of the files are gone."""

    folder: str
    known: int
    gone: int


class TurnedJson(Shape):
    """What became of the boxes and crops of photos that a tag turned."""

    photos: int
    crops: int
    failed: int
    doubtful: int


class RemarkJson(Shape):
    """What a check of a plugin says."""

    check: str
    text: str


class FailedCheckJson(Shape):
    """A check of a plugin that failed."""

    check: str
    reason: str


class IngestJson(Shape):
    """What an ingest did."""

    added: int
    unchanged: int
    new_metadata: int
    moved: int
    duplicate: int
    missing: int
    broken: int
    too_large: int
    replaced: int
    merged: int
    images: int
    seconds: float
    embedder: str | None
    engine: str | None
    embedded: int
    joined: int
    unsure: int
    born: list[FoundClusterJson]
    grown: list[GrownClusterJson]
    settled: int
    pile: int
    other_suffixes: dict[str, int]
    companions: int
    videos_beside_photos: int
    interrupted: bool
    without_time: int
    time_sources: dict[str, int]
    future: int
    failed_readers: list[FailedReaderJson]
    damaged: NotedPhotosJson
    several_pictures: NotedPhotosJson
    absent: list[AbsentJson]
    turned: TurnedJson
    remarks: list[RemarkJson]
    failed_checks: list[FailedCheckJson]


class WatchJson(Shape):
    """An event, a line."""

    event: str
    at: str
    folder: str | None
    files: int | None
    ingest: IngestJson | None
    error: str | None
    hint: str | None
    retry_seconds: float | None
