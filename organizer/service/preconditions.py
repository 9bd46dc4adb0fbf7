"""If-Match: a decision refers to the revision that the client has seen."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header

from organizer.service.problems import ProblemError

_ETAG = re.compile(r'(?:W/)?"?(\d{1,18})"?')
_ANY = "*"


def expected_revision(
    if_match: Annotated[
        str | None,
        Header(description='The revision that the client has seen, as "17"; * for any.'),
    ] = None,
) -> int | None:
    """The revision that a decision refers to; None for any.

    Raises:
        ProblemError: There is no If-Match, or none that can be.
    """
    if if_match is None:
        raise ProblemError(
            HTTPStatus.PRECONDITION_REQUIRED,
            "revision-required",
            "a decision needs the header If-Match",
            'send the revision that you have seen: If-Match: "17", or * for whatever is current',
        )
    if if_match.strip() == _ANY:
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            f"If-Match: {if_match[:100]} is no revision",
            "send the ETag of what you have seen",
        )
    return int(found[1])


ExpectedRevision = Annotated[int | None, Depends(expected_revision)]
