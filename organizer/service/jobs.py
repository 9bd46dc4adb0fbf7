"""Jobs over HTTP: those that run, those that have ended, their files, and cancelling one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Self

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from organizer.errors import OrganizerError, StaleRevisionError
from organizer.library import Library
from organizer.service.context import Service, ServiceOf
from organizer.service.job_runner import Job, JobState
from organizer.service.problems import ProblemDetails, ProblemError, as_bug, as_problem, as_stale
from organizer.service.security import API

router = APIRouter(tags=["jobs"])

_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; img-src data: blob:; font-src data:; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
"""A page that a job made runs its own scripts, and reaches nothing of this service."""


class JobProgress(BaseModel):
    """How far a job is.

    Attributes:
        what: What it is doing.
        done: Steps of that which are done.
        total: All steps of it; null where unknown.
    """

    what: str
    done: int
    total: int | None


class JobItem(BaseModel):
    """A job.

    Attributes:
        id: Its id.
        kind: What it does.
        state: What has become of it.
        created_at: When it was asked for, UTC, ISO 8601.
        started_at: When it began to run; null before.
        ended_at: When it ended; null before.
        user: Who asked for it.
        progress: How far it is.
        notes: What the person should know, a line each.
        result: What it gave: the fields that the command prints with ``--json``.
        problem: What went wrong.
        download: The address of the file that it made.
    """

    id: str
    kind: str
    state: JobState
    created_at: str
    started_at: str | None
    ended_at: str | None
    user: str
    progress: JobProgress
    notes: list[str]
    result: dict[str, Any] | None
    problem: ProblemDetails | None
    download: str | None = Field(description="Below the address of the API.")

    @classmethod
    def of(cls, job: Job, library: Library) -> Self:
        """A job as the API shows it."""
        file = job.result.file if job.result is not None else None
        return cls(
            id=job.id,
            kind=job.kind,
            state=job.state,
            created_at=job.created_at,
            started_at=job.started_at,
            ended_at=job.ended_at,
            user=job.user,
            progress=JobProgress(what=job.task, done=job.done, total=job.total),
            notes=list(job.notes),
            result=job.result.fields if job.result is not None else None,
            problem=_problem(job.error, library),
            download=f"{API}/jobs/{job.id}/download" if file and file.exists() else None,
        )


class Jobs(BaseModel):
    """The jobs that are remembered, the newest first."""

    jobs: list[JobItem]


def accepted(job: Job, service: Service, response: Response) -> JobItem:
    """The answer to a request that began a job: 202, and where to look for it."""
    response.status_code = HTTPStatus.ACCEPTED
    response.headers["Location"] = f"{API}/jobs/{job.id}"
    return JobItem.of(job, service.library)


@router.get("/jobs")
def get_jobs(service: ServiceOf) -> Jobs:
    """The jobs that run, wait, or ended not long ago; the newest first."""
    return Jobs(jobs=[JobItem.of(job, service.library) for job in service.jobs.all()])


@router.get("/jobs/{job_id}")
def get_job(job_id: str, service: ServiceOf) -> JobItem:
    """A job as it is now."""
    return JobItem.of(_require_job(service, job_id), service.library)


@router.delete("/jobs/{job_id}", responses={202: {"model": JobItem, "description": "It is ending"}})
def cancel_job(job_id: str, service: ServiceOf, response: Response) -> JobItem:
    """Cancel a job. What an ingest committed, and files that were arranged, stay; else nothing."""
    job = _require_job(service, job_id)
    service.jobs.cancel(job_id)
    if not job.state.has_ended:
        response.status_code = HTTPStatus.ACCEPTED
    return JobItem.of(job, service.library)


@router.get("/jobs/{job_id}/download", response_class=FileResponse)
def download_result(job_id: str, service: ServiceOf) -> FileResponse:
    """The file that a job made."""
    job = _require_job(service, job_id)
    result = job.result
    if result is None or result.file is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "not-found", f"the job {job.kind} made no file", "look at result"
        )
    if not result.file.exists():
        raise ProblemError(
            HTTPStatus.GONE,
            "gone",
            "the file is kept no more",
            "ask for it again: the files of the last few jobs are kept",
        )
    return FileResponse(
        result.file,
        media_type=result.media_type,
        filename=result.file.name,
        content_disposition_type="inline" if result.inline else "attachment",
        headers={"Content-Security-Policy": _SANDBOX},
    )


def _require_job(service: Service, job_id: str) -> Job:
    job = service.jobs.get(job_id)
    if job is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "not-found",
            f"there is no job {job_id[:64]}",
            "it may have ended long ago: GET /api/v1/jobs lists those that are remembered",
        )
    return job


def _problem(error: BaseException | None, library: Library) -> ProblemDetails | None:
    if error is None:
        return None
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, StaleRevisionError):
        return as_stale(error, library).problem
    if isinstance(error, OrganizerError):
        return as_problem(error).problem
    return as_bug().problem
