"""Files that are gone are missing; a disk that is not connected is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from organizer.library import Library
from organizer.types import FileState
from tests.conftest import make_photo
from tests.test_ingest import COLOUR, counts, some_photos


@pytest.fixture
def folder(library: Library, tmp_path: Path) -> Path:
    """Twelve photos that were ingested."""
    made = some_photos(tmp_path / "card", 12)
    library.ingest(made, embedder=COLOUR)
    return made


def take_away(folder: Path, count: int) -> None:
    for file in sorted(folder.glob("*.jpg"))[:count]:
        file.unlink()


def missing_in(library: Library) -> int:
    return library.store.photos.count_files(FileState.MISSING)


@pytest.mark.parametrize(("gone", "is_absent"), [(1, False), (6, False), (7, True), (12, True)])
def test_more_than_half_of_a_folder_is_not_noted_as_missing_unasked(
    library: Library, folder: Path, gone: int, is_absent: bool
) -> None:
    take_away(folder, gone)
    report = library.ingest(folder)
    assert [(a.folder, a.known, len(a.gone)) for a in report.absent] == (
        [(folder, 12, gone)] if is_absent else []
    )
    assert missing_in(library) == (0 if is_absent else gone)
    assert counts(library.ingest(folder, confirm_missing=True)).get("missing", 0) == (
        gone if is_absent else 0
    )
    assert missing_in(library) == gone


def test_problems_of_files_that_cannot_be_seen_stay(library: Library, folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"no picture")
    library.ingest(folder)
    shutil.move(folder, folder.with_name("away"))
    folder.mkdir()
    assert library.ingest(folder).absent
    assert len(library.problems()) == 1
    library.ingest(folder, confirm_missing=True)
    assert library.problems() == []


def test_a_disk_that_comes_back_is_as_it_was(library: Library, folder: Path) -> None:
    shutil.move(folder, folder.with_name("away"))
    folder.mkdir()
    (found,) = library.ingest(folder).absent
    assert "0 of 12 files" in found.text
    assert "--confirm-missing" in found.hint
    folder.rmdir()
    shutil.move(folder.with_name("away"), folder)
    assert counts(library.ingest(folder)) == {"unchanged": 12}


def test_one_disk_of_two(library: Library, folder: Path, tmp_path: Path) -> None:
    other = some_photos(tmp_path / "other", 40, first=100)
    library.ingest(other)
    take_away(folder, 12)
    take_away(other, 2)
    report = library.ingest([folder, other])
    assert [found.folder for found in report.absent] == [folder]
    assert counts(report) == {"unchanged": 38, "missing": 2}


def test_a_folder_with_other_photos_in_place_of_its_own_is_there(
    library: Library, folder: Path
) -> None:
    take_away(folder, 12)
    for number in range(10):
        make_photo(folder / f"next-{number}.jpg", 200 + number)
    report = library.ingest(folder)
    assert counts(report) == {"added": 10, "missing": 12}
    assert not report.absent


def test_files_that_moved_are_not_gone(library: Library, folder: Path) -> None:
    shutil.move(folder, folder.with_name("away"))
    folder.mkdir()
    report = library.ingest([folder, folder.with_name("away")])
    assert counts(report) == {"moved": 12}
    assert not report.absent
