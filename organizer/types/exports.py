"""Images as an export gives them to another tool: some thousands at a time, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from organizer.types.deployments import Deployment
from organizer.types.embeddings import PartSpec, Vectors

UNSURE = "unsure"
"""In place of a cluster where an image is in none, in formats that need a text."""


class VectorUse(StrEnum):
    """Whether a format holds vectors: never, on request, or by default."""

    NEVER = "never"
    ASKED = "asked"
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class ExportDetection:
    """A box of a detector, or one that a person drew, with the cluster of what is in it.

    Attributes:
        category: "animal", "person", "vehicle", or the detector's own category.
        confidence: The detector's, 0 to 1.
        x: The left edge as a share of the image's width, 0 to 1.
        y: The upper edge as a share of its height, 0 to 1.
        width: As a share of the image's.
        height: As a share of the image's.
        cluster_id: The cluster of the crop; None for one that is in none.
        cluster_name: The name that a person gave it.
        decided: Whether a person put the crop there.
        distance: Cosine distance of the crop to the centroid; None where it is not known.
        decided_by: Who put the crop there; None where nobody did, or it is not known who.
    """

    category: str
    confidence: float
    x: float
    y: float
    width: float
    height: float
    cluster_id: int | None = None
    cluster_name: str | None = None
    decided: bool = False
    distance: float | None = None
    decided_by: str | None = None

    def counts(self, threshold: float) -> bool:
        """Whether it counts: by its confidence, or because a person decided about it."""
        return self.decided or self.confidence >= threshold


@dataclass(frozen=True, slots=True)
class PartOption:
    """A choice that one part offers, over those that all of its kind have.

    Attributes:
        help: What it is, in one line.
        example: A value as a person could type it. With all examples of an exporter given, images
            with all that it needs can be exported. Empty where none can be had without a file.
        needed: Whether the part cannot be made without it.
    """

    help: str
    example: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class ExportBatch:
    """Some images, column by column: every column has an entry an image, in the same order.

    Every text is valid Unicode (a file whose name is none is never taken into a library), every
    number is finite; None stands where nothing is known.

    Attributes:
        image_ids: 32 hexadecimal digits: the hash of the picture.
        paths: Where the image lies, absolute, as this system writes it.
        folders: The folder that was ingested, absolute.
        files: The path relative to that folder, with forward slashes.
        copies: The other paths of the same content, absolute.
        missing: Whether no file of the image was there when last looked for.
        cluster_ids: The cluster; None for an image that is unassigned, or not clustered.
        cluster_names: The name that a person gave it.
        states: "auto", "unsure" or "decided"; None for an image that is not clustered.
        candidate_ids: The nearest cluster, where the image is unassigned.
        candidate_names: Its name.
        distances: Cosine distance to the centroid of the cluster or candidate.
        margins: How much farther the second nearest cluster is.
        decided_by: Who put a "decided" image there; None where that is not known, and for others.
        sizes: Bytes.
        widths: Upright, pixels.
        heights: Upright, pixels.
        formats: Pillow's name of the file format.
        taken_at: Camera-local time, ISO 8601 without an offset, with the deployment's clock
            corrected.
        clock_times: The time of the camera's clock, where that was corrected; None elsewhere.
        deployments: The id of the deployment; all of them are in `ExportInfo.deployments`.
        bursts: The number of the burst, over the whole library; None for an image without a time.
        events: The number of the event, likewise.
        infrared: Whether it was taken in infrared; None where that was not measured.
        cameras: Make, model and serial number.
        latitudes: Degrees, north is positive.
        longitudes: Degrees, east is positive.
        brightness: Mean luma, 0 to 1.
        chroma: How much colour there is, 0 to about 1.
        extras: What else is in the file's metadata, by name: temperature, phase of the moon.
        detections: What a detector found, the surest first: empty where it found nothing, None
            where none looked, or it could not.
        detectors: The name of the detector.
        failures: Why the detector could not look; None where it could, or none was asked.
        vectors: ``(n, dim)`` float32, or None where they are not exported.
        pictures: A small JPEG of each image, upright, None for one whose files are gone or hold
            something else now; None where the exporter wants none.
        detected_at: Of a video the second of the frame that the detections are of; None for other
            images, and where nothing is known of any.
    """

    image_ids: tuple[str, ...]
    paths: tuple[str, ...]
    folders: tuple[str, ...]
    files: tuple[str, ...]
    copies: tuple[tuple[str, ...], ...]
    missing: tuple[bool, ...]
    cluster_ids: tuple[int | None, ...]
    cluster_names: tuple[str | None, ...]
    states: tuple[str | None, ...]
    candidate_ids: tuple[int | None, ...]
    candidate_names: tuple[str | None, ...]
    distances: tuple[float | None, ...]
    margins: tuple[float | None, ...]
    decided_by: tuple[str | None, ...]
    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    heights: tuple[int, ...]
    formats: tuple[str, ...]
    taken_at: tuple[str | None, ...]
    clock_times: tuple[str | None, ...]
    deployments: tuple[str | None, ...]
    bursts: tuple[int | None, ...]
    events: tuple[int | None, ...]
    infrared: tuple[bool | None, ...]
    cameras: tuple[str | None, ...]
    latitudes: tuple[float | None, ...]
    longitudes: tuple[float | None, ...]
    brightness: tuple[float | None, ...]
    chroma: tuple[float | None, ...]
    extras: tuple[Mapping[str, str | int | float], ...]
    detections: tuple[tuple[ExportDetection, ...] | None, ...]
    detectors: tuple[str | None, ...]
    failures: tuple[str | None, ...]
    vectors: Vectors | None = None
    pictures: tuple[bytes | None, ...] | None = None
    detected_at: tuple[float | None, ...] | None = None

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        for item in fields(self):
            column = getattr(self, item.name)
            if column is not None and len(column) != n:
                raise ValueError(f"{n} images, {len(column)} {item.name}")

    def __len__(self) -> int:
        return len(self.image_ids)


@dataclass(frozen=True, slots=True)
class ExportInfo:
    """What all batches of an export have in common.

    Attributes:
        program: Name and version of what makes the export.
        created_at: When, ISO 8601 with its offset.
        clusters: Every cluster that may come, by id, with its name where it has one.
        clustering_id: Which clustering they are of; None where there is none yet.
        algorithm: How it was made, for a person.
        common: The deepest folder that holds all ingested ones.
        deployments: The deployments of the images in the export, by id.
        events: When each event of the images in the export began and ended, by its number:
            camera-local, ISO 8601 without an offset.
        clustered_at: When the clustering was made, ISO 8601 with its offset; None where there is
            none.
        extras: The names in `ExportBatch.extras` over all images of the library, in alphabetical
            order, each with whether all that it names are numbers.
        detectors: What looked at images of the library, by name.
        threshold: The confidence from which a detection counts.
        relative_to: The folder that the user wants paths to be relative to.
        embedder: What made the vectors; None where there are none in the batches.
        dim: Length of a vector; 0 where there are none.
    """

    program: str
    created_at: str
    clusters: Mapping[int, str | None]
    clustering_id: int | None
    algorithm: str
    common: Path
    deployments: Mapping[str, Deployment] = field(default_factory=dict)
    events: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    clustered_at: str | None = None
    extras: Mapping[str, bool] = field(default_factory=dict)
    detectors: tuple[str, ...] = ()
    threshold: float = 0.0
    relative_to: Path | None = None
    embedder: PartSpec | None = None
    dim: int = 0

    def __post_init__(self) -> None:
        if (self.embedder is None) != (self.dim == 0):
            raise ValueError(f"vectors of {self.embedder} with {self.dim} numbers")


def label(cluster_id: int | None, name: str | None) -> str:
    """The label of a cluster, never empty: its name, or "cluster 7", or "unsure"."""
    if cluster_id is None:
        return UNSURE
    return name or f"cluster {cluster_id}"
