"""What the commands about clusters print."""

from __future__ import annotations

from organizer.fields.shapes.base import (
    BoxJson,
    CandidateJson,
    LineageJson,
    Shape,
    UsualJson,
)


class ClusterJson(Shape):
    """A cluster with its size."""

    cluster_id: int
    name: str | None
    count: int


class ImageCountJson(Shape):
    """Images that came from a cluster, or went to one; -1 is none."""

    cluster_id: int
    images: int


class ClusterChangeJson(Shape):
    """What a recluster changes of a cluster."""

    cluster_id: int
    name: str | None
    is_decided: bool
    before: int
    after: int
    stayed: int
    came_from: list[ImageCountJson]
    went_to: list[ImageCountJson]
    is_at_risk: bool


class DroppedJson(Shape):
    """A cluster that a person named, pinned or made, and that is gone."""

    cluster_id: int
    name: str | None


class ReclusterJson(Shape):
    """A new clustering, and what became of the clusters before."""

    k: int
    clusters: list[ClusterJson]
    unsure: int
    lineage: LineageJson
    changes: list[ClusterChangeJson]
    dropped: list[DroppedJson]
    evidence: list[CandidateJson]
    second_k: int | None
    clear: bool | None
    rule: str | None
    algorithm: str
    reduce: str
    center: str | None
    bursts: bool
    observations: int
    learned: int
    embedder: str
    images: int
    clustering_id: int | None
    dry_run: bool


class ClusterSummaryJson(Shape):
    """A cluster in the list of all."""

    cluster_id: int
    name: str | None
    count: int
    share: float
    cohesion_space: float
    cohesion: float
    decided: int
    medoid: str | None
    examples: list[str]
    missing: bool
    usual: UsualJson | None


class ClustersJson(Shape):
    """All clusters."""

    clusters: list[ClusterSummaryJson]
    unsure: int
    groups: dict[str, int]


class NewClustersJson(Shape):
    """The clusters that the last ingest found."""

    clusters: list[ClusterSummaryJson]


class MemberJson(Shape):
    """An image of a cluster, or an unassigned one: cluster_id is -1 then."""

    path: str
    image_id: str
    cluster_id: int
    candidate: int
    distance: float
    state: str
    box: BoxJson | None
    missing: bool


class CentroidDistancesJson(UsualJson):
    """The distances of a cluster's images to its centroid."""

    cluster_id: int


class MembersJson(Shape):
    """The images of a cluster, or the unassigned ones."""

    cluster_id: int | None
    name: str | None
    distances_to_centroid: list[CentroidDistancesJson]
    images: list[MemberJson]


class GroupPhotoJson(Shape):
    """A photo beside the clusters."""

    path: str
    image_id: str
    missing: bool


class GroupJson(Shape):
    """The photos of a group beside the clusters."""

    group: str
    images: list[GroupPhotoJson]


class PhotoFileJson(Shape):
    """A file of a photo."""

    path: str
    missing: bool


class PhotoCropJson(Shape):
    """A crop of a photo and its cluster: null where it is in none."""

    image_id: str
    box: BoxJson
    category: str
    confidence: float
    cluster_id: int | None
    cluster_name: str | None
    decided: bool


class PhotoDecisionJson(Shape):
    """What a person decided about a photo."""

    at: str
    what: str
    user: str
    step_id: int


class PhotoJson(Shape):
    """A photo or a crop, with its cluster: null where it is unassigned or not clustered."""

    image_id: str
    paths: list[PhotoFileJson]
    photo_id: str | None
    box: BoxJson | None
    group: str
    cluster_id: int | None
    cluster_name: str | None
    candidate: int | None
    state: str | None
    distance: float | None
    distances_to_centroid: UsualJson | None
    taken_at: str | None
    camera: str | None
    deployment: str | None
    crops: list[PhotoCropJson]
    decisions: list[PhotoDecisionJson]


class PhotosJson(Shape):
    """What is known of photos."""

    images: list[PhotoJson]


class DecisionJson(Shape):
    """A decision and what it changed."""

    decision_id: int
    kind: str
    cluster_id: int
    name: str | None
    others: list[int]
    images: int
    lineage: LineageJson
    notes: list[str]


class EventJson(Shape):
    """Something that happened to clusters."""

    at: str
    what: str
    cluster_ids: list[int]
    clustering_id: int
    user: str
    step_id: int
    stands: bool


class HistoryJson(Shape):
    """What happened to the clusters, in order."""

    events: list[EventJson]


class NameProposalJson(Shape):
    """A name that is proposed for a cluster."""

    cluster_id: int
    name: str | None
    images: int
    suggestion: str
    confidence: float
    second: str
    second_confidence: float


class NameProposalsJson(Shape):
    """Proposed names."""

    suggestions: list[NameProposalJson]


class UndoneJson(Shape):
    """What was undone."""

    clustering_id: int
    k: int
    undone: list[str]


class RedoneJson(Shape):
    """What was redone."""

    clustering_id: int
    k: int
    redone: list[str]
