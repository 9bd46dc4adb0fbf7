"""The token of a browser: shown once, then kept as a cookie that no script can read."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from organizer.service.context import ServiceOf
from organizer.service.problems import ProblemError
from organizer.service.security import Sessions, cookie_of, is_token, session_of

router = APIRouter(tags=["session"])


class SessionRequest(BaseModel):
    """The token that ``organizer serve`` was started with."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=1_000)]


@router.post("/session", status_code=HTTPStatus.NO_CONTENT)
def begin_session(asked: SessionRequest, request: Request, service: ServiceOf) -> Response:
    """Show the token, and get the cookie that pictures and events are asked for with."""
    token = service.options.token
    if token is None or not is_token(asked.token, token):
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "this is not the token",
            "it is what organizer serve was started with: --token or ORGANIZER_TOKEN",
        )
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.set_cookie(
        cookie_of(request.scope),
        _sessions(request).begin(),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
def end_session(request: Request) -> Response:
    """Forget the cookie."""
    _sessions(request).end(session_of(request.scope))
    response = Response(status_code=HTTPStatus.NO_CONTENT)
    response.delete_cookie(cookie_of(request.scope))
    return response


def _sessions(request: Request) -> Sessions:
    found = request.app.state.sessions
    assert isinstance(found, Sessions)  # noqa: S101 - make_app put it there
    return found
