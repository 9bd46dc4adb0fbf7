"""What flows between the stages: frozen values, in the order in which they appear.

Only numpy and the standard library are imported here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
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
    """How an image came to its cluster: by its nearness, by a person's word, or not at all."""

    AUTO = "auto"
    UNSURE = "unsure"
    DECIDED = "decided"


class DecisionKind(StrEnum):
    """What a person can say about clusters and images."""

    NAME = "name"
    PIN = "pin"
    MERGE = "merge"
    SPLIT = "split"
    MOVE = "move"
    NOT = "not"
    RETIRE = "retire"
    TAKE_BACK = "take back"


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
        blocks: EXIF tags that are bytes of a maker's own: "MakerNote", "UserComment".
    """

    ref: ImageRef
    image_id: str
    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    metadata: Mapping[str, str | int | float]
    blocks: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the library keeps of an image besides its vectors: one narrow row.

    Attributes:
        image_id: The image.
        bytes: Size of its file.
        width: Upright width, pixels.
        height: Upright height, pixels.
        format: Pillow's name of the file format.
        taken_at: Camera-local time, ISO 8601 without an offset; None where the file tells none.
        camera: Make, model and serial number.
        latitude: Degrees, north is positive.
        longitude: Degrees, east is positive.
        brightness: Mean luma, 0 to 1; see `organizer.light`. None where it was not measured.
        chroma: How much colour there is, 0 to about 1; None likewise.
        extra: What else readers of metadata found, by name: temperature, phase of the moon.
    """

    image_id: str
    bytes: int
    width: int
    height: int
    format: str
    taken_at: str | None
    camera: str | None
    latitude: float | None
    longitude: float | None
    brightness: float | None = None
    chroma: float | None = None
    extra: Mapping[str, str | int | float] = field(default_factory=dict)


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
class ClusterModels:
    """The clusters of a clustering as a model, a row a mode, sorted by cluster and mode.

    A cluster has one mode, or several where a person merged what lies apart: an animal by day and
    in infrared.

    Attributes:
        cluster_ids: ``(m,)`` int64, the cluster of each mode.
        mode_ids: ``(m,)`` int64, unique in the clustering.
        means: ``(m, dim)`` float64, the exact mean of the members' points (of unit length each) in
            the clustering's space.
        counts: ``(m,)`` int64 members.
        distance_means: ``(m,)`` float64, mean cosine distance of the members to their centroid.
        distance_m2s: ``(m,)`` float64, sum of the squared deviations from that mean.
        fit_means: ``(m,)`` float64, how far a member lies from the exemplars of its mode, in the
            embedder's own space: the mean; see `organizer.cluster.fit`.
        fit_deviations: ``(m,)`` float64, its standard deviation.
        medoids: The most typical image of each mode.
        origins: How each mode came to be, for a person: "recluster", "ingest 5", "split of 3".
    """

    cluster_ids: Labels
    mode_ids: Labels
    means: NDArray[np.float64]
    counts: Labels
    distance_means: NDArray[np.float64]
    distance_m2s: NDArray[np.float64]
    fit_means: NDArray[np.float64]
    fit_deviations: NDArray[np.float64]
    medoids: tuple[str, ...]
    origins: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.cluster_ids)

    @property
    def ids(self) -> list[int]:
        """The ids of the clusters, ascending, each once."""
        return [int(i) for i in np.unique(self.cluster_ids)]

    @property
    def centroids(self) -> Vectors:
        """``(m, dim)`` float32: the means, scaled to unit length."""
        norms = np.linalg.norm(self.means, axis=1, keepdims=True)
        return np.asarray(self.means / np.where(norms > 0, norms, 1), dtype=np.float32)

    @property
    def deviations(self) -> NDArray[np.float64]:
        """``(m,)`` standard deviation of the members' distances to their centroid."""
        return np.asarray(np.sqrt(self.distance_m2s / np.maximum(self.counts, 1)))

    def row_of(self, mode_id: int) -> int:
        """The row of a mode."""
        return int(np.flatnonzero(self.mode_ids == mode_id)[0])

    def take(self, rows: NDArray[Any]) -> Self:
        """Some rows, by number or by mask."""
        numbers = np.arange(len(self))[rows]
        arrays = {
            item.name: getattr(self, item.name)[numbers]
            for item in fields(self)
            if item.name not in {"medoids", "origins"}
        }
        return type(self)(
            **arrays,
            medoids=tuple(self.medoids[row] for row in numbers),
            origins=tuple(self.origins[row] for row in numbers),
        )

    @classmethod
    def joined(cls, parts: Sequence[ClusterModels]) -> ClusterModels:
        """Several models as one, sorted."""
        arrays = {
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(cls)
            if item.name not in {"medoids", "origins"}
        }
        whole = cls(
            **arrays,
            medoids=tuple(medoid for part in parts for medoid in part.medoids),
            origins=tuple(origin for part in parts for origin in part.origins),
        )
        return whole.take(np.lexsort((whole.mode_ids, whole.cluster_ids)))


