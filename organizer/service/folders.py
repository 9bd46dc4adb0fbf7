"""Clusters written out as folders, as jobs: planned, applied, continued and undone."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from organizer.arrange import ArrangeMode, ArrangeRecord, StepResult, read_plan
from organizer.errors import SettingsError
from organizer.fields.arrange import arrange_fields, arrange_undo_fields
from organizer.library.arrangements.active import active_records
from organizer.library.folders.options import ArrangeOptions
from organizer.service.context import Service, ServiceOf, UserOf
from organizer.service.job_runner import JobAccess, JobResult, JobRun, JobState
from organizer.service.jobs import JobItem, accepted
from organizer.service.problems import ProblemError
from organizer.service.schemas import Body
from organizer.service.server_paths import ServerPath

router = APIRouter(tags=["jobs"])

_PLAN = "plan.csv"
_ROWS = 20
"""Rows of a plan that are in the result of its job; all of them are in its file."""


class ArrangeRequest(Body):
    """How to arrange the files.

    Attributes:
        target: The folder to sort into.
        action: What is done with each file.
        by: A ready template.
        template: A template of one's own in its place.
        keep_tree: Whether the folders of the files are repeated below the new ones.
        among_photos: Whether links and copies may be put among ingested photos.
        dry_run: Only plan it. Files are moved by a plan only: ask for the same with `dry_run`
            first.
    """

    target: ServerPath
    action: ArrangeMode = ArrangeMode.LINK
    by: Literal["cluster", "name", "event", "camera"] = "cluster"
    template: Annotated[str | None, Field(max_length=1_000)] = None
    keep_tree: bool = False
    among_photos: bool = False
    dry_run: bool = False

    def options(self) -> ArrangeOptions:
        """The same for the library."""
        return ArrangeOptions(
            self.target,
            self.action,
            self.by,
            self.template,
            keep_tree=self.keep_tree,
            among_photos=self.among_photos,
        )


class UndoArrangementRequest(Body):
    """Which arrangement to undo.

    Attributes:
        target: The folder of the last one, to be sure; any where null.
    """

    target: ServerPath | None = None


class Arrangement(BaseModel):
    """An arrangement that is in place.

    Attributes:
        target: The folder.
        action: What was done with the files.
        created_at: When it began.
        done: Number of files that were arranged, with those beside the photos.
        finished: Whether it came to its end; otherwise it is continued or undone first.
        undoing: Whether an undo of it was begun.
    """

    target: str
    action: ArrangeMode
    created_at: str
    done: int
    finished: bool
    undoing: bool


class Arrangements(BaseModel):
    """The arrangements that are in place, the last one first: it is the one that is undone."""

    arrangements: list[Arrangement]


@router.get("/arrangements")
def get_arrangements(service: ServiceOf) -> Arrangements:
    """The arrangements that are in place."""
    found = reversed(active_records(service.library.store))
    return Arrangements(arrangements=[_arrangement(record) for record in found])


@router.post("/arrangements", status_code=202)
def begin_arrangement(
    body: ArrangeRequest, service: ServiceOf, user: UserOf, response: Response
) -> JobItem:
    """Sort the files into folders. Nothing is ever overwritten; the undo takes it back."""
    body.options().checked().parsed()
    folders = service.library.folders

    def plan(run: JobRun) -> JobResult:
        file = run.folder / _PLAN
        report = folders.arrange(body.options(), plan=file, progress=run)
        fields = arrange_fields(report) | {"plan": _PLAN, "rows": _first_rows(file)}
        return JobResult(fields, file, media_type="text/csv")

    def arrange(run: JobRun) -> JobResult:
        report = folders.arrange(body.options(), progress=run, stop=run.should_stop)
        return JobResult(arrange_fields(report))

    def move(run: JobRun) -> JobResult:
        report = folders.apply(seen, progress=run, stop=run.should_stop)
        return JobResult(arrange_fields(report))

    if body.dry_run:
        job = service.jobs.submit(
            "arrangement", plan, user=user, access=JobAccess.READS, request=body
        )
        return accepted(job, service, response)
    seen = _seen_plan(service, body) if body.action is ArrangeMode.MOVE else None
    work = arrange if seen is None else move
    job = service.jobs.submit("arrangement", work, user=user, ends_by_itself=True)
    return accepted(job, service, response)


@router.post("/arrangements/continue", status_code=202)
def continue_arrangement(service: ServiceOf, user: UserOf, response: Response) -> JobItem:
    """Go on with the last arrangement, which was cancelled or interrupted."""
    _require_active(service, None)

    def work(run: JobRun) -> JobResult:
        report = service.library.folders.apply(None, progress=run, stop=run.should_stop)
        return JobResult(arrange_fields(report))

    job = service.jobs.submit("arrangement", work, user=user, ends_by_itself=True)
    return accepted(job, service, response)


@router.post("/arrangements/undo", status_code=202)
def undo_last_arrangement(
    body: UndoArrangementRequest, service: ServiceOf, user: UserOf, response: Response
) -> JobItem:
    """Take the last arrangement back; files that a person changed since stay where they are."""
    _require_active(service, body.target)

    def work(run: JobRun) -> JobResult:
        _require_active(service, body.target)
        report = service.library.folders.undo(progress=run, stop=run.should_stop)
        return JobResult(arrange_undo_fields(report))

    job = service.jobs.submit("arrangement-undo", work, user=user, ends_by_itself=True)
    return accepted(job, service, response)


def _arrangement(record: ArrangeRecord) -> Arrangement:
    return Arrangement(
        target=str(record.plan.to),
        action=record.plan.mode,
        created_at=record.created_at,
        done=record.counts[StepResult.DONE],
        finished=not record.pending,
        undoing=record.undoing,
    )


def _first_rows(file: Path) -> list[dict[str, Any]]:
    steps = read_plan(file).steps[:_ROWS]
    return [{"source": str(step.source), "target": str(step.target)} for step in steps]


def _seen_plan(service: Service, body: ArrangeRequest) -> Path:
    """The plan that a dry run of the same made: files are moved by what a person has seen."""
    asked = body.model_copy(update={"dry_run": True})
    for job in service.jobs.all():
        file = job.result.file if job.result is not None else None
        if job.state is JobState.DONE and job.request == asked and file and file.exists():
            return file
    raise ProblemError(
        HTTPStatus.CONFLICT,
        "needs-confirmation",
        "files are moved by a plan that you have seen",
        "ask for the same with dry_run: true first, and look at its result",
    )


def _require_active(service: Service, target: str | None) -> None:
    active = active_records(service.library.store)
    if not active:
        raise SettingsError(
            "there is no arrangement to take back or to go on with",
            "POST /api/v1/arrangements makes one",
        )
    last = active[-1].plan.to
    if target is not None and Path(target) != last:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "needs-confirmation",
            f"the last arrangement is in {last}, not in {target}",
            "undo that one first: they are undone in the order in which they came",
        )
