"""What ``status``, ``problems``, ``search``, ``models``, ``backup`` and the like print."""

from __future__ import annotations

from organizer.fields.shapes.base import BoxJson, RefusalJson, Shape, UsualJson


class HitJson(Shape):
    """An image that was found."""

    path: str
    image_id: str
    distance: float
    cluster_id: int | None
    cluster_name: str | None
    state: str
    box: BoxJson | None
    usual: UsualJson | None


class SearchJson(Shape):
    """The images that were found, nearest first."""

    hits: list[HitJson]


class BrowseJson(Shape):
    """The neighbours of a photo, a line a step."""

    path: str
    hits: list[HitJson]


class EmbedderCountJson(Shape):
    """How many images have vectors of an embedder."""

    name: str
    version: str
    images: int


class DriftJson(Shape):
    """How far the clusters have drifted since the last recluster."""

    clusters: int
    born: list[int]
    unsure_share: float
    distance_growth: float
    empty: list[int]
    bloated: list[int]
    reasons: list[str]


class StatusJson(Shape):
    """What is in a library."""

    library: str
    roots: list[str]
    images: int
    files: int
    missing: int
    problems: int
    embedder: str | None
    embedders: list[EmbedderCountJson]
    k: int
    clustering_id: int | None
    clustered_at: str | None
    algorithm: str | None
    bursts: bool
    center: str | None
    clustered: int
    added_since: int
    unsure: int
    drift: DriftJson | None
    unfinished_arrangement: str | None


class ProblemJson(Shape):
    """A file that could not be used."""

    path: str
    outcome: str
    reason: str


class ProblemsJson(Shape):
    """The files that could not be used, or not all of them."""

    problems: list[ProblemJson]
    damaged: list[RefusalJson]


class UnlockJson(Shape):
    """Whom a library was taken over from."""

    taken_from: str | None


class ServeJson(Shape):
    """Where the service listens."""

    url: str
    library: str


class ModelJson(Shape):
    """An embedder."""

    name: str
    dim: int | None
    weights: str
    location: str | None
    licence: str | None
    text: bool
    default: bool


class ModelsJson(Shape):
    """The embedders."""

    models: list[ModelJson]


class ModelNameJson(Shape):
    """An embedder of a family."""

    name: str


class ModelNamesJson(Shape):
    """The embedders of a family."""

    models: list[ModelNameJson]


class WeightsFileJson(Shape):
    """Where the weights of an embedder are now."""

    name: str
    path: str


class WeightsPlaceJson(Shape):
    """Whether the weights of an embedder are on this machine, and where."""

    name: str
    weights: str
    location: str | None


class WeightsPlacesJson(Shape):
    """The folders in which weights are looked for."""

    places: list[str]


class BackupJson(Shape):
    """A backup that was made."""

    backup: str
    files: int
    bytes: int
    copied: int
    copied_bytes: int
    images: int
    decisions: int
    removed: list[str]


class BackupCheckJson(Shape):
    """Whether a backup is whole."""

    backup: str
    whole: bool
    images: int | None
    decisions: int | None
    damaged: list[str]


class BackupChecksJson(Shape):
    """Which backups are whole."""

    backups: list[BackupCheckJson]


class RestoreJson(Shape):
    """What was restored."""

    library: str
    backup: str
    images: int
    decisions: int
    files: int


class FindingJson(Shape):
    """Something that the doctor found."""

    kind: str
    where: str
    what: str
    damage: bool
    remedy: str
    advice: str


class DoctorJson(Shape):
    """What the doctor found."""

    library: str
    sound: bool
    checked_files: int
    findings: list[FindingJson]


class MendedJson(DoctorJson):
    """What the doctor mended, and found afterwards."""

    mended: list[FindingJson]
    aside: str | None
