"""Who may ask what: hosts, origins, the token; and headers that keep a browser strict.

A service on this machine is reachable from every page that the browser shows. So the host of a
request has to be a name of this service (else a name of somebody else's may point to it: DNS
rebinding), and a write has to come from the gallery's own origin, or from no browser.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from organizer.service.body_limits import LimitedBody
from organizer.service.problems import ProblemError
from organizer.service.strict_headers import STRICT_HEADERS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from organizer.service.options import ServiceOptions

API = "/api/v1"
_COOKIE = "organizer_session"

_OPEN = frozenset({f"{API}/health", f"{API}/session"})
"""What needs no token."""

PICTURE_SEARCH = f"{API}/search/picture"
"""Where bodies are pictures, and larger than others."""

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SESSION_SECONDS = 30 * 24 * 3600
_MOST_SESSIONS = 1_000


class Sessions:
    """Browsers that have shown the token: each is known by a cookie, which is not the token."""

    def __init__(self) -> None:
        self._ends: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def begin(self) -> str:
        """A new session's cookie."""
        session = secrets.token_urlsafe(32)
        with self._lock:
            self._ends[session] = time.monotonic() + _SESSION_SECONDS
            while len(self._ends) > _MOST_SESSIONS:
                self._ends.popitem(last=False)
        return session

    def end(self, session: str) -> None:
        """Forget a session."""
        with self._lock:
            self._ends.pop(session, None)

    def is_going_on(self, session: str) -> bool:
        """Whether a cookie is that of a session."""
        with self._lock:
            return self._ends.get(session, 0.0) > time.monotonic()


class Guard:
    """Middleware that refuses requests of strangers.

    Args:
        app: The application.
        options: Who may use it.
        sessions: Browsers that have shown the token.
    """

    def __init__(self, app: ASGIApp, *, options: ServiceOptions, sessions: Sessions) -> None:
        self._app, self._options, self._sessions = app, options, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in STRICT_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._require_host(headers)
            self._require_origin(scope, headers)
            self._require_token(scope, headers)
            self._require_size(scope, headers)
        except ProblemError as error:
            await error.response()(scope, receive, send_strictly)
            return
        seconds = self._options.max_body_seconds
        limited = LimitedBody(receive, max_bytes=self._max_bytes(scope), seconds=seconds)
        await self._app(scope, limited, send_strictly)

    def _require_host(self, headers: Headers) -> None:
        name = _host_name(headers.get("host", ""))
        if self._options.hosts and name not in self._options.hosts:
            raise _forbidden(f"this service is not called {name[:100]!r}")

    def _require_origin(self, scope: Scope, headers: Headers) -> None:
        site = headers.get("sec-fetch-site", "same-origin")
        if site == "cross-site" and scope["path"].startswith(API):
            raise _forbidden("another site may not read here")
        if scope["method"] in _READS:
            return
        origin = headers.get("origin")
        own = f"{scope['scheme']}://{headers.get('host', '')}"
        is_foreign = site not in {"same-origin", "none"}
        if is_foreign or (origin is not None and not _is_same_site(origin, own)):
            raise _forbidden("another site may not write here")

    def _max_bytes(self, scope: Scope) -> int:
        is_picture = scope["path"] == PICTURE_SEARCH
        return self._options.max_upload if is_picture else self._options.max_body

    def _require_size(self, scope: Scope, headers: Headers) -> None:
        """Refuse a body whose stated length is too large, before any of it is read."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes(scope):
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-large",
                f"{int(length):,} bytes are more than the {self._max_bytes(scope):,} that are read",
                "send less at a time",
            )

    def _require_token(self, scope: Scope, headers: Headers) -> None:
        path = scope["path"]
        if self._options.token is None or not path.startswith(API) or path in _OPEN:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_token(given.strip(), self._options.token):
            return
        if self._sessions.is_going_on(session_of(scope)):
            return
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "unauthorized",
            "this service needs a token",
            "send it as Authorization: Bearer TOKEN; the gallery asks for it",
            headers={"WWW-Authenticate": "Bearer"},
        )


def is_token(given: str, token: str) -> bool:
    """Whether a text is the token; takes as long for a wrong one as for a nearly right one."""
    return hmac.compare_digest(given.encode(), token.encode())


def cookie_of(scope: Scope) -> str:
    """The name of the cookie: browsers give those of one port to all others of a machine."""
    return f"{_COOKIE}_{scope['server'][1]}"


def session_of(scope: Scope) -> str:
    """The session's cookie of a request; empty where there is none."""
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(cookie_of(scope))
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _host_name(host: str) -> str:
    """The name in a Host header, without the port and the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def _is_same_site(origin: str, own: str) -> bool:
    """Whether an origin is this service's; behind a proxy that ends TLS it has another scheme."""
    return origin.partition("://")[2].lower() == own.partition("://")[2].lower()


def _forbidden(detail: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.FORBIDDEN,
        "forbidden",
        detail,
        "open the address that organizer serve printed; other names: --host",
    )
