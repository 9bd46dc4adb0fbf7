"""Who decides: the name that is kept with a step of the history and with an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Author:
    """The person in whose name a library is written.

    One library may be written in the names of several people, by one thread or task each.

    Attributes:
        usual: Gives the name where nobody else acts: empty where it is not known.
    """

    def __init__(self) -> None:
        self.usual: Callable[[], str] = str
        # One for each open library, as the same person may be called otherwise in another one.
        self._acting: ContextVar[str | None] = ContextVar("acting", default=None)

    @property
    def name(self) -> str:
        """The name of whoever acts now, in this thread or task; empty where it is not known."""
        acting = self._acting.get()
        return self.usual() if acting is None else acting

    @contextmanager
    def acting_as(self, name: str) -> Iterator[None]:
        """Write in the name of a person for as long as the context lasts, here and nowhere else."""
        token = self._acting.set(name)
        try:
            yield
        finally:
            self._acting.reset(token)
