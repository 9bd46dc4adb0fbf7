"""Disks whose content can be taken as it is at any moment, as if the power were cut.

A disk is a file with a file system in it, mounted through a loop device. What the file holds is
what the file system has written so far; what only lies in memory is not in it. A copy of the file
is the disk after the power was cut: mounting it replays the journal of the file system.

The disk keeps everything that the file system has sent to it: it has no cache of its own that a
power cut would empty. It is only ever kinder than a real one; see `tests.strict_disk`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_MEGABYTE = 1 << 20
_TRIES = 200
_BTRFS_START_SYNC = 0x80089418
_BTRFS_WAIT_SYNC = 0x40089416


@dataclass(frozen=True)
class FileSystem:
    """A file system, how large a disk it wants, and how it is mounted."""

    name: str
    megabytes: int
    options: str = "defaults"

    def __str__(self) -> str:
        return self.name

    def require(self, scratch: Path) -> None:
        """Skip the test where such a disk cannot be mounted."""
        if why := self.obstacle(scratch):
            pytest.skip(f"NOT TESTED: {why}")

    def obstacle(self, scratch: Path) -> str:
        """Why such a disk cannot be mounted; empty where it can."""
        if sys.platform != "linux" or os.geteuid() != 0:
            return "only root of a Linux system can mount a disk"
        if shutil.which(f"mkfs.{self.name}") is None:
            return f"there is no mkfs.{self.name}"
        try:
            with new_disk(self, scratch):
                return ""
        except UnmountableError as error:
            return f"no {self.name} can be mounted through a loop device: {error}"


EXT4 = FileSystem("ext4", 192)
XFS = FileSystem("xfs", 320)
# By itself it writes everything only every 30 seconds, which is too long to wait for.
BTRFS = FileSystem("btrfs", 192, "commit=5")
FILE_SYSTEMS = (EXT4, XFS, BTRFS)
WRITE_THROUGH = FileSystem("ext4", 192, "sync,dirsync")
"""Writes everything at once: on it nothing is lost, whatever a program does."""


class UnmountableError(Exception):
    """The system refuses to mount a disk."""


@dataclass(frozen=True)
class Disk:
    """A mounted disk.

    Attributes:
        file: What is on the disk.
        folder: Where it is mounted.
    """

    file: Path
    folder: Path

    @property
    def home(self) -> Path:
        """The folder on the disk with the photos and the library."""
        return self.folder / "home"

    def flush(self) -> None:
        """Have all on the disk that was written to it so far."""
        subprocess.run(["sync", "--file-system", self.folder], check=True)

    def commit(self) -> None:
        """Have the file system write its journal, as it does every some seconds by itself.

        The name of a file that was not flushed can then be on the disk before its content is: the
        bystander is the one file that is promised.
        """
        with (self.folder / "bystander").open("a") as bystander:
            bystander.write("here\n")
            bystander.flush()
            os.fsync(bystander.fileno())
        _commit_btrfs(self.folder)

    def cut(self, to: Path) -> Path:
        """What would be left of the disk if the power were cut now.

        While the disk is being written a copy would hold what never was on it at one time, so the
        copy is made again until nothing was.
        """
        for _ in range(_TRIES):
            before = self._writes()
            subprocess.run(["cp", "--sparse=always", self.file, to], check=True)
            if before == self._writes() and not before[1]:
                return to
        raise AssertionError(f"{self.folder} was being written all the time")

    def _writes(self) -> tuple[str, int]:
        """How many writes there were, and how many there are just now."""
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        (device,) = [Path(source).name for source, where, *_ in mounts if where == str(self.folder)]
        found = Path(f"/sys/block/{device}/stat").read_text().split()
        return found[4], int(found[8])


def _commit_btrfs(folder: Path) -> None:
    """Have btrfs write its tree; other file systems do so with any file that is flushed."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        transaction = bytearray(8)
        fcntl.ioctl(descriptor, _BTRFS_START_SYNC, transaction)
        fcntl.ioctl(descriptor, _BTRFS_WAIT_SYNC, transaction)
    except OSError as error:
        if error.errno != errno.ENOTTY:  # it is not btrfs
            raise
    finally:
        os.close(descriptor)


@contextmanager
def new_disk(system: FileSystem, scratch: Path) -> Iterator[Disk]:
    """An empty disk with a file system."""
    file = scratch / f"{system}.disk"
    with file.open("wb") as made:
        made.truncate(system.megabytes * _MEGABYTE)
    subprocess.run([f"mkfs.{system}", "-q", file], check=True, stdout=subprocess.DEVNULL)
    try:
        with mounted(file, scratch, system.options) as disk:
            disk.home.mkdir()
            yield disk
    finally:
        file.unlink()


@contextmanager
def mounted(file: Path, scratch: Path, options: str = "defaults") -> Iterator[Disk]:
    """Mount a disk, always at the same place, so that the paths on it are always the same."""
    folder = scratch / "mounted"
    folder.mkdir(exist_ok=True)
    # `mount -o loop` has the device go when it is unmounted, whatever becomes of this process.
    done = subprocess.run(
        ["mount", "-o", f"loop,{options}", file, folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UnmountableError(done.stderr.strip())
    try:
        yield Disk(file, folder)
    finally:
        _unmount(folder)


def _unmount(folder: Path) -> None:
    for _ in range(20):
        if subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "--lazy", folder], check=True)  # goes when nothing is open any more
