"""How a long operation tells how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told what is being done; shows it or not."""

    def begin(self, task: str, total: int | None) -> None:
        """A new task begins; `total` is None where its length is not known."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Some steps of the task are done."""
        ...

    def note(self, text: str) -> None:
        """Something that the person should read now: one line."""
        ...


class NoProgress:
    """Shows nothing."""

    def begin(self, task: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, steps: int = 1) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
