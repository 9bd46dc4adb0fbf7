"""The state of the library, and whether the service is there at all."""

from __future__ import annotations

from typing import Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel

from organizer.distribution import installed_version
from organizer.library import Library
from organizer.library.embedders.describe import describe_embedder
from organizer.service.context import RevisionOf, ServiceOf, UserOf
from organizer.service.file_manager import can_show_files
from organizer.service.thumbnails import SIZES, VERSION
from organizer.types import AssignmentState

router = APIRouter(tags=["status"])


class Health(BaseModel):
    """The service answers."""

    status: Literal["ok"] = "ok"


class CurrentClustering(BaseModel):
    """The clustering that is current.

    Attributes:
        id: Its number.
        k: Number of clusters.
        embedder: Whose vectors were clustered.
        algorithm: What really ran.
        created_at: When it was made, UTC.
        made_by: What made it: a recluster, or the kind of decision.
    """

    id: int
    k: int
    embedder: str
    algorithm: str
    created_at: str
    made_by: str


class LastIngest(BaseModel):
    """The last ingest that brought something new.

    Attributes:
        id: Its number.
        at: When it began, UTC.
        images: Number of images that it assigned, or left unassigned.
        grown: Number of its images by cluster.
        novel: The clusters that it found among the unassigned images.
    """

    id: int
    at: str
    images: int
    unassigned: int
    grown: dict[int, int]
    novel: list[int]


class NamingProgress(BaseModel):
    """How far the clusters are named."""

    named: int
    clusters: int
    unassigned: int


class EmbedderItem(BaseModel):
    """An embedder, and the number of images that have its vectors."""

    name: str
    images: int


class Status(BaseModel):
    """What is in the library, and what can be done with it.

    Attributes:
        library: Its folder.
        version: That of organizer.
        revision: The number of the last step of the history.
        clustering: The current clustering; null before the first.
        images: Number of images.
        files: Number of present files.
        missing: Number of missing files.
        problems: Number of files that could not be used.
        clustered: Number of images of the clustering.
        unassigned: Number of unassigned images.
        added_since: Number of images that came since the clustering was made.
        roots: The ingested folders.
        embedders: The embedders that have vectors.
        embedder: The one that the library works with.
        can_search_text: Whether one of them reads texts.
        can_show_files: Whether the file manager of the service's machine can show files.
        has_deployments: Whether it is known where cameras stood.
        has_times: Whether a photo has a time.
        groups: Number of photos beside the clusters, by group: people, vehicles, empty.
        progress: How far the clusters are named.
        last_ingest: What came last; null before the first.
        user: Who decides, as far as the request says.
        thumbnail_version: The version in the address of a thumbnail.
        thumbnail_sizes: Pixels of the longer side.
    """

    library: str
    version: str
    revision: int
    clustering: CurrentClustering | None
    images: int
    files: int
    missing: int
    problems: int
    clustered: int
    unassigned: int
    added_since: int
    roots: list[str]
    embedders: list[EmbedderItem]
    embedder: str | None
    can_search_text: bool
    can_show_files: bool
    has_deployments: bool
    has_times: bool
    groups: dict[str, int]
    progress: NamingProgress
    last_ingest: LastIngest | None
    user: str
    thumbnail_version: int
    thumbnail_sizes: list[int]


@router.get("/health")
def get_health() -> Health:
    """Whether the service answers; needs no token."""
    return Health()


@router.get("/status")
def get_status(service: ServiceOf, revision: RevisionOf, user: UserOf) -> Status:
    """What is in the library, and what can be done with it."""
    library = service.library
    found = library.status()
    current = found.clustering
    capture = library.images.overview().photos.capture
    return Status(
        library=str(found.library),
        version=installed_version(),
        revision=revision,
        clustering=None
        if current is None
        else CurrentClustering(
            id=current.clustering_id,
            k=found.k,
            embedder=current.embedder.name,
            algorithm=current.algorithm,
            created_at=current.created_at,
            made_by=current.action,
        ),
        images=found.images,
        files=found.files,
        missing=found.missing,
        problems=found.problems,
        clustered=found.clustered,
        unassigned=found.unassigned,
        added_since=found.added_since,
        roots=[str(root) for root in found.roots],
        embedders=[EmbedderItem(name=spec.name, images=n) for spec, n in found.embedders],
        embedder=found.embedder.name if found.embedder is not None else None,
        can_search_text=_can_search_text(library),
        can_show_files=can_show_files(service.options),
        has_deployments=any(capture.deployments),
        has_times=any(capture.taken_at),
        groups={group.value: count for group, count in library.clusters.groups().items()},
        progress=progress_of(library),
        last_ingest=_last_ingest(library),
        user=user,
        thumbnail_version=VERSION + service.library.store.photos.turns(),
        thumbnail_sizes=list(SIZES),
    )


def progress_of(library: Library) -> NamingProgress:
    """How far the clusters are named."""
    overview, names = library.images.overview(), library.clusters.names()
    current = overview.clustering
    store = library.store.clusterings
    ids = [] if current is None else store.cluster_ids(current.clustering_id)
    is_unassigned = overview.states == AssignmentState.UNSURE.value
    return NamingProgress(
        named=sum(cluster_id in names for cluster_id in ids),
        clusters=len(ids),
        unassigned=int(np.count_nonzero(is_unassigned)),
    )


def _last_ingest(library: Library) -> LastIngest | None:
    news = library.clusters.news()
    if news is None:
        return None
    return LastIngest(
        id=news.ingest_id,
        at=news.at,
        images=news.images,
        unassigned=news.unassigned,
        grown=dict(news.grown),
        novel=list(news.novel),
    )


def _can_search_text(library: Library) -> bool:
    specs = library.store.vectors.specs()
    return any(describe_embedder(spec.name, library.settings).text for spec in specs)
