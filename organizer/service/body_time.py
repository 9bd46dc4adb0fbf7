"""A limit on how long a client may take to send what it has begun to send."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import Message, Receive


class TimedBody:
    """Receives a request's body within a time; what comes after the body is waited for as ever.

    Args:
        receive: Receives the next message of the request.
        seconds: How long the whole body may take.
    """

    def __init__(self, receive: Receive, *, seconds: float) -> None:
        self._receive = receive
        self._ends = asyncio.get_running_loop().time() + seconds
        self._is_whole = False

    async def __call__(self) -> Message:
        """The next message.

        Raises:
            HTTPException: The body has not come in time.
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
        return message
