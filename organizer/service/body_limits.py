"""Limits on what a client sends: how many bytes, and how long it may take."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import Message, Receive


class LimitedBody:
    """Receives a request's body within limits; what comes after the body is waited for as ever.

    Args:
        receive: Receives the next message of the request.
        max_bytes: Bytes of the body, at most.
        seconds: How long the whole body may take.
    """

    def __init__(self, receive: Receive, *, max_bytes: int, seconds: float) -> None:
        self._receive = receive
        self._left = max_bytes
        self._ends = asyncio.get_running_loop().time() + seconds
        self._is_whole = False

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            HTTPException: The body is too large, or has not come in time.
        """
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT, "the body of the request did not come in time"
            ) from error
        self._is_whole = not message.get("more_body", False)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body of the request is too large"
            )
        return message
