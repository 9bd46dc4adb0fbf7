"""An export is whole or not there, and nothing is overwritten that nobody said to."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from organizer.errors import OrganizerError, SettingsError
from organizer.export.target import replace_export

_HOLDS = frozenset({"a.json", "b.json"})


def _write(
    to: Path, text: str, *, force: bool = False, meanwhile: Callable[[], object] = lambda: None
) -> None:
    with replace_export(to, force=force) as partial:
        assert not partial.exists()
        partial.write_text(text)
        assert not to.exists() or to.read_text() != text, "not before it is whole"
        meanwhile()


def _write_folder(
    to: Path, text: str, *, force: bool = False, meanwhile: Callable[[], object] = lambda: None
) -> None:
    with replace_export(to, force=force, holds=_HOLDS) as partial:
        (partial / "a.json").write_text(text)
        meanwhile()


def _fail(error: BaseException) -> None:
    raise error


def test_a_file_is_there_when_it_is_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    _write(tmp_path / "out.csv", "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "whole"


def test_what_is_there_stays(tmp_path: Path) -> None:
    to = tmp_path / "out.csv"
    to.write_text("mine")
    with pytest.raises(SettingsError, match="is there already") as error:
        _write(to, "new")
    assert "--force" in error.value.hint
    assert to.read_text() == "mine"
    _write(to, "new", force=True)
    assert to.read_text() == "new"


def test_what_came_in_the_meantime_stays_too(tmp_path: Path) -> None:
    to = tmp_path / "out.csv"
    with pytest.raises(SettingsError, match="is there already"):
        _write(to, "ours", meanwhile=lambda: to.write_text("theirs"))
    assert to.read_text() == "theirs"
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt()])
def test_an_export_that_fails_leaves_all_as_it_was(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "file").write_text("mine")
    for name, write in (("file", _write), ("folder", _write_folder)):
        with pytest.raises(type(error)):
            write(tmp_path / name, "half", force=True, meanwhile=lambda: _fail(error))
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_that_is_full_is_said_in_words(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OrganizerError, match="No space left"):
        _write(tmp_path / "out", "half", meanwhile=lambda: _fail(full))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    to = tmp_path / "out"
    _write_folder(to, "first")
    (to / "b.json").write_text("of the first")
    with pytest.raises(SettingsError, match="is there already"):
        _write_folder(to, "second")
    _write_folder(to, "second", force=True)
    assert {file.name: file.read_text() for file in to.iterdir()} == {"a.json": "second"}
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_no_force_replaces_a_folder_that_is_no_export(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.json").write_text("x")
    (photos / "fox.jpg").write_text("x")
    for write in (_write, _write_folder):
        with pytest.raises(SettingsError):
            write(photos, "new", force=True)
    assert len(list(photos.iterdir())) == 2
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SettingsError, match="something other"):
        _write_folder(tmp_path / "file", "new", force=True)


def test_a_target_in_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no folder"):
        _write(tmp_path / "none" / "out.csv", "text")


def test_what_a_kill_left_a_day_ago_is_removed_and_what_is_at_work_is_not(tmp_path: Path) -> None:
    old, new = tmp_path / ".o[u]t.12.partial", tmp_path / ".o[u]t.13.partial"
    other = tmp_path / ".out.14.partial"
    for file in (old, new, other):
        file.mkdir()
        (file / "a.json").write_text("half")
    past = time.time() - 100_000
    for place in (old, other):
        os.utime(place / "a.json", (past, past))
        os.utime(place, (past, past))
    _write(tmp_path / "o[u]t", "whole")
    assert {file.name for file in tmp_path.iterdir()} == {"o[u]t", new.name, other.name}


def test_a_link_that_leads_nowhere_is_something(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="is there already"):
        _write(tmp_path / "out", "text")
    with pytest.raises(SettingsError, match="no file that could be replaced"):
        _write(tmp_path / "out", "text", force=True)


_DIES = """
import os, signal, sys
from pathlib import Path
from organizer.export.target import replace_export

rename = Path.rename
def dies(self, to):
    if self.name.endswith(".partial"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, to)
Path.rename = dies
names = frozenset({"a.json", "b.json"})
with replace_export(Path(sys.argv[1]), force=True, holds=names) as partial:
    (partial / "a.json").write_text("second")
"""


def _killed_between_the_renames(to: Path) -> None:
    _write_folder(to, "first")
    ran = subprocess.run([sys.executable, "-c", _DIES, str(to)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert not to.exists()


def test_a_folder_that_a_kill_left_aside_comes_back(tmp_path: Path) -> None:
    to = tmp_path / "out"
    _killed_between_the_renames(to)
    with pytest.raises(SettingsError, match="is there already"):
        _write_folder(to, "third")
    assert (to / "a.json").read_text() == "first"
    _write_folder(to, "third", force=True)
    assert (to / "a.json").read_text() == "third"
    (left,) = [file.name for file in tmp_path.iterdir() if file != to]
    assert left.endswith(".partial"), "a day is waited for what may be at work"


def test_what_a_kill_left_aside_goes_where_another_has_taken_its_place(tmp_path: Path) -> None:
    to = tmp_path / "out"
    _killed_between_the_renames(to)
    to.mkdir()
    _write_folder(to, "third", force=True)
    assert not [file for file in tmp_path.iterdir() if file.name.endswith(".former")]
    assert (to / "a.json").read_text() == "third"


def test_what_another_process_has_just_moved_aside_is_left_to_it(tmp_path: Path) -> None:
    former = tmp_path / f".out.{os.getppid()}.former"
    former.mkdir()
    notes = tmp_path / ".out.notes.former"
    notes.write_text("mine")
    _write_folder(tmp_path / "out", "new")
    assert former.is_dir()
    assert notes.read_text() == "mine"


def test_a_folder_whose_place_cannot_be_taken_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def fails(self: Path, to: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return rename(self, to)

    _write_folder(tmp_path / "out", "first")
    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OrganizerError, match="Input/output error"):
        _write_folder(tmp_path / "out", "second", force=True)
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "a.json").read_text() == "first"


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What it leads to is replaced; the link stays."""
    disk = tmp_path / "disk"
    disk.mkdir()
    _write_folder(disk / "folder", "first")
    _write(disk / "file", "first")
    for name, write in (("folder", _write_folder), ("file", _write)):
        link = tmp_path / name
        link.symlink_to(disk / name)
        write(link, "second", force=True)
        assert link.is_symlink()
    assert (disk / "folder" / "a.json").read_text() == "second"
    assert (disk / "file").read_text() == "second"
    assert {file.name for file in disk.iterdir()} == {"folder", "file"}


def test_a_folder_may_have_folders_in_it(tmp_path: Path) -> None:
    with replace_export(tmp_path / "out", force=False, holds=frozenset({"data"})) as partial:
        (partial / "data").mkdir()
        (partial / "data" / "a.json").write_text("x")
    assert (tmp_path / "out" / "data" / "a.json").read_text() == "x"


def test_the_longest_name_that_a_file_can_have_is_one(tmp_path: Path) -> None:
    for name in ("x" * 255, "ä" * 127):
        _write(tmp_path / name, "first")
        _write(tmp_path / name, "second", force=True)
        _write_folder(tmp_path / f"y{name[1:]}", "first")
    assert len(list(tmp_path.iterdir())) == 4
