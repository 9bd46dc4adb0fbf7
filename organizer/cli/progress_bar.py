"""One progress bar, on a terminal only: rate and time left, or the time passed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from organizer.cli.table_layout import shorten_path

_REST, _LEAST = 46, 20
"""Cells that the bar with its numbers takes, and those that what is done has at least."""


class Bar:
    """Shows an operation's progress; see `organizer.library.Progress`."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress, self._console = progress, console
        self._task = progress.add_task("", total=None, visible=False)

    def begin(self, task: str, total: int | None) -> None:
        """Show a new task in place of the current one."""
        self._progress.remove_task(self._task)
        room = max(self._console.width - _REST, _LEAST)
        self._task = self._progress.add_task(shorten_path(task, room, "..."), total=total)

    def advance(self, steps: int = 1) -> None:
        """Count steps that are done."""
        self._progress.advance(self._task, steps)

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A bar on stderr for as long as the context lasts; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    shown = console.is_terminal
    with Progress(*bar_columns(), console=console, transient=True, disable=not shown) as progress:
        yield Bar(progress, console)


def bar_columns() -> tuple[ProgressColumn, ...]:
    """What the bar shows of a task, from left to right."""
    return (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _Count(),
        _Rate(),
        _Time(),
    )


class _Count(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Steps that are done, and of how many where that is known."""
        if task.total is None:
            return Text(f"{task.completed:,.0f}" if task.completed else "")
        total = f"{task.total:,.0f}"
        return Text(f"{task.completed:>{len(total)},.0f}/{total}")


class _Time(ProgressColumn):
    def render(self, task: Task) -> Text:
        """The time that is left; the time passed where nobody can know what is left."""
        left = task.time_remaining
        if left is None:
            return Text(f"{_clock(task.elapsed or 0)} passed")
        return Text(f"{_clock(left)} left")


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Steps a second."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.1f}/s" if speed else "")
