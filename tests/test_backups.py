"""Backups: one state of a library, each content once, whole or not there, and back."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from organizer.errors import EXIT_DAMAGED, SettingsError, StoreError
from organizer.library import Library
from organizer.library.backups import BackupFolder, check_backups, restore_backup
from organizer.library.doctor import Doctor
from organizer.library.progress import NoProgress
from organizer.settings import Settings
from tests.conftest import make_groups, make_photo
from tests.crashes import COLOUR, SMALL, make_begun
from tests.doctoring import Known
from tests.typed import in_this_process


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_begun(tmp_path_factory.mktemp("begun"))


@pytest.fixture
def home(begun: Path, tmp_path: Path) -> Path:
    return shutil.copytree(begun, tmp_path / "home")


def test_a_library_comes_back_as_it_was(home: Path, tmp_path: Path) -> None:
    known = Known.of(home)
    with Library.open(home, SMALL) as library:
        report = library.backup(tmp_path / "backups")
        assert (report.images, report.decisions) == (12, 1)
        assert report.copied == report.files
        library.corrections.rename(2, "Later")
        second = library.backup(tmp_path / "backups")
        assert second.copied == 1, "only the journal has changed"
    first = BackupFolder(tmp_path / "backups").all()[0]
    restored = restore_backup(tmp_path / "backups", tmp_path / "new", at=first.name)
    assert restored.library == tmp_path / "new" / ".organizer"
    shutil.copytree(home / "photos", tmp_path / "new" / "photos")
    assert Known.of(tmp_path / "new") == known
    assert Doctor(tmp_path / "new").examine().is_sound
    with Library.open(tmp_path / "new", SMALL) as library:
        library.corrections.rename(2, "Another")
        assert library.ingest([tmp_path / "new" / "photos"]).embedded == 0
    restore_backup(tmp_path / "backups", tmp_path / "last")
    assert Known.of(tmp_path / "last").names == {1: "First", 2: "Later"}


def test_a_backup_is_made_while_others_write(home: Path, tmp_path: Path) -> None:
    stop, failures, names = threading.Event(), [], 0

    def write() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                make_photo(home / "photos" / f"{number}.jpg", 10_000 + number)
                with Library.open(home, SMALL) as library:
                    library.ingest([home / "photos"], embedder=COLOUR)
                    library.corrections.rename(2, f"name {number}")
        except BaseException as error:
            failures.append(error)
            raise

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(4):
            with Library.open(home, SMALL) as library:
                library.backup(tmp_path / "backups")
            to = tmp_path / f"restored {number}"
            restore_backup(tmp_path / "backups", to)
            known = Known.of(to)
            assert set(known.files.values()) <= known.members.keys()
            assert known.vectors[COLOUR] == len(known.members)
            assert Doctor(to).examine().is_sound
            names += len(known.names)
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert names >= 4


def test_decisions_are_there_in_lines_with_ids_and_paths(home: Path, tmp_path: Path) -> None:
    with Library.open(home, SMALL) as library:
        moved = home / "photos" / "red" / "000.jpg"
        library.corrections.move(moved, 1)
        library.undo()
        report = library.backup(tmp_path / "backups")
        image_id = library.store.photos.image_at(moved)
    lines = (report.folder / "decisions.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["decision"], row["name"], row["holds"]) for row in rows] == [
        ("name", "First", True),
        ("move", "", False),
    ]
    assert rows[1]["images"] == [{"id": image_id, "paths": [str(moved)], "group": 0}]


def test_the_last_backups_stay_and_older_contents_go(home: Path, tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path / "backups")
    for number in range(4):
        with Library.open(home, SMALL) as library:
            library.corrections.rename(1, f"name {number}")
            report = library.backup(folder.path, keep=2)
    assert len(folder.all()) == 2
    assert len(report.removed) == 1
    used = {file.hash for info in folder.all() for file in folder.files_of(info)}
    assert {file.name for file in folder.objects()} == used
    assert all(check.is_whole for check in check_backups(folder.path))


def test_nothing_is_restored_over_a_library(home: Path, tmp_path: Path) -> None:
    with Library.open(home, SMALL) as library:
        library.backup(tmp_path / "backups")
    before = Known.of(home)
    with pytest.raises(SettingsError, match="nothing is restored over it") as caught:
        restore_backup(tmp_path / "backups", home)
    assert "mv" in caught.value.hint
    assert Known.of(home) == before


def test_a_damaged_backup_is_told_and_restores_nothing(home: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    assert in_this_process(home, "backup", str(backups)).code == 0
    folder = BackupFolder(backups)
    file = next(f for f in folder.files_of(folder.all()[0]) if "images.lance/data" in f.path)
    content = folder.content(file.hash)
    content.write_bytes(content.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match="the backup is damaged"):
        restore_backup(backups, tmp_path / "new")
    assert not (tmp_path / "new" / ".organizer").exists()
    checked = in_this_process(home, "backup", str(backups), "--check", "--json")
    assert checked.code == EXIT_DAMAGED
    assert checked.json["backups"][0]["damaged"] == [file.path]
    assert in_this_process(home, "backup", str(backups), "--json").json["copied"] == 1
    assert in_this_process(home, "backup", str(backups), "--check").code == 0
    assert in_this_process(home, "restore", str(backups), "--to", str(tmp_path / "new")).code == 0


def test_damage_is_not_backed_up(home: Path, tmp_path: Path) -> None:
    (file, *_) = (home / ".organizer" / "images.lance" / "data").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with (
        Library.open(home, SMALL) as library,
        pytest.raises(StoreError, match="other bytes than were written") as caught,
    ):
        library.backup(tmp_path / "backups")
    assert "organizer doctor" in caught.value.hint
    assert BackupFolder(tmp_path / "backups").all() == []


def test_an_interrupted_backup_is_none_and_the_next_one_goes_on(home: Path, tmp_path: Path) -> None:
    class Interrupted(NoProgress):
        done = 0

        def advance(self, steps: int = 1) -> None:
            self.done += steps
            if self.done > 10:
                raise KeyboardInterrupt

    with Library.open(home, SMALL) as library:
        with pytest.raises(KeyboardInterrupt):
            library.backup(tmp_path / "backups", progress=Interrupted())
        assert BackupFolder(tmp_path / "backups").all() == []
        report = library.backup(tmp_path / "backups")
        assert 0 < report.copied < report.files
    assert all(check.is_whole for check in check_backups(tmp_path / "backups"))


def test_a_killed_backup_leaves_those_before_it(home: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    with Library.open(home, SMALL) as library:
        library.backup(backups)
        make_groups(home / "more", each=4, seed=900)
        library.ingest([home / "more"])
    kept = len(list(BackupFolder(backups).objects()))
    command = [sys.executable, "-m", "organizer", "backup", str(backups)]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL) as process:
        while len(list(BackupFolder(backups).objects())) == kept and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert all(check.is_whole for check in check_backups(backups))
    with Library.open(home, SMALL) as library:
        library.backup(backups)
    restore_backup(backups, tmp_path / "new")
    assert Known.of(tmp_path / "new").members == Known.of(home).members


def test_a_folder_holds_backups_of_one_library(home: Path, tmp_path: Path) -> None:
    with Library.open(home, SMALL) as library:
        library.backup(tmp_path / "backups")
        with pytest.raises(SettingsError, match="lies in the library"):
            library.backup(home / ".organizer" / "backups")
    with (
        Library.open_or_create(tmp_path / "other", Settings()) as library,
        pytest.raises(SettingsError, match="another library"),
    ):
        library.backup(tmp_path / "backups")
