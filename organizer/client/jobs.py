"""What takes longer than a request: begun, watched, waited for, cancelled, downloaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel

from organizer.client.connection import Connection, Revision
from organizer.client.errors import ServiceError
from organizer.client.models import (
    ArrangeRequest,
    ExportRequest,
    IngestRequest,
    JobItem,
    Jobs,
    MapRequest,
    ReclusterRequest,
    ReportRequest,
    UndoArrangementRequest,
)
from organizer.client.queries import MapMethod

_LOOK_SECONDS = 0.2
_ENDED = frozenset({"done", "failed", "cancelled"})


class JobClient:
    """Jobs of a service. Each method that begins one gives the job at once; see `wait`.

    Args:
        service: The service.

    Examples:
        >>> job = client.jobs.wait(client.jobs.ingest(["/photos/card-1"]))  # doctest: +SKIP
        >>> job.result["added"]  # doctest: +SKIP
        24
    """

    def __init__(self, service: Connection) -> None:
        self._service = service

    def list(self) -> Jobs:
        """The jobs that run, wait, or ended not long ago; the newest first."""
        return self._service.get("/jobs", Jobs)

    def get(self, job_id: str) -> JobItem:
        """A job as it is now."""
        return self._service.get(f"/jobs/{job_id}", JobItem)

    def wait(
        self,
        job: JobItem,
        *,
        timeout: float | None = None,
        progress: Callable[[JobItem], None] = lambda _: None,
    ) -> JobItem:
        """Wait until a job has ended.

        Args:
            job: The job.
            timeout: Seconds to wait at most; without end where None.
            progress: Called with the job each time it was looked at.

        Raises:
            ServiceError: It failed.
            TimeoutError: It has not ended in time; it goes on.
        """
        limit = None if timeout is None else time.monotonic() + timeout
        while job.state not in _ENDED:
            if limit is not None and time.monotonic() > limit:
                raise TimeoutError(f"the job {job.kind} is still {job.state}")
            time.sleep(_LOOK_SECONDS)
            job = self.get(job.id)
            progress(job)
        if job.problem is not None:
            problem = job.problem
            raise ServiceError(
                problem.detail,
                problem.hint,
                status=problem.status,
                problem=problem.model_dump(mode="json"),
            )
        return job

    def cancel(self, job: JobItem) -> JobItem:
        """Cancel a job; it may still be ending. What an ingest has committed stays."""
        return self._service.delete(f"/jobs/{job.id}", JobItem)

    def download(self, job: JobItem, target: Path) -> None:
        """Write the file that a job made to a new file.

        Raises:
            FileExistsError: There is a file already.
        """
        self._service.save(f"/jobs/{job.id}/download", target)

    def ingest(
        self,
        paths: Sequence[str] = (),
        *,
        embedder: str | None = None,
        verify: bool = False,
        reread_metadata: bool = False,
    ) -> JobItem:
        """Read photos into the library.

        Args:
            paths: Folders and files of the service's machine, absolute; all folders that were
                ingested before where empty.
            embedder: The name of an embedder; the library's own where None.
            verify: Whether to read every file, also those whose size and time are as they were.
            reread_metadata: Whether to read the metadata of all files anew.
        """
        request = IngestRequest(
            paths=list(paths),
            embedder=embedder,
            verify=verify,
            reread_metadata=reread_metadata,
        )
        return self._begin("/ingests", request)

    def recluster(self, request: ReclusterRequest, *, revision: Revision = None) -> JobItem:
        """Cluster all images again, or report what would change."""
        return self._service.write("/reclusters", JobItem, request, revision=revision)

    def export(self, request: ExportRequest) -> JobItem:
        """Write the images with their clusters in the format of another tool; see `download`."""
        return self._begin("/exports", request)

    def report(self, request: ReportRequest | None = None) -> JobItem:
        """Make the report as one page; see `download`."""
        return self._begin("/reports", request or ReportRequest())

    def map(self, *, method: MapMethod = "tsne", redraw: bool = False) -> JobItem:
        """Draw the map of all images; nothing is done where it is drawn, unless `redraw`."""
        return self._begin("/maps", MapRequest(method=method, redraw=redraw))

    def arrange(self, request: ArrangeRequest) -> JobItem:
        """Sort the files into folders, or plan it."""
        return self._begin("/arrangements", request)

    def continue_arrangement(self) -> JobItem:
        """Go on with the last arrangement, which was cancelled or interrupted."""
        return self._service.post("/arrangements/continue", JobItem)

    def undo_arrangement(self, target: str | None = None) -> JobItem:
        """Take the last arrangement back; `target` is its folder, to be sure."""
        return self._begin("/arrangements/undo", UndoArrangementRequest(target=target))

    def _begin(self, path: str, request: BaseModel) -> JobItem:
        return self._service.post(path, JobItem, request)
