"""Requests to one service: its address, the token, who asks, and problems as errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel

from organizer.client.errors import ServiceError

API = "/api/v1"
ANY_REVISION: Literal["*"] = "*"
"""Decide whatever the current revision is."""

Revision = int | Literal["*"] | None
Answer = TypeVar("Answer", bound=BaseModel)

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Connection:
    """Asks one service, and remembers the revision that it showed last.

    Args:
        url: Where it is, as ``organizer serve`` prints it.
        token: Its token, where it has one.
        user: Who decides; as the service was started where None.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, url: str, *, token: str | None, user: str | None, timeout: float) -> None:
        headers = {"User-Agent": "organizer-client"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if user is not None:
            headers["X-Organizer-User"] = quote(user, safe="")
        self.url = url.rstrip("/")
        self.revision: int | None = None
        self._http = httpx.Client(
            base_url=self.url + API,
            headers=headers,
            timeout=timeout,
            # A proxy of the environment does not know this machine.
            trust_env=urlsplit(url).hostname not in _LOOPBACK,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, model: type[Answer], **query: Any) -> Answer:
        """Read something; parameters that are None are not sent.

        Raises:
            ServiceError: It could not be had.
        """
        return self._read(model, self._asked("GET", path, params=_given(query)))

    def post(
        self, path: str, model: type[Answer], body: BaseModel | None = None, **query: Any
    ) -> Answer:
        """Send something that refers to no revision.

        Raises:
            ServiceError: It was refused.
        """
        return self._read(model, self._asked("POST", path, params=_given(query), body=body))

    def post_bytes(self, path: str, model: type[Answer], data: bytes, **query: Any) -> Answer:
        """Send bytes.

        Raises:
            ServiceError: They were refused.
        """
        headers = {"Content-Type": "application/octet-stream"}
        return self._read(
            model, self._asked("POST", path, params=_given(query), content=data, headers=headers)
        )

    def write(
        self, path: str, model: type[Answer], body: BaseModel | None = None, *, revision: Revision
    ) -> Answer:
        """Send a decision, which refers to a revision: that which was shown last where None.

        Raises:
            ServiceError: It was refused; of kind "stale-revision" where another one is current.
        """
        expected = self.revision if revision is None else revision
        headers = {} if expected is None else {"If-Match": _etag(expected)}
        return self._read(model, self._asked("POST", path, body=body, headers=headers))

    def delete(self, path: str, model: type[Answer]) -> Answer:
        """Delete or cancel something.

        Raises:
            ServiceError: It was refused.
        """
        return self._read(model, self._asked("DELETE", path))

    def read_bytes(self, path: str, **query: Any) -> bytes:
        """Read a picture, or numbers.

        Raises:
            ServiceError: It could not be had.
        """
        return self._asked("GET", path, params=_given(query)).content

    def do(self, path: str) -> None:
        """Post what has no answer."""
        self._asked("POST", path)

    def save(self, path: str, target: Path) -> None:
        """Write what is at an address to a file, part by part.

        Raises:
            ServiceError: It could not be had.
        """
        with self.streamed(path) as response, target.open("xb") as file:
            for part in response.iter_bytes():
                file.write(part)

    @contextmanager
    def streamed(self, path: str, **options: Any) -> Iterator[httpx.Response]:
        """An answer that is read part by part.

        Raises:
            ServiceError: It could not be had.
        """
        with self._reached(), self._http.stream("GET", path, **options) as response:
            if response.is_error:
                response.read()
            _require_success(response)
            yield response

    def _asked(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        headers: Mapping[str, str] = _NOTHING,
        **options: Any,
    ) -> httpx.Response:
        if body is not None:
            options["json"] = body.model_dump(mode="json", exclude_none=True)
        with self._reached():
            response = self._http.request(method, path, headers=dict(headers), **options)
        _require_success(response)
        return response

    def _read(self, model: type[Answer], response: httpx.Response) -> Answer:
        answer = model.model_validate_json(response.content)
        revision = getattr(answer, "revision", None)
        if isinstance(revision, int):
            self.revision = revision
        return answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise ServiceError(
                f"no answer from {self.url}: {error or type(error).__name__}",
                "is organizer serve running there?",
            ) from error


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _etag(revision: int | str) -> str:
    return ANY_REVISION if revision == ANY_REVISION else f'"{revision}"'


def _require_success(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):  # what stands between answered, as a proxy does
        problem = {}
    raise ServiceError(
        str(problem.get("detail") or f"{response.status_code} {response.reason_phrase}"),
        str(problem.get("hint", "")),
        status=response.status_code,
        problem=problem,
    )
