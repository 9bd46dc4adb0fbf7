"""How good the clusters are: the numbers, the evidence for k, and the report as a page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from organizer.fields.report import report_fields
from organizer.library.current import require_clustering
from organizer.library.reports.maps import MapMethod
from organizer.service.context import RevisionOf, ServiceOf, UserOf
from organizer.service.job_runner import JobAccess, JobResult, JobRun
from organizer.service.jobs import JobItem, accepted
from organizer.service.schemas import Body

router = APIRouter(tags=["reports"])

Labels = Literal["folders", "camera", "format", "light"]
"""Known truth that is in the library itself; a table of a person's is for the command line."""

_PAGE = "organizer-report.html"


class ReportNumbers(BaseModel):
    """The scores of the current clustering, as ``organizer report --json`` prints them."""

    revision: int
    report: dict[str, Any]


class Evidence(BaseModel):
    """The numbers of clusters that were tried, with their scores.

    Attributes:
        revision: The revision that it was read at.
        k: Number of clusters of the clustering as it was made.
        chosen: The number that the evidence is for; null where k was given.
        algorithm: What really ran.
        candidates: The numbers that were tried, with their scores.
    """

    revision: int
    k: int
    chosen: int | None
    algorithm: str
    candidates: list[dict[str, Any]]


class ReportRequest(Body):
    """What is in the page.

    Attributes:
        labels: Known truth to score against.
        map: How the map is drawn.
    """

    labels: Labels | None = None
    map: MapMethod = "tsne"


@router.get("/report")
def get_report(
    service: ServiceOf,
    revision: RevisionOf,
    labels: Annotated[Labels | None, Query(description="Known truth to score against.")] = None,
) -> ReportNumbers:
    """How good the current clusters are, by their vectors, by labels, by what they go with."""
    library = service.library
    fields = service.reports.get(
        (library.store.revision(), labels),
        lambda: report_fields(library.reports.make(labels=labels)),
    )
    return ReportNumbers(revision=revision, report=fields)


@router.get("/evidence")
def get_evidence(service: ServiceOf, revision: RevisionOf) -> Evidence:
    """Which numbers of clusters were tried, and which was chosen."""
    current = require_clustering(service.library.store)
    chosen = [candidate.k for candidate in current.evidence if candidate.chosen]
    return Evidence(
        revision=revision,
        k=len(service.library.store.clusterings.cluster_ids(current.clustering_id)),
        chosen=chosen[0] if chosen else None,
        algorithm=current.algorithm,
        candidates=[asdict(candidate) for candidate in current.evidence],
    )


@router.post("/reports", status_code=202)
def begin_report(
    body: ReportRequest, service: ServiceOf, user: UserOf, response: Response
) -> JobItem:
    """Make the report as one page that needs nothing else."""

    def work(run: JobRun) -> JobResult:
        page = run.folder / _PAGE
        made, _ = service.library.reports.write(
            html=page, labels=body.labels, map_method=body.map, progress=run
        )
        return JobResult(
            report_fields(made) | {"files": [_PAGE]}, page, media_type="text/html", inline=True
        )

    job = service.jobs.submit("report", work, user=user, access=JobAccess.READS)
    return accepted(job, service, response)
