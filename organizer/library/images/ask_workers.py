"""Ask worker processes about the pictures of many images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from organizer.errors import ImageError
from organizer.execute import in_order
from organizer.reading import WantedPicture
from organizer.workers.pool import Call, WorkerPool

_AHEAD = 4
"""Pictures a worker that are begun before they are asked for."""


def ask_workers(
    workers: WorkerPool,
    method: str,
    wanted: Sequence[WantedPicture],
    *arguments: object,
    then: Callable[[Any], Any] = lambda found: found,
) -> Iterator[tuple[str, Any]]:
    """Call a method of `organizer.reading.FileReader` for each picture, several at once.

    Args:
        workers: The processes.
        method: Its name.
        wanted: The pictures.
        arguments: What it is called with besides.
        then: Called on a thread with what it returned.

    Yields:
        The id of each image and what was found, in order; None where no file holds the picture any
        more, or none that can be read.
    """

    def work(picture: WantedPicture) -> tuple[str, Any]:
        found = ask_worker(workers, method, picture, *arguments)
        return picture.image_id, None if found is None else then(found)

    with ThreadPoolExecutor(workers.most, "pictures") as pool:
        yield from in_order(pool, work, wanted, ahead=_AHEAD * workers.most)


def ask_worker(workers: WorkerPool, method: str, picture: WantedPicture, *arguments: object) -> Any:
    """As `ask_workers`, of one picture; what was found, or None."""

    def ask(call: Call) -> Any:
        return _returned(call(method, picture, *arguments))

    try:
        return workers.attempt(ask, size=max(map(_size, picture.files), default=0))
    except ImageError:
        return None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _returned(call: Iterator[Any]) -> Any:
    """What a generator returns that yields nothing."""
    try:
        next(call)
    except StopIteration as end:
        return end.value
    raise AssertionError("a worker yielded what nobody asked for")
