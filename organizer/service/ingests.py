"""Ingest as a job: whoever looks or decides meanwhile goes first."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from pydantic import Field

from organizer.capture_times import NamePattern
from organizer.library import embedders
from organizer.library.ingest.run import starting_points
from organizer.service.context import ServiceOf, UserOf
from organizer.service.ingest_process import run_ingest_process
from organizer.service.job_runner import JobAccess, JobResult, JobRun
from organizer.service.jobs import JobItem, accepted
from organizer.service.schemas import Body, EmbedderName
from organizer.service.server_paths import ServerPath

router = APIRouter(tags=["jobs"])

_MOST_PATHS = 1_000
_LONGEST_PATTERN = 500


class IngestRequest(Body):
    """What to ingest.

    Attributes:
        paths: Folders and files of the service's machine; all that were ingested before where
            empty.
        embedder: The name of an embedder; the library's own where null.
        confirm_missing: Whether files that are gone are noted as missing even where they are more
            than half of those of a folder; its disk may not be connected.
        verify: Whether to read every file, also those whose size and time are as they were.
        reread_metadata: Whether to read the metadata of all files anew.
        time_from_name: How names of files tell when photos were taken, where nothing else does:
            ``IMG_%Y%m%d_%H%M%S*``.
    """

    paths: list[ServerPath] = Field([], max_length=_MOST_PATHS)
    embedder: EmbedderName | None = None
    confirm_missing: bool = False
    verify: bool = False
    reread_metadata: bool = False
    time_from_name: str | None = Field(None, min_length=1, max_length=_LONGEST_PATTERN)


@router.post("/ingests", status_code=202)
def begin_ingest(
    body: IngestRequest, service: ServiceOf, user: UserOf, response: Response
) -> JobItem:
    """Read photos into the library; new ones are assigned to the clusters.

    Cancelling it keeps what it has committed.
    """
    library = service.library
    roots = [root for root in library.roots() if root.exists()]
    paths = starting_points([Path(path) for path in body.paths] or roots)
    if body.embedder is not None:
        embedders.require_photo_embedder(body.embedder)
        embedders.stored_spec(library.store, body.embedder)
    if body.time_from_name is not None:
        NamePattern.parse(body.time_from_name)

    def work(run: JobRun) -> JobResult:
        try:
            return JobResult(
                run_ingest_process(
                    library,
                    paths,
                    embedder=body.embedder,
                    confirm_missing=body.confirm_missing,
                    verify=body.verify,
                    reread_metadata=body.reread_metadata,
                    time_from_name=body.time_from_name,
                    progress=run,
                    stop=run.should_stop,
                )
            )
        finally:
            service.writer.submit(library.refresh).result()

    job = service.jobs.submit(
        "ingest", work, user=user, access=JobAccess.COMMITS, ends_by_itself=True
    )
    return accepted(job, service, response)
