"""Decisions while a recluster is at work: they are stored at once, and hold in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from organizer.errors import LibraryBusyError
from organizer.library import Library
from organizer.library.progress import NoProgress
from organizer.settings import Settings
from tests.cards import blobs, fill, ids_of, library_at, where

_IDS = ids_of(range(60))


class Meanwhile(NoProgress):
    """Does something each time images are clustered."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts = list(acts)
        self.notes: list[str] = []
        self.fits = 0

    def begin(self, task: str, total: int | None) -> None:
        del total
        if task.startswith("clustering"):
            self.fits += 1
            if self.acts:
                self.acts.pop(0)()

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Three clusters of 20."""
    with library_at(tmp_path) as opened:
        fill(opened, _IDS, blobs([20, 20, 20]))
        opened.recluster(k=3)
        yield opened


@pytest.fixture
def other(library: Library) -> Iterator[Library]:
    """The same library, opened by somebody else."""
    with Library.open(library.store.path, Settings(wait=0)) as opened:
        yield opened


def test_what_is_decided_while_images_are_clustered_holds_in_the_clustering(
    library: Library, other: Library
) -> None:
    first, second = (where(library)[_IDS[at]] for at in (0, 20))

    def decide() -> None:
        other.corrections.rename(second, "Fox")
        other.corrections.move(_IDS[0], second)

    meanwhile = Meanwhile(decide)
    report = library.recluster(k=3, progress=meanwhile)
    assert meanwhile.fits == 2
    assert any("decisions were made meanwhile" in note for note in meanwhile.notes)
    assert report.k == 3
    assert library.clusters[second].name == "Fox"
    assert where(library)[_IDS[0]] == second != first
    assert [step for step in library.undo().what if "recluster" in step]
    assert where(library)[_IDS[0]] == second
    library.undo()
    assert where(library)[_IDS[0]] == first


def test_an_undo_while_images_are_clustered_is_kept(library: Library, other: Library) -> None:
    first, second = (where(library)[_IDS[at]] for at in (0, 20))
    library.corrections.move(_IDS[0], second)
    library.recluster(k=3, progress=Meanwhile(other.undo))
    assert where(library)[_IDS[0]] == first


def test_the_second_time_nobody_decides_in_between(library: Library, other: Library) -> None:
    first = where(library)[_IDS[0]]

    def refused() -> None:
        with pytest.raises(LibraryBusyError), other.store.writing():
            pass

    meanwhile = Meanwhile(lambda: other.corrections.rename(first, "Fox"), refused)
    library.recluster(k=3, progress=meanwhile)
    assert meanwhile.fits == 2


def test_nobody_does_more_than_decide_meanwhile(library: Library, other: Library) -> None:
    def refused() -> None:
        with pytest.raises(LibraryBusyError, match="being written"):
            other.recluster(k=2)

    meanwhile = Meanwhile(refused)
    library.recluster(k=3, progress=meanwhile)
    assert meanwhile.fits == 1
    assert not meanwhile.acts


def test_a_dry_run_waits_for_nobody_and_keeps_nobody_out(library: Library, other: Library) -> None:
    first = where(library)[_IDS[0]]
    with other.store.writing():
        assert library.recluster(k=4, dry_run=True).k == 4
    library.recluster(
        k=4, dry_run=True, progress=Meanwhile(lambda: other.corrections.rename(first, "Fox"))
    )
    assert library.clusters[first].name == "Fox"
    assert len(library.clusters) == 3
