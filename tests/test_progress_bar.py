"""What the bar shows: the time that is left where it can be known, the time passed elsewhere."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress

from organizer.cli.progress_bar import Bar, bar_columns


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _shown(total: int | None, *, seconds: int, steps: int) -> str:
    clock, out = _Clock(), io.StringIO()
    console = Console(file=out, width=80, force_terminal=False)
    progress = Progress(*bar_columns(), console=console, get_time=clock, auto_refresh=False)
    bar = Bar(progress, console)
    bar.begin("reading files", total)
    for _ in range(seconds):
        clock.now += 1
        bar.advance(steps)
    console.print(progress.make_tasks_table([task for task in progress.tasks if task.visible]))
    return out.getvalue()


def test_a_known_end_has_a_time_left() -> None:
    shown = _shown(1200, seconds=60, steps=10)
    assert " 600/1,200" in shown
    assert "10.0/s" in shown
    assert "0:01:00 left" in shown
    assert "passed" not in shown


def test_an_unknown_end_has_a_time_passed() -> None:
    shown = _shown(None, seconds=75, steps=0)
    assert "0:01:15 passed" in shown
    assert "left" not in shown
    assert "?" not in shown
    assert "12 " in _shown(None, seconds=4, steps=3), "what is done is counted"


def test_before_anything_is_done_nothing_is_known_of_the_end() -> None:
    shown = _shown(1200, seconds=5, steps=0)
    assert "0:00:05 passed" in shown
    assert "left" not in shown
