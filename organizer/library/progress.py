"""How a long operation reports its progress."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from organizer.arguments import refused


@runtime_checkable
class Progress(Protocol):
    """Receives the progress of a long operation, and shows it in its own way."""

    def begin(self, task: str, total: int | None) -> None:
        """A new task begins; `total` is None where the number of its steps is not known."""
        ...

    def advance(self, steps: int = 1) -> None:
        """So many more steps of the task are done."""
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


def progress_or_none(progress: object) -> Progress:
    """The progress that was given; one that shows nothing where None.

    Raises:
        SettingsError: It is no `Progress`.
    """
    if progress is None:
        return NoProgress()
    if isinstance(progress, type) or not isinstance(progress, Progress):
        raise refused("progress", progress, "an object with begin, advance and note, or None")
    return progress