@dataclass(frozen=True, slots=True)
class Exemplars:
    """Some members of each mode, which say where a cluster has images and where it has none.

    Attributes:
        mode_ids: ``(e,)`` int64, the mode of each.
        vectors: ``(e, dim)`` float16 of unit length, in the embedder's own space.
    """

    mode_ids: Labels
    vectors: NDArray[np.float16]

    @classmethod
    def joined(cls, parts: Sequence[Exemplars]) -> Exemplars:
        """Several, one below the other."""
        some = [part for part in parts if len(part.mode_ids)] or list(parts[:1])
        return cls(
            np.concatenate([part.mode_ids for part in some]),
            np.concatenate([part.vectors for part in some]),
        )

    def of(self, mode_id: int) -> Vectors:
        """``(r, dim)`` float32: those of one mode."""
        return np.asarray(self.vectors[self.mode_ids == mode_id], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Assignments:
    """Which image is in which cluster, row by row.

    Attributes:
        image_ids: ``(n,)`` ids as Python strings in an object array.
        cluster_ids: ``(n,)`` int64; NOISE for an image that is unsure.
        candidates: ``(n,)`` int64, the nearest cluster, which an unsure image is not put to.
        distances: ``(n,)`` float32 cosine distance to that cluster's nearest centroid.
        margins: ``(n,)`` float32, how much farther the second nearest cluster is.
        states: ``(n,)`` values of `AssignmentState`.
        since: ``(n,)`` int64, the ingest that the image joined in; 0 if the clustering was made
            of it.
    """

    image_ids: NDArray[np.object_]
    cluster_ids: Labels
    candidates: Labels
    distances: NDArray[np.float32]
    margins: NDArray[np.float32]
    states: NDArray[np.object_]
    since: Labels

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        for item in fields(self):
            if getattr(self, item.name).shape != (n,):
                raise ValueError(f"{n} ids, {item.name} of {getattr(self, item.name).shape}")

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def unsure(self) -> NDArray[np.bool_]:
        """``(n,)`` whether an image is in no cluster for want of one that fits."""
        return np.asarray(self.states == AssignmentState.UNSURE.value)

    def take(self, rows: NDArray[Any]) -> Self:
        """Some rows, by number or by mask."""
        return type(self)(*(getattr(self, item.name)[rows] for item in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Assignments]) -> Assignments:
        """Several, one below the other."""
        names = [item.name for item in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Clustering:
    """A clustering of images and what made it.

    Attributes:
        members: Which image is where.
        models: The clusters.
        exemplars: Members that stand for them.
        embedder: What made the vectors.
        reducer: What made the space in which the clusters lie.
        space: The fitted state of the reducer, by name.
        clusterer: What made the labels.
        evidence: One candidate for each k that was tried; empty where the user gave k.
        algorithm: What really ran, for a person: the method, its implementation, the device.
    """

    members: Assignments
    models: ClusterModels
    exemplars: Exemplars
    embedder: PartSpec
    reducer: PartSpec
    space: Mapping[str, NDArray[Any]]
    clusterer: PartSpec
    evidence: tuple[Candidate, ...] = ()
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's word. It is kept for ever; a later one may take it back.

    Attributes:
        decision_id: Counts up.
        at: When, UTC, ISO 8601.
        kind: What was said.
        cluster_id: The cluster that it is about; 0 where it is about none.
        name: The name that was given.
        image_ids: The images that it is about, or that stand for the cluster, so that it can be
            obeyed where cluster ids mean nothing.
        groups: For each of `image_ids`: the mode that it stands for, or for SPLIT the cluster.
        others: MERGE: the clusters that were merged into it; SPLIT: all parts.
        about: TAKE_BACK: the decision that holds no more.
    """

    decision_id: int
    at: str
    kind: DecisionKind
    cluster_id: int = 0
    name: str = ""
    image_ids: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    about: int = 0


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
