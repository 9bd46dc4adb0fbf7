"""Recluster as a job; a dry run shows what would change."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Response
from pydantic import Field

from organizer.cluster.choose_k import KMethod
from organizer.fields.recluster import recluster_fields
from organizer.library import embedders
from organizer.library.clustering.fit import trains
from organizer.library.clustering.options import parse_options
from organizer.service.context import ServiceOf, UserOf
from organizer.service.job_runner import JobAccess, JobResult, JobRun
from organizer.service.jobs import JobItem, accepted
from organizer.service.preconditions import IF_MATCH, expected_revision
from organizer.service.schemas import Body, EmbedderName, ShortText

router = APIRouter(tags=["jobs"])

_Count = Annotated[int, Field(ge=1, le=1_000_000)]


class ReclusterRequest(Body):
    """How to cluster.

    Attributes:
        k: Number of clusters, "auto" to choose it with evidence, or the lowest and the highest.
        k_method: How k is chosen.
        algorithm: The name of the clusterer.
        params: Options of the clusterer's own, by name.
        reduce: The space to cluster in; the default one where null.
        embedder: Whose vectors; the library's own where null.
        bursts: Whether the images of a burst are one observation.
        center: What the vectors are centred by: camera, night or camera,night.
        dry_run: Only report what would change.
        drop_names: Go on where a cluster would be lost that a person named, pinned or made, as
            `dropped` of a dry run lists them; without it the job fails and nothing is changed.
        save_embedder: Of an algorithm that trains a network: keep it as an embedder of this name,
            embed all images with it, and work with it from now on. Its weights lie on the server.
    """

    k: Literal["auto"] | _Count | tuple[_Count, _Count] = "auto"
    k_method: KMethod = "auto"
    algorithm: ShortText = "kmeans"
    params: dict[ShortText, ShortText | int | float | bool] = Field(default_factory=dict)
    reduce: ShortText | None = None
    embedder: EmbedderName | None = None
    bursts: bool = False
    center: ShortText | None = None
    dry_run: bool = False
    drop_names: bool = False
    save_embedder: ShortText | None = None


@router.post("/reclusters", status_code=202)
def begin_recluster(
    body: ReclusterRequest,
    service: ServiceOf,
    user: UserOf,
    response: Response,
    if_match: Annotated[str | None, Header(description=IF_MATCH)] = None,
) -> JobItem:
    """Cluster all images again; clusters keep the ids and names of those they continue.

    It needs If-Match, but for a dry run. What is decided meanwhile holds in it. Cancelling it
    changes nothing.
    """
    library = service.library
    options = body.model_dump()
    parse_options(**options)
    if body.embedder is not None:
        embedders.stored_spec(library.store, body.embedder)
    revision = None if body.dry_run else expected_revision(if_match)
    if revision is not None:
        service.require_revision(revision)
    if trains(body.algorithm):  # for an hour; what is decided meanwhile holds in it
        revision = None

    def work(run: JobRun) -> JobResult:
        with service.deciding(revision=revision, user=user):
            report = library.recluster(**options, progress=run)
        if not body.dry_run:
            service.writer.submit(library.refresh).result()
        return JobResult(recluster_fields(report))

    access = JobAccess.READS if body.dry_run else JobAccess.COMMITS
    job = service.jobs.submit("recluster", work, user=user, access=access)
    return accepted(job, service, response)
