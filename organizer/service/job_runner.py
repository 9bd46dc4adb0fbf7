"""Jobs: what takes longer than a request, run one after the other, watched and cancelled.

Jobs that write run one after the other, and those that only read beside them, so that a report
keeps nobody from deciding.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Any

from organizer.errors import OrganizerError, StoreError
from organizer.service.worker import Worker
from organizer.store import now

_KEPT = 50
"""Jobs that have ended and are remembered."""
_FILES_KEPT = 8
"""Of these, those whose file can still be downloaded."""
_NOTES_KEPT = 20
_END_SECONDS = 1.0
"""How long the service waits at its end for a job that only reads."""
_PROGRESS_SECONDS = 0.25
"""Between two events of the progress of a job."""


class JobState(StrEnum):
    """What becomes of a job, in this order."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


class JobAccess(Enum):
    """What a job does to the library.

    Attributes:
        READS: It changes nothing.
        COMMITS: It commits now and then; whoever decides waits for a commit at most.
        WRITES: It holds the library from beginning to end; whoever decides waits for it.
    """

    READS = auto()
    COMMITS = auto()
    WRITES = auto()


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job gave.

    Attributes:
        fields: JSON fields, those of the command's ``--json``.
        file: A file to download, in the job's folder; None for none.
        media_type: What it is.
        inline: Whether a browser shows it rather than saving it.
    """

    fields: dict[str, Any]
    file: Path | None = None
    media_type: str = "application/octet-stream"
    inline: bool = False


@dataclass(slots=True)
class Job:
    """A job, as it is now.

    Attributes:
        id: Its id.
        kind: What it does: "ingest", "recluster" and the like.
        user: Who asked for it.
        created_at: When, UTC, ISO 8601.
        state: What has become of it.
        started_at: When it began to run; None before.
        ended_at: When it ended; None before.
        task: What it is doing now.
        done: Steps of that which are done.
        total: All steps of it; None where unknown.
        notes: What the person should know, a line each.
        result: What it gave; None before it is done.
        error: What went wrong; None where nothing did.
        request: What was asked for, where it is looked for again.
    """

    id: str
    kind: str
    user: str
    created_at: str = field(default_factory=now)
    state: JobState = JobState.QUEUED
    started_at: str | None = None
    ended_at: str | None = None
    task: str = ""
    done: int = 0
    total: int | None = None
    notes: list[str] = field(default_factory=list)
    result: JobResult | None = None
    error: BaseException | None = None
    request: object = None


class JobCancelledError(Exception):
    """A job was cancelled: raised where it reports its progress, and nothing of it is stored."""


class JobRun:
    """The progress of a job that runs, and whether it shall end; see `Progress`.

    Args:
        job: The job.
        folder: Where it may write files; made when it is first asked for.
        ends_by_itself: Whether the work asks `should_stop` and ends in order; otherwise it ends by
            an error at its next progress.
        changed: Called when there is something to show.
    """

    def __init__(
        self, job: Job, folder: Path, *, ends_by_itself: bool, changed: Callable[[], None]
    ) -> None:
        self._job, self._folder, self._changed = job, folder, changed
        self._ends_by_itself = ends_by_itself
        self._cancel = threading.Event()
        self._shown = 0.0
        self.was_stopped = False

    @property
    def folder(self) -> Path:
        """A folder for the files of the job; it goes with the job."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def cancel(self) -> None:
        """Ask the work to end."""
        self._cancel.set()

    def should_stop(self) -> bool:
        """Whether the work shall end in order."""
        self.was_stopped = self._cancel.is_set()
        return self.was_stopped

    def begin(self, task: str, total: int | None) -> None:
        """See `Progress.begin`.

        Raises:
            JobCancelledError: The job was cancelled, and the work does not end by itself.
        """
        self._job.task, self._job.done, self._job.total = task, 0, total
        self._show(at_once=True)

    def advance(self, steps: int = 1) -> None:
        """See `Progress.advance`.

        Raises:
            JobCancelledError: The job was cancelled, and the work does not end by itself.
        """
        self._job.done += steps
        self._show()

    def note(self, text: str) -> None:
        """See `Progress.note`."""
        if len(self._job.notes) < _NOTES_KEPT:
            self._job.notes.append(text)

    def _show(self, *, at_once: bool = False) -> None:
        if self._cancel.is_set() and not self._ends_by_itself:
            self.was_stopped = True
            raise JobCancelledError
        moment = time.monotonic()
        if at_once or moment - self._shown >= _PROGRESS_SECONDS:
            self._shown = moment
            self._changed()


