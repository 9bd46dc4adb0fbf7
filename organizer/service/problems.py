"""Errors as problem details (RFC 9457): type, title, status, detail, and a hint what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from organizer.errors import (
    ClusteringError,
    OrganizerError,
    SettingsError,
    StaleRevisionError,
    StoreError,
)
from organizer.fields.problem import problem_kind
from organizer.library import Library
from organizer.service.context import service_of
from organizer.service.history_events import events_since
from organizer.service.strict_headers import STRICT_HEADERS

if TYPE_CHECKING:
    from fastapi import FastAPI

MEDIA_TYPE = "application/problem+json"

_RETRY_AFTER = "1"
"""Seconds after which a library that another process writes to may be free."""


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457).

    Attributes:
        type: Which kind of problem, a URI reference.
        title: The kind in words.
        status: The HTTP status.
        detail: What happened, one line.
        hint: What to do about it, one line; empty where there is nothing to do.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    hint: str = ""


class ProblemError(Exception):
    """A request that cannot be answered.

    Args:
        status: The HTTP status.
        kind: The last part of the problem's type, as "needs-confirmation".
        detail: What happened, one line.
        hint: What to do about it, one line.
        headers: Headers of the answer.
        more: Further members of the problem.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        hint: str = "",
        *,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.headers = headers or {}
        self.problem = ProblemDetails(
            type=f"/problems/{kind}",
            title=kind.replace("-", " ").capitalize(),
            status=status,
            detail=detail,
            hint=hint,
            **more,
        )

    def response(self) -> JSONResponse:
        """The answer."""
        return JSONResponse(
            self.problem.model_dump(mode="json"),
            status_code=self.problem.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def as_problem(error: OrganizerError) -> ProblemError:
    """The problem that an error of the library is for a client."""
    if isinstance(error, SettingsError):
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    elif isinstance(error, ClusteringError):
        status = HTTPStatus.CONFLICT
    elif isinstance(error, StoreError):
        status = HTTPStatus.SERVICE_UNAVAILABLE
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    waits = status is HTTPStatus.SERVICE_UNAVAILABLE
    headers = {"Retry-After": _RETRY_AFTER} if waits else None
    return ProblemError(status, problem_kind(error), error.message, error.hint, headers=headers)


def as_stale(error: StaleRevisionError, library: Library) -> ProblemError:
    """The problem of who refers to a revision that is not current, with what happened since."""
    since = events_since(library, error.expected)
    return ProblemError(
        HTTPStatus.PRECONDITION_FAILED,
        "stale-revision",
        error.message,
        error.hint,
        headers={"ETag": f'"{error.revision}"'},
        revision=error.revision,
        since=[event.model_dump(mode="json") for event in since],
    )


def as_bug() -> ProblemError:
    """The problem of what should not happen; the log tells what it is."""
    return ProblemError(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "bug",
        "a bug in organizer",
        "the service's log tells more",
    )


def add_handlers(app: FastAPI) -> None:
    """Let every error of an application be answered with a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(StaleRevisionError, _stale)
    app.add_exception_handler(OrganizerError, _failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _bug)


def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it
    return error.response()


def _stale(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StaleRevisionError)  # noqa: S101 - registered for it
    return as_stale(error, service_of(request).library).response()


def _failed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OrganizerError)  # noqa: S101 - registered for it
    return as_problem(error).response()


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    detail = f"{where}: {first['msg']}"
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, "see /api/v1/openapi.json"
    ).response()


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    status = HTTPStatus(error.status_code)
    is_large = status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    kind = "too-large" if is_large else status.phrase.lower().replace(" ", "-")
    problem = ProblemError(status, kind, str(error.detail), headers=dict(error.headers or {}))
    return problem.response()


def _bug(_: Request, error: Exception) -> JSONResponse:
    del error  # the server logs it
    # The one answer that is made outside of the middleware which gives all others these headers.
    answer = as_bug().response()
    answer.headers.update({**STRICT_HEADERS, "Cache-Control": "no-store"})
    return answer
