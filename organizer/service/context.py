"""What every route works on: the library, the options, and who asks."""

from __future__ import annotations

from asyncio import Semaphore
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Header, Request, Response

from organizer.arguments import require_user
from organizer.errors import StaleRevisionError, StoreError
from organizer.library import Library
from organizer.library.images.timeline import Timeline
from organizer.service.answer_cache import AnswerCache
from organizer.service.changes import ChangeWatcher
from organizer.service.event_bus import EventBus
from organizer.service.job_runner import JobRunner
from organizer.service.map_cache import MapCache
from organizer.service.options import ServiceOptions
from organizer.service.thumbnails import ThumbnailCache
from organizer.service.worker import Worker

T = TypeVar("T")

_REPORTS = 4
_DECODED_AT_ONCE = 2
"""Pictures from elsewhere, of which one may take half a gigabyte of memory."""


@dataclass(slots=True)
class Service:
    """One library and what is kept for its clients.

    Attributes:
        library: The library.
        options: What the service was started with.
        thumbnails: Small pictures that were made before.
        events: What happens, for the pages that are open.
        changes: Notices what happens.
        writer: Runs the decisions, and the jobs that hold the library, one after the other.
        jobs: What takes longer than a request.
        reports: Scores of the last few reports, which take seconds where there are many images.
        decoding: Held while a picture from elsewhere is decoded.
        maps: Maps that were read before.
        timelines: The timeline that was asked for last; of 100,000 photos it takes a second or two.
    """

    library: Library
    options: ServiceOptions
    thumbnails: ThumbnailCache
    events: EventBus
    changes: ChangeWatcher
    writer: Worker
    jobs: JobRunner
    reports: AnswerCache[dict[str, Any]] = field(default_factory=lambda: AnswerCache(_REPORTS))
    decoding: Semaphore = field(default_factory=lambda: Semaphore(_DECODED_AT_ONCE))
    maps: MapCache = field(default_factory=MapCache)
    timelines: AnswerCache[Timeline] = field(default_factory=lambda: AnswerCache(1))

    def decide(self, work: Callable[[], T], *, revision: int | None, user: str) -> T:
        """Run a short write: before the jobs that wait, and between the commits of an ingest.

        Args:
            work: The write.
            revision: The revision that it refers to; any where None.
            user: Who decides.

        Raises:
            StaleRevisionError: Another revision is current; nothing was changed.
        """

        def decided() -> T:
            with self.deciding(revision=revision, user=user):
                return work()

        try:
            return self.writer.submit(decided).result()
        except CancelledError as error:
            raise StoreError(
                "the service is ending: nothing was changed", "start it again: organizer serve"
            ) from error

    @contextmanager
    def deciding(self, *, revision: int | None, user: str) -> Iterator[None]:
        """Decide in the name of a person, if a revision is still the current one; see `decide`."""
        with ExitStack() as held:
            held.enter_context(self.library.acting_as(user))
            if revision is not None:
                held.enter_context(self.library.at_revision(revision))
            yield

    def require_revision(self, revision: int) -> None:
        """Make sure that a revision is the current one, before a job is begun that refers to it.

        Raises:
            StaleRevisionError: It is not.
        """
        current = self.library.revision
        if revision != current:
            raise StaleRevisionError(revision, current)


def service_of(request: Request) -> Service:
    """The service that a request is made to."""
    found = request.app.state.service
    assert isinstance(found, Service)  # noqa: S101 - make_app put it there
    return found


async def _service(request: Request) -> Service:
    # Not a plain function: that would run on a thread of its own, which costs more than it does.
    return service_of(request)


async def user_of(
    request: Request,
    x_organizer_user: Annotated[
        str | None, Header(description="Who decides: a name, percent-encoded UTF-8.")
    ] = None,
) -> str:
    """Who decides: as the request says, or else as the service was started."""
    if x_organizer_user is None:
        return service_of(request).library.settings.user_name
    return require_user("X-Organizer-User", unquote(x_organizer_user))


def current_revision(request: Request, response: Response) -> int:
    """The revision before anything is read, which the answer names in its ETag.

    Where somebody decides between the two, the answer is newer than it says, and a decision that
    refers to it is refused: never the other way round.
    """
    revision = service_of(request).library.revision
    response.headers["ETag"] = etag_of(revision)
    return revision


def etag_of(revision: int) -> str:
    """The ETag of an answer that shows a revision."""
    return f'"{revision}"'


ServiceOf = Annotated[Service, Depends(_service)]
UserOf = Annotated[str, Depends(user_of)]
RevisionOf = Annotated[int, Depends(current_revision)]
