"""The JSON of the plugin's commands, as models; see `organizer.fields.shapes`."""

from __future__ import annotations

from organizer.fields.shapes.base import LeftOutJson, Shape


class DeploymentJson(Shape):
    """A deployment, with the photos that are of it."""

    deployment_id: str
    location: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None
    start: str | None
    end: str | None
    shift: int
    told: bool
    images: int
    first: str | None
    last: str | None
    without_time: int
    outside: int


class DeploymentsJson(Shape):
    """All deployments, and the photos of none."""

    template: str | None
    deployments: list[DeploymentJson]
    images: int
    without_deployment: int
    without_time: int
    several: int
    unplaced: list[str]


class ReadTableJson(Shape):
    """What was read of a table of deployments."""

    new: list[str]
    changed: list[str]
    same: int
    without_images: list[str]
    not_in_table: list[str]
    left_out: list[LeftOutJson]
    unused: list[str]


class ReadDeploymentsJson(DeploymentsJson):
    """All deployments, after a table was read."""

    read: ReadTableJson


class ShiftedJson(Shape):
    """A deployment before and after its clock was shifted."""

    before: DeploymentJson
    after: DeploymentJson


class PartsJson(Shape):
    """The parts of a deployment."""

    parts: list[DeploymentJson]


class DeploymentFileJson(Shape):
    """A table of deployments that was written."""

    to: str
    deployments: int


class ClockStepJson(Shape):
    """A photo that is earlier than the one before it."""

    path: str
    before: str
    after: str


class ClockJson(Shape):
    """What is doubtful about a clock."""

    early: int
    late: int
    future: int
    set_back: list[ClockStepJson]
    changed_hours: int | None


class ViewJson(Shape):
    """A view that changed and stayed so."""

    at: str
    path: str
    infrared: bool | None
    times_usual: float
    embedder: str


class CameraJson(Shape):
    """What there is to look at about a camera."""

    camera: str | None
    example: str
    images: int
    without_time: int
    clock: ClockJson
    black_nights: bool
    silent_days: int | None
    view: ViewJson | None


class CamerasJson(Shape):
    """All cameras."""

    cameras: list[CameraJson]


class DetectionCountsJson(Shape):
    """How many photos detectors saw, and how many crops there are."""

    library_images: int
    groups: dict[str, int]
    failed: int
    crops: int
    crops_embedded: dict[str, int]
    detectors: dict[str, int]
    threshold: float


class DetectedJson(DetectionCountsJson):
    """What came of new detections."""

    images: int
    new: int
    left: int
    embedder: str | None
    embedded: int
    unreadable: int
    not_embedded: int
    joined: int
    unsure: int
    born: list[int]
    outdated: int
    interrupted: bool
    seconds: float


class ImportedJson(DetectedJson):
    """What was imported of a detector's results."""

    base: str | None
    unmatched: list[str]
    ambiguous: list[str]
    boxes_clipped: int
    boxes_left_out: int
    images_left_out: int
    detector: str


class FromBurstsJson(DetectedJson):
    """What was found by comparing the photos of bursts."""

    bursts: int
    in_bursts: int
    nothing_moved: int
    in_no_burst: int
    unread: int
    seen_by_a_detector: int


SHAPES: dict[str, tuple[type[Shape], ...]] = {
    "deployments": (DeploymentsJson,),
    "deployments read": (ReadDeploymentsJson,),
    "deployments template": (DeploymentsJson,),
    "deployments shift": (ShiftedJson,),
    "deployments split": (PartsJson,),
    "deployments remove": (DeploymentsJson,),
    "deployments check": (CamerasJson,),
    "deployments write-csv": (DeploymentFileJson,),
    "detections": (DetectionCountsJson,),
    "detections import": (ImportedJson,),
    "detections from-bursts": (FromBurstsJson,),
}
"""What each command prints."""
