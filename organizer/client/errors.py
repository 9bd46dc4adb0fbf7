"""What the service answers instead of what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from organizer.errors import OrganizerError


class ServiceError(OrganizerError):
    """The service refused a request, failed on it, or cannot be reached.

    Attributes:
        status: The HTTP status; None where no answer came.
        kind: Which problem it is: "stale-revision", "needs-confirmation", "not-found" and so on.
        problem: All members of the problem (RFC 9457): of a stale revision ``revision`` and
            ``since``, of a merge that has to be confirmed ``names``.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.problem = dict(problem or {})
        self.kind = str(self.problem.get("type", "")).rpartition("/")[2]
