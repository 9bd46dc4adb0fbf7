"""A library that was moved or copied together with its photos knows its arrangements there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from organizer.arrange import ArrangeMode, StepResult
from organizer.library import Library
from organizer.settings import Settings
from tests.arranged import EACH, counts, files_in, home, home_of, library, made, named, names_in
from tests.test_arranging import arrange

__all__ = ["home", "library", "made"]

ALL = 3 * EACH


@pytest.mark.parametrize("mode", [ArrangeMode.LINK, ArrangeMode.MOVE])
@pytest.mark.parametrize("name", ["elsewhere", "home/below"])
def test_a_library_that_was_moved_reads_back_and_takes_back(
    library: Library, tmp_path: Path, mode: ArrangeMode, name: str
) -> None:
    named(library, red="fox", green="badger")
    before = files_in(home_of(library) / "photos")
    folder = arrange(library, mode, "photos/sorted" if mode is ArrangeMode.LINK else "sorted")
    below = folder.relative_to(home_of(library))
    library.close()
    there = tmp_path / name
    aside = home_of(library).rename(tmp_path / "aside")
    there.parent.mkdir(exist_ok=True)
    aside.rename(there)
    (there / below / "fox" / "000.jpg").rename(there / below / "badger" / "mine.jpg")
    with Library.open(there, Settings()) as found:
        told = found.folders.read_back(there / below, dry_run=True)
        assert [(a.name, b.name, n) for a, b, n in told.moved] == [("fox", "badger", 1)]
        found.folders.read_back(there / below)
        report = found.ingest([there / "photos", there / below])
        assert counts(report) == {"unchanged": ALL}, "the links are no photos of their own"
        taken = found.folders.undo()
        assert (taken.undone, taken.is_whole) == (ALL, True)
        assert files_in(there / "photos") == before
        assert counts(found.ingest([there / "photos"])) == {"unchanged": ALL}


def test_what_is_taken_back_in_a_copy_stays_in_the_library_it_was_copied_from(
    library: Library, tmp_path: Path
) -> None:
    before = files_in(home_of(library) / "photos")
    folder = arrange(library, ArrangeMode.MOVE)
    arranged = names_in(folder)
    library.close()
    copy = Path(shutil.copytree(home_of(library), tmp_path / "copy"))
    with Library.open(copy, Settings()) as found:
        assert found.folders.undo().undone == ALL
    assert files_in(copy / "photos") == before
    assert names_in(folder) == arranged
    with Library.open(home_of(library), Settings()) as found:
        assert found.folders.undo().undone == ALL


def test_a_library_that_was_moved_without_its_photos_still_knows_where_they_are(
    library: Library, tmp_path: Path
) -> None:
    folder = arrange(library, ArrangeMode.LINK)
    library.close()
    there = tmp_path / "alone"
    there.mkdir()
    shutil.move(library.store.path, there)
    with Library.open(there, Settings()) as found:
        assert found.folders.undo().results[StepResult.GONE] == 0
    assert not folder.exists()


def test_an_interruption_while_journals_are_exchanged_loses_none(
    library: Library, tmp_path: Path
) -> None:
    """Between the two renames the former folder lies beside the place of the new one."""
    before = files_in(home_of(library) / "photos")
    arrange(library, ArrangeMode.MOVE)
    library.close()
    there = home_of(library).rename(tmp_path / "elsewhere")
    journals = there / ".organizer" / "arrangements"
    journals.rename(journals.with_name(".arrangements.99999999.former"))
    with Library.open(there, Settings()) as found:
        assert found.folders.undo().undone == ALL
    assert files_in(there / "photos") == before
