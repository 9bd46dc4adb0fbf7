"""What flows between the stages: frozen values, in the order in which they appear.

Only numpy and the standard library are imported here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Labels = NDArray[np.int64]

NOISE = -1
"""The label of an image that belongs to no cluster."""


class Outcome(StrEnum):
    """What became of one file in an ingest."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    BROKEN = "broken"
    TOO_LARGE = "too_large"


class FileState(StrEnum):
    """Whether a path that the library knows was there when last looked for."""

    PRESENT = "present"
    MISSING = "missing"


class AssignmentState(StrEnum):
    """How an image came to its cluster."""

    AUTO = "auto"
    UNSURE = "unsure"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class PartSpec:
    """What makes a part again: name, parameters, and the version of what else decides its output.

    A spec is stored with whatever the part made and is what travels to workers.

    Attributes:
        name: The name in the registry.
        params: Keyword arguments of the factory; only values that JSON can hold.
        version: What else decides the output, for example the hash of the weights.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that two specs share only if they are equal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    def with_version(self, version: str) -> Self:
        """The same part, pinned to a version."""
        return replace(self, version=version)

    def to_json(self) -> str:
        """Canonical JSON: equal specs give equal text."""
        body = {"name": self.name, "params": dict(self.params), "version": self.version}
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


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
        image_id: Hash of the file's content.
        pixels: ``(h, w, 3)`` uint8; may be smaller than the picture in the file.
        width: Upright width of the picture in the file, pixels.
        height: Upright height of the picture in the file, pixels.
        format: Pillow's name of the file format.
        metadata: EXIF tags by their standard names.
    """

    ref: ImageRef
    image_id: str
    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    metadata: Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the library keeps of an image besides its vectors: one narrow row."""

    image_id: str
    bytes: int
    width: int
    height: int
    format: str
    taken_at: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class EmbeddingBatch:
    """The embeddings of some images.

    Attributes:
        image_ids: One id a row.
        vectors: ``(n, dim)`` float32; row i belongs to ``image_ids[i]``.
    """

    image_ids: tuple[str, ...]
    vectors: Vectors

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise ValueError(
                f"vectors must be (n, dim) float32, not {self.vectors.shape} {self.vectors.dtype}"
            )
        if len(self.image_ids) != len(self.vectors):
            raise ValueError(f"{len(self.image_ids)} ids for {len(self.vectors)} vectors")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be used, and why.

    Attributes:
        ref: The file; for a folder that cannot be listed, the folder.
        outcome: BROKEN or TOO_LARGE.
        reason: One line for a person.
        lasting: False where the next ingest should try again though the file did not change.
    """

    ref: ImageRef
    outcome: Outcome
    reason: str
    lasting: bool


@dataclass(frozen=True, slots=True)
class ProcessedFile:
    """What reading one file gave: exactly one of `image_id` and `problem`.

    `facts` are there when the content was decoded in this run and not already known.
    """

    ref: ImageRef
    image_id: str | None = None
    facts: ImageFacts | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class ProcessedBatch:
    """Files in the order of discovery, and the embeddings of the new images among them."""

    files: tuple[ProcessedFile, ...]
    embeddings: EmbeddingBatch


@dataclass(frozen=True, slots=True)
class Candidate:
    """The evidence for one number of clusters. None stands where something was not computed.

    Attributes:
        k: Number of clusters.
        silhouette: -1 to 1, larger is better: a mean over clusters, cosine distance.
        inertia: Sum of squared Euclidean distances to the centroids.
        chosen: Whether this is the choice.
        elbow: Whether the inertia has its elbow here.
        second: Whether this is the second best.
        davies_bouldin: Smaller is better.
        calinski_harabasz: Larger is better.
        gap: The gap statistic, larger is better.
        gap_error: Its error, s_k.
        stability: Agreement of two halves' models on all images, up to 1.
    """

    k: int
    silhouette: float
    inertia: float
    chosen: bool = False
    elbow: bool = False
    second: bool = False
    davies_bouldin: float | None = None
    calinski_harabasz: float | None = None
    gap: float | None = None
    gap_error: float | None = None
    stability: float | None = None


@dataclass(frozen=True, slots=True)
class Clustering:
    """A clustering of images.

    Attributes:
        image_ids: One id a row.
        labels: ``(n,)`` int64 cluster ids; -1 is noise.
        distances: ``(n,)`` float32 cosine distance of each image to its centroid.
        cluster_ids: ``(k,)`` int64, the id of each centroid.
        centroids: ``(k, dim)`` float32 of unit length.
        embedder: What made the vectors.
        clusterer: What made the labels.
        evidence: One candidate for each k that was tried; empty where the user gave k.
        algorithm: What really ran, for a person: the method, its implementation, the device.
    """

    image_ids: tuple[str, ...]
    labels: Labels
    distances: NDArray[np.float32]
    cluster_ids: Labels
    centroids: Vectors
    embedder: PartSpec
    clusterer: PartSpec
    evidence: tuple[Candidate, ...] = ()
    algorithm: str = ""

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        if self.labels.shape != (n,) or self.distances.shape != (n,):
            raise ValueError(
                f"{n} ids, {self.labels.shape} labels, {self.distances.shape} distances"
            )
        if len(self.cluster_ids) != len(self.centroids):
            raise ValueError(f"{len(self.cluster_ids)} ids for {len(self.centroids)} centroids")


@dataclass(frozen=True, slots=True)
class Split:
    """An old cluster of which several new ones hold a good part."""

    cluster_id: int
    into: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """A new cluster that holds most of several old ones."""

    cluster_id: int
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineageReport:
    """What a clustering made of the one before it.

    Every old id is in `kept` or in `retired`, every new id in `kept` or in `born`; `split` and
    `merged` say how that came about.
    """

    kept: tuple[int, ...] = ()
    split: tuple[Split, ...] = ()
    merged: tuple[Merge, ...] = ()
    born: tuple[int, ...] = ()
    retired: tuple[int, ...] = ()
    images_moved: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """An image near to a query.

    Attributes:
        image_id: The image.
        path: Where a file of it lies.
        distance: Cosine distance to the query: 0 is the same direction, 2 the opposite.
        cluster_id: Its cluster in the current clustering, if it has one.
        cluster_name: That cluster's name, if a person gave it one.
        state: Whether the file was there when last looked for.
    """

    image_id: str
    path: Path
    distance: float
    cluster_id: int | None = None
    cluster_name: str | None = None
    state: FileState = FileState.PRESENT
