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
