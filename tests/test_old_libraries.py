"""Libraries that former versions of organizer wrote, as they wrote them, opened today.

Each has nine photos in three clusters, the first of them named, and, but for format 1 that had no
moves, a red photo that was moved to the second. The last organizer of each format made them:

    organizer ingest photos --embedder channel-mean
    organizer recluster --k 3
    organizer clusters rename 1 Fox  # in format 1: organizer name 1 Fox
    organizer clusters move photos/red/000.jpg --to 2
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from organizer.errors import StoreError
from organizer.library import Library
from organizer.library.doctor import Doctor
from organizer.settings import Settings
from organizer.store.database import Database
from organizer.store.migrate_journal import FORMER
from organizer.store.schemas import SCHEMA_VERSION
from organizer.types import AssignmentState, Outcome
from tests.crashes import cut_at_every_write, members

_FIXTURES = Path(__file__).parent / "fixtures"
_FORMATS = sorted(int(file.name.split("_")[3][0]) for file in _FIXTURES.glob("library_of_*"))
_TOLD = "decisions.jsonl"
_PHOTOS = 9


def unpacked(schema: int, to: Path) -> Path:
    """A library of a format, with its photos."""
    to.mkdir(parents=True, exist_ok=True)
    with tarfile.open(_FIXTURES / f"library_of_format_{schema}.tar.xz") as packed:
        packed.extractall(to, filter="data")
    return to


def assert_kept(home: Path, schema: int) -> None:
    """All that was decided holds, and every photo is known."""
    with Library.open(home, Settings()) as library:
        assert library.corrections.constraints().names == {1: "Fox"}
        found = {image_id: (cluster, state) for image_id, cluster, state in members(library)}
        assert len(found) == _PHOTOS
        moved = library.store.photos.image_at(home / "photos" / "red" / "000.jpg")
        assert moved is not None
        if schema > 1:
            assert found[moved] == (2, AssignmentState.DECIDED.value)
        report = library.ingest([home / "photos"])
        assert report.images == _PHOTOS
        assert report.counts[Outcome.ADDED] == report.embedded == 0
        assert {i: (c, s) for i, c, s in members(library)} == found
    assert Doctor(home, Settings()).examine().is_sound


def test_there_is_a_library_of_each_format() -> None:
    assert list(range(1, SCHEMA_VERSION + 1)) == _FORMATS


@pytest.mark.parametrize("schema", _FORMATS)
def test_what_was_decided_is_kept(tmp_path: Path, schema: int) -> None:
    home = unpacked(schema, tmp_path / "home")
    assert_kept(home, schema)
    copy = home / ".organizer" / "safety" / f"format-{schema}"
    assert copy.exists() == (schema < SCHEMA_VERSION)
    if schema < SCHEMA_VERSION:
        assert json.loads((copy / "library.json").read_text())["schema"] == schema
        decided = "journal.sqlite" if schema >= 5 else _TOLD
        assert b"Fox" in (copy / decided).read_bytes()


def test_a_migration_goes_on_whose_last_write_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of format 1 are gone by then."""
    home = unpacked(1, tmp_path / "home")
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write_manifest", _cut)
        with pytest.raises(OSError, match="cut"):
            Library.open(home, Settings())
    assert_kept(home, 1)
    assert not tables_since_in_the_journal(home)


def _cut(*_: object) -> None:
    raise OSError("cut")


def tables_since_in_the_journal(home: Path) -> set[str]:
    """Tables of older formats whose rows the journal has."""
    return {folder.stem for folder in (home / ".organizer").glob("*.lance")} & set(FORMER)


def cut_migrations(schema: int, tmp_path: Path, *, looked_at: int) -> None:
    """Migrate a library again and again, each time cut before another write.

    What so many of these cuts left is looked at, the last one among them.
    """
    old = unpacked(schema, tmp_path / "old")
    homes = list(cut_at_every_write(old, tmp_path, lambda _: None))
    assert len(homes) > 1
    for home in homes[:: -max(1, len(homes) // looked_at)]:
        assert_kept(home, schema)
        assert not tables_since_in_the_journal(home)


def test_a_migration_that_finds_the_disk_full_is_told_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED: no small disk can be mounted here")
    try:
        for schema in (4, 6):
            home = unpacked(schema, disk / str(schema))
            rest = disk / "rest"
            for left in (0, 40_000, 120_000):
                _fill(rest, left=left)
                with pytest.raises(StoreError, match=r"full|room|No space"):
                    Library.open(home, Settings())
                rest.unlink()
            assert_kept(home, schema)
            shutil.rmtree(home)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(file: Path, *, left: int) -> None:
    space = os.statvfs(file.parent)
    file.write_bytes(b"\0" * max(0, space.f_bavail * space.f_frsize - left))


def test_the_doctor_sends_whoever_has_an_older_library_to_the_migration(tmp_path: Path) -> None:
    home = unpacked(4, tmp_path / "home")
    with pytest.raises(StoreError, match="of format 4") as caught:
        Doctor(home).examine()
    assert "organizer status" in caught.value.hint