JobWork = Callable[[JobRun], JobResult]


class JobRunner:
    """Runs jobs and remembers those that have ended.

    Args:
        writer: Runs those that hold the library, between the decisions.
        changed: Called with every job that has changed.

    Examples:
        >>> job = runner.submit("report", make_report, access=JobAccess.READS)  # doctest: +SKIP
        >>> runner.get(job.id).state  # doctest: +SKIP
        <JobState.RUNNING: 'running'>
    """

    def __init__(self, writer: Worker, *, changed: Callable[[Job], None] = lambda _: None) -> None:
        self._writer, self._changed = writer, changed
        self._writing, self._reading = Worker("writing jobs"), Worker("reading jobs")
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._runs: dict[str, tuple[JobRun, Future[None]]] = {}
        self._folder: Path | None = None

    def submit(
        self,
        kind: str,
        work: JobWork,
        *,
        user: str = "",
        access: JobAccess = JobAccess.WRITES,
        ends_by_itself: bool = False,
        request: object = None,
    ) -> Job:
        """Run work when those that were asked for before have ended.

        Args:
            kind: What it does.
            work: Called with what it reports its progress to.
            user: Who asks for it.
            access: What it does to the library.
            ends_by_itself: Whether it asks `JobRun.should_stop`; otherwise cancelling it raises an
                error at its next progress, so it must be work that an error may interrupt.
            request: See `Job`.

        Raises:
            StoreError: The service is ending.
        """
        job = Job(secrets.token_hex(8), kind, user, request=request)
        run = JobRun(
            job,
            self._files() / job.id,
            ends_by_itself=ends_by_itself,
            changed=lambda: self._changed(job),
        )
        worker = self._reading if access is JobAccess.READS else self._writing
        do = self._run_on_writer if access is JobAccess.WRITES else self._run
        self._changed(job)  # before it may run
        with self._lock:
            self._runs[job.id] = run, worker.submit(lambda: do(job, run, work))
            self._jobs[job.id] = job
        return job

    def all(self) -> list[Job]:
        """The jobs that are remembered, the newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, job_id: str) -> Job | None:
        """A job that is remembered; None where there is none."""
        return self._jobs.get(job_id)

    def running(self) -> list[str]:
        """The ids of the jobs that run or wait."""
        return [job.id for job in self.all() if not job.state.has_ended]

    def cancel(self, job_id: str) -> None:
        """Ask a job to end; one that waits ends at once, one that has ended stays as it is."""
        with self._lock:
            run, future = self._runs.get(job_id, (None, None))
        if run is None or future is None:
            return
        run.cancel()
        if future.cancel():
            self._end(self._jobs[job_id], JobState.CANCELLED)

    def close(self) -> None:
        """Cancel everything and forget the files; the writer is closed by whoever made it."""
        for job_id in self.running():
            self.cancel(job_id)
        self._reading.close(seconds=_END_SECONDS)
        self._writing.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _files(self) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="organizer-jobs-"))
            return self._folder

    def _run_on_writer(self, job: Job, run: JobRun, work: JobWork) -> None:
        try:
            self._writer.submit(lambda: self._run(job, run, work)).result()
        except (CancelledError, StoreError):  # the service is ending
            self._end(job, JobState.CANCELLED)

    def _run(self, job: Job, run: JobRun, work: JobWork) -> None:
        job.state, job.started_at = JobState.RUNNING, now()
        self._changed(job)
        try:
            job.result = work(run)
        except JobCancelledError:
            self._end(job, JobState.CANCELLED)
        except Exception as error:
            if not isinstance(error, OrganizerError):
                logging.getLogger(__name__).exception("the job %s %s failed", job.kind, job.id)
            job.error = error
            self._end(job, JobState.FAILED)
        else:
            self._end(job, JobState.CANCELLED if run.was_stopped else JobState.DONE)

    def _end(self, job: Job, state: JobState) -> None:
        job.ended_at = now()
        job.state = state
        with self._lock:
            self._runs.pop(job.id, None)
            self._forget()
        self._changed(job)

    def _forget(self) -> None:
        """Drop the oldest jobs that have ended, and the files of those before the last few."""
        ended = [job for job in self._jobs.values() if job.state.has_ended]
        for job in ended[:-_KEPT]:
            del self._jobs[job.id]
        with_files = [job for job in ended if job.result is not None and job.result.file]
        gone = {job.id for job in (*ended[:-_KEPT], *with_files[:-_FILES_KEPT])}
        for job_id in gone:
            shutil.rmtree(self._files() / job_id, ignore_errors=True)
