"""What every route works on: the library, the options, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Header, Request, Response

from organizer.library import Library
from organizer.service.options import ServiceOptions
from organizer.service.thumbnails import ThumbnailCache

T = TypeVar("T")

_LONGEST_USER = 100


@dataclass(slots=True)
class Service:
    """One library and what is kept for its clients.

    Attributes:
        library: The library.
        options: What the service was started with.
        thumbnails: Small pictures that were made before.
    """

    library: Library
    options: ServiceOptions
    thumbnails: ThumbnailCache
    _lock: Lock = field(default_factory=Lock)

    def decide(self, work: Callable[[], T], *, revision: int | None, user: str) -> T:
        """Run a write, after those that were asked for before it.

        Args:
            work: The write.
            revision: The revision that it refers to; any where None.
            user: Who decides.

        Raises:
            StaleRevisionError: Another revision is current; nothing was changed.
        """
        del user
        with self._lock, self._at(revision):
            return work()

    @contextmanager
    def _at(self, revision: int | None) -> Iterator[None]:
        if revision is None:
            yield
            return
        with self.library.at_revision(revision):
            yield


def service_of(request: Request) -> Service:
    """The service that a request is made to."""
    found = request.app.state.service
    assert isinstance(found, Service)  # noqa: S101 - make_app put it there
    return found


def user_of(
    request: Request,
    x_organizer_user: Annotated[
        str | None, Header(description="Who decides: a name, percent-encoded UTF-8.")
    ] = None,
) -> str:
    """Who decides: as the request says, or else as the service was started."""
    if x_organizer_user is None:
        return service_of(request).options.user
    return " ".join(unquote(x_organizer_user).split())[:_LONGEST_USER]


def current_revision(request: Request, response: Response) -> int:
    """The revision before anything is read, which the answer names in its ETag.

    Where somebody decides between the two, the answer is newer than it says, and a decision that
    refers to it is refused: never the other way round.
    """
    revision = service_of(request).library.revision
    response.headers["ETag"] = f'"{revision}"'
    return revision


ServiceOf = Annotated[Service, Depends(service_of)]
UserOf = Annotated[str, Depends(user_of)]
RevisionOf = Annotated[int, Depends(current_revision)]
