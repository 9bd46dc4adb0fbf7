"""Clusters: all of them in pictures and numbers, and one with those that are near to it."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from organizer.library.clusters.profiles import ClusterProfile, ProfileOrder
from organizer.service.context import RevisionOf, ServiceOf
from organizer.service.problems import ProblemError
from organizer.service.status import NamingProgress, progress_of

router = APIRouter(tags=["clusters"])

_NEIGHBOURS = 8


class ClusterItem(BaseModel):
    """A cluster in pictures and numbers.

    Attributes:
        id: Its id; it is given once and never to another cluster.
        name: Its name; null where it has none.
        size: Number of its images.
        share: Its images as a share of all of the clustering, 0 to 1.
        cohesion_space: Mean cosine similarity of its images to the centroid, in the clustering's
            space.
        cohesion: The same number under its former name; that of a report is on the vectors.
        doubt: Share of its images that are nearly as near to another cluster, 0 to 1.
        decided: Number of its images that a person put here.
        pinned: Whether it stays through every recluster: named and pinned ones do.
        medoid: The most typical image; null where none may be shown.
        typical: Images, the most typical first.
        border: Images, those least certain to be in it first.
        added: Number of its images that the last ingest brought.
        found_in: The ingest that found it; null for one that a recluster or a person made.
        hidden: Number of its images that are not shown, as people are in the photo.
        missing: Number of its images of which no file was there when last looked for.
        night: Share of infrared images; null where unknown.
        cameras: Number of different cameras or deployments.
    """

    id: int
    name: str | None
    size: int
    share: float
    cohesion_space: float
    cohesion: float
    doubt: float
    decided: int
    pinned: bool
    medoid: str | None
    typical: list[str]
    border: list[str]
    added: int
    found_in: int | None
    hidden: int
    missing: int
    night: float | None
    cameras: int

    @classmethod
    def of(cls, profile: ClusterProfile) -> Self:
        """A cluster of the library as the API shows it."""
        values = asdict(profile)
        return cls(
            id=values.pop("cluster_id"),
            size=values.pop("count"),
            pinned=values.pop("is_pinned"),
            **{**values, "typical": list(profile.typical), "border": list(profile.border)},
        )


class ClusterList(BaseModel):
    """All clusters.

    Attributes:
        revision: The revision that it shows.
        clusters: The clusters that were asked for.
        progress: How far all of them are named.
    """

    revision: int
    clusters: list[ClusterItem]
    progress: NamingProgress


class NearCluster(BaseModel):
    """A cluster near to another one.

    Attributes:
        id: Its id.
        name: Its name.
        size: Number of its images.
        distance: Cosine distance of the nearest two centroids.
    """

    id: int
    name: str | None
    size: int
    distance: float


class ClusterDetail(ClusterItem):
    """A cluster, and those that are near to it: what it may have to be merged with."""

    revision: int
    near: list[NearCluster]


@router.get("/clusters")
def get_clusters(
    service: ServiceOf,
    revision: RevisionOf,
    sort: ProfileOrder = "size",
    name: Annotated[
        str | None, Query(min_length=1, description="A part of the name, in any case.")
    ] = None,
    samples: Annotated[int, Query(ge=1, le=48, description="Pictures of each kind.")] = 8,
) -> ClusterList:
    """All clusters, or those of a name; none before the first clustering."""
    library = service.library
    profiles = library.clusters.profiles(order=sort, samples=samples)
    if name is not None:
        sought = name.casefold()
        profiles = [p for p in profiles if p.name is not None and sought in p.name.casefold()]
    return ClusterList(
        revision=revision,
        clusters=[ClusterItem.of(profile) for profile in profiles],
        progress=progress_of(library),
    )


@router.get("/clusters/{cluster_id}")
def get_cluster(
    cluster_id: Annotated[int, Path(ge=1, le=2**53)],
    service: ServiceOf,
    revision: RevisionOf,
    samples: Annotated[int, Query(ge=1, le=48, description="Pictures of each kind.")] = 8,
) -> ClusterDetail:
    """A cluster, and those that are near to it."""
    profiles = {p.cluster_id: p for p in service.library.clusters.profiles(samples=samples)}
    if cluster_id not in profiles:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            f"there is no cluster {cluster_id}",
            f"what became of it: GET /api/v1/history?cluster={cluster_id}",
        )
    near = [
        NearCluster(
            id=i, name=profiles[i].name, size=profiles[i].count, distance=round(distance, 4)
        )
        for i, distance in service.library.clusters.near(cluster_id, limit=_NEIGHBOURS)
        if i in profiles
    ]
    shown = ClusterItem.of(profiles[cluster_id]).model_dump()
    return ClusterDetail(**shown, revision=revision, near=near)
