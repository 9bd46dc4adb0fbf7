"""What a command reported is on the disk: it is there when the power is cut right after."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cut_disks import BTRFS, EXT4, XFS, FileSystem, mounted, new_disk
from tests.power_cut_session import (
    FEW,
    INTERRUPTIONS,
    SOME,
    make_photos,
)
from tests.power_cuts import (
    AT_ONCE,
    Interruption,
    broken_promises,
    cut_after_each,
    interrupt,
    moments,
    unflushed,
)
from tests.strict_disk import recorded, require_strace
from tests.warm import Warm, warm_program


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with warm_program(tmp_path_factory.mktemp("printed")) as found:
        yield found


# The tools --------------------------------------------------------------------------------------

_WRITE = """
import os, sys
file = open("file", "wb", buffering=0)
file.write(b"whole")
if "file" in sys.argv: os.fsync(file)
if "late" in sys.argv: file.write(b", and more")
if "rename" in sys.argv: os.rename("file", "other")
if "folder" in sys.argv: os.fsync(os.open(".", os.O_RDONLY))
if "unlink" in sys.argv: os.unlink("file")
"""


@pytest.mark.parametrize(
    ("flushed", "left", "unknown"),
    [
        ("", {}, []),
        ("file", {}, []),
        ("folder", {"file": b""}, []),
        ("file folder", {"file": b"whole"}, []),
        ("file late folder", {"file": b""}, []),
        ("file rename folder", {"other": b"whole"}, []),
        ("file folder unlink", {}, ["file"]),
    ],
)
def test_of_a_recorded_command_only_what_it_flushed_is_left(
    tmp_path: Path, flushed: str, left: dict[str, bytes], unknown: list[str]
) -> None:
    require_strace()
    home = tmp_path / "home"
    home.mkdir()
    record = recorded(home, [sys.executable, "-c", _WRITE, *flushed.split()], tmp_path)
    assert record.cut() == [home / name for name in unknown]
    assert {file.name: file.read_bytes() for file in home.iterdir()} == left


@pytest.mark.parametrize("is_flushed", [False, True])
def test_of_a_disk_that_is_cut_only_what_was_flushed_is_left(
    tmp_path: Path, is_flushed: bool
) -> None:
    EXT4.require(tmp_path)
    with new_disk(EXT4, tmp_path) as disk:
        disk.flush()
        (disk.home / "file").write_text("whole")
        if is_flushed:
            disk.flush()
        left = disk.cut(tmp_path / "left")
    with mounted(left, tmp_path) as disk:
        assert [file.name for file in disk.home.iterdir()] == ["file"][:is_flushed]


# The library ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_was_reported_is_there_after_a_power_cut(warm: Warm, tmp_path: Path) -> None:
    if EXT4.obstacle(tmp_path):
        require_strace()
        home = tmp_path / "home"
        make_photos(home)
        wrong = unflushed(home, warm, FEW, tmp_path)
        assert not wrong, "\n".join(wrong)
        return
    with new_disk(EXT4, tmp_path) as disk:
        make_photos(disk.home)
        disk.flush()
        cuts = cut_after_each(disk, warm, SOME, [AT_ONCE])
    wrong = broken_promises(cuts, warm, tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("system", [XFS, BTRFS], ids=str)
def test_what_was_reported_is_there_on_other_file_systems(
    warm: Warm, tmp_path: Path, system: FileSystem
) -> None:
    system.require(tmp_path)
    with new_disk(system, tmp_path) as disk:
        make_photos(disk.home)
        disk.flush()
        cuts = cut_after_each(disk, warm, FEW, [AT_ONCE])
    wrong = broken_promises(cuts, warm, tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("task", INTERRUPTIONS[1:2], ids=str)
def test_a_power_cut_during_a_command_damages_nothing(
    warm: Warm, tmp_path: Path, task: Interruption
) -> None:
    EXT4.require(tmp_path)
    delays = moments(0, at_most=0.02)
    cuts, wrong = interrupt(EXT4, warm, tmp_path, make_photos, task, delays, most=4)
    assert cuts >= 2, "the command had ended: the test tests nothing"
    assert not wrong, "\n".join(wrong)
