"""Power cuts: a library on a disk whose content is taken as it is, at any moment.

A disk is a file with a file system in it, mounted through a loop device. What the file holds is
what the file system has written so far; what only lies in memory is not in it. A copy of the file
is the disk after the power was cut: it is mounted, which replays the journal of the file system,
and the library on it is asked what it knows.

The disk here keeps everything that the file system has sent to it: it has no cache of its own that
a power cut would empty. It is only ever kinder than a real one.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Ran
from tests.strict_disk import recorded
from tests.warm import Running, Warm

_MEGABYTE = 1 << 20
_TRIES = 200
_COPIES = 200
_STOPPED = "T"
_DONE = "exit code 0"

REPORTS: dict[str, tuple[str, ...]] = {
    "status": ("status", "--json"),
    "clusters": ("clusters", "--json"),
    "history": ("clusters", "history", "--json"),
    "problems": ("problems", "--json"),
    "deployments": ("deployments", "--json"),
    "detections": ("detections", "--json"),
    "review": ("review", "--json"),
    "images": ("export", "csv", "--to", "-", "--with-people"),
}
"""What a library is asked for, in the order in which it is printed."""


# Disks --------------------------------------------------------------------------------------


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


# What a library says ------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What a library reports, and the files in folders that it wrote.

    Attributes:
        reports: What each of `REPORTS` printed.
        files: The hash of the content of each file, by its path on the disk.
        failure: Why it reports nothing; empty where it does.
    """

    reports: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    @property
    def rows(self) -> list[dict[str, str]]:
        """What is known of each image."""
        printed = self.reports["images"].removesuffix(_DONE)
        return list(csv.DictReader(io.StringIO(printed)))

    @property
    def clusters(self) -> dict[str, str]:
        """The cluster of each image, by the path."""
        return {row["path"]: row["cluster_id"] for row in self.rows}

    def cluster_with(self, part: str) -> int:
        """The cluster of the first image whose path holds a word."""
        return int(next(row["cluster_id"] for row in self.rows if part in row["path"]))

    @property
    def groups(self) -> set[frozenset[str]]:
        """Who is with whom."""
        found: dict[str, set[str]] = {}
        for path, cluster in self.clusters.items():
            found.setdefault(cluster, set()).add(path)
        return {frozenset(group) for group in found.values()}

    def lacking_in(self, found: Facts) -> list[str]:
        """What a library that should report the same reports otherwise."""
        if found.failure:
            return [found.failure]
        other = [name for name in REPORTS if self.reports[name] != found.reports[name]]
        gone = [name for name, content in self.files.items() if found.files.get(name) != content]
        files = [f"{len(gone)} files are not there, such as {gone[0]}"] if gone else []
        return [f"{name} differs" for name in other] + files


def look(warm: Warm, home: Path, *, folders: Sequence[str] = ()) -> Facts:
    """All that a library reports, and what is in some of its folders."""
    ran, printed = warm.run_all(list(REPORTS.values()), cwd=home)
    if "damaged" in ran.err or len(printed) < len(REPORTS) or not printed[0].endswith(_DONE):
        return Facts({}, failure=_said(ran))
    files = [file for name in folders for file in (home / name).rglob("*") if file.is_file()]
    return Facts(
        dict(zip(REPORTS, printed, strict=True)),
        {
            str(file.relative_to(home)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        },
    )


def _said(ran: Ran) -> str:
    lines = ran.err.strip().splitlines() or ["nothing"]
    first = next((line for line in lines if line.startswith("error:")), lines[-1])
    return f"exit code {ran.code}: {first:.240}"


# Cut after commands that were done ----------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A command, as it is typed.

    Attributes:
        name: What it does.
        words: What is typed, from what was reported before it.
        before: What a person does to files before it.
        folders: The folders into which it writes.
    """

    name: str
    words: Callable[[Facts], Sequence[object]]
    before: Callable[[Path], None] | None = None
    folders: Sequence[str] = ()


@dataclass(frozen=True)
class Moment:
    """When the power is cut.

    Attributes:
        name: In words.
        after: Seconds after the command ended.
        act: What is done to the disk just before.
    """

    name: str
    after: float = 0.0
    act: Callable[[Disk], None] = lambda _: None


AT_ONCE = Moment("0.2 s after", 0.2)
AT_A_COMMIT = Moment("after a commit of the file system", act=Disk.commit)


@dataclass(frozen=True)
class Cut:
    """What is left of a disk, and what was promised of it.

    Attributes:
        name: After what the power was cut, and when.
        file: The disk.
        promised: What was reported before.
        is_last: Whether it is the last of its command.
    """

    name: str
    file: Path
    promised: Facts
    is_last: bool


def cut_after_each(
    disk: Disk,
    warm: Warm,
    steps: Sequence[Step],
    moments: Sequence[Moment],
    *,
    typed: Callable[..., Ran] | None = None,
    each_by_itself: bool = False,
) -> list[Cut]:
    """Type commands one after another, and cut the power after each.

    Args:
        disk: Where the library is.
        warm: What asks the library.
        steps: The commands.
        moments: When the power is cut after each, in this order.
        typed: What types the commands; `warm` where None.
        each_by_itself: Whether what commands before it left is flushed before each.
    """
    cuts = []
    facts = Facts({})
    for number, step in enumerate(steps):
        if step.before is not None:
            step.before(disk.home)
        if each_by_itself:
            disk.flush()
        ran = (typed or warm.run)(*step.words(facts), cwd=disk.home)
        ended = time.monotonic()
        assert ran.code == 0, f"{step.name}: {ran.err}"
        left = []
        for place, moment in enumerate(moments):
            time.sleep(max(0.0, ended + moment.after - time.monotonic()))
            moment.act(disk)
            file = disk.file.with_name(f"{disk.file.stem}-{number:02}-{place}.cut")
            left.append((f"{step.name}, {moment.name}", disk.cut(file), moment is moments[-1]))
        facts = look(warm, disk.home, folders=step.folders)
        assert not facts.failure, f"{step.name}: {facts.failure}"
        cuts += [Cut(name, file, facts, is_last) for name, file, is_last in left]
    return cuts


def broken_promises(cuts: Sequence[Cut], warm: Warm, scratch: Path) -> list[str]:
    """What was reported before the power was cut, and is not there after it."""
    wrong = []
    for cut in cuts:
        try:
            with mounted(cut.file, scratch) as disk:
                found = _broken_on(disk, cut, warm)
        except UnmountableError as error:
            found = [f"the file system is damaged: {error}"]
        finally:
            cut.file.unlink()
        if found:
            wrong.append(f"{cut.name}: {'; '.join(found)}")
    return wrong


def unflushed(home: Path, warm: Warm, steps: Sequence[Step], scratch: Path) -> list[str]:
    """What was reported and was not flushed, by a record of the system calls; see `strict_disk`."""
    wrong = []
    facts = Facts({})
    for step in steps:
        if step.before is not None:
            step.before(home)
        words = step.words(facts)
        record = recorded(home, (sys.executable, "-m", "organizer", *words), scratch)
        facts = look(warm, home, folders=step.folders)
        whole = Path(shutil.copytree(home, scratch / "whole"))
        unknown = [f"{name} comes back" for name in record.cut()]
        found = facts.lacking_in(look(warm, home, folders=step.folders)) + unknown
        if found:
            wrong.append(f"{step.name}: {'; '.join(found)}")
        shutil.rmtree(home)
        whole.rename(home)
    return wrong


def _broken_on(disk: Disk, cut: Cut, warm: Warm) -> list[str]:
    promised = cut.promised
    folders = sorted({name.split("/")[0] for name in promised.files})
    found = promised.lacking_in(look(warm, disk.home, folders=folders))
    if found or not cut.is_last:
        return found
    # What an interrupted writer left is put right by the next one, which must keep what was said.
    ran = warm.run("ingest", cwd=disk.home)
    if ran.code:
        return [f"the next ingest: {_said(ran)}"]
    after = look(warm, disk.home, folders=folders)
    return [f"after the next ingest: {one}" for one in promised.lacking_in(after)]


# Cut during a command -----------------------------------------------------------------------


def cut_during(disk: Disk, running: Running, delays: Iterator[float]) -> list[Path]:
    """Cut the power again and again while a command writes, until it ends.

    The process is stopped while a copy is made, so that a copy is of one moment. Every other copy
    is made after a commit of the file system.
    """
    left: list[Path] = []
    seen = _tree(disk.home)
    try:
        while len(left) < _COPIES:
            time.sleep(next(delays))
            if not _stopped(running):
                break
            if (tree := _tree(disk.home)) != seen:
                seen = tree
                if len(left) % 2:
                    disk.commit()
                left.append(disk.cut(disk.file.with_name(f"{disk.file.stem}-{len(left):03}.cut")))
            running.send(signal.SIGCONT)
    finally:
        running.send(signal.SIGCONT)
    return left


def _tree(folder: Path) -> set[tuple[str, int, int]]:
    """The files below a folder, with size and time."""
    found = [(path, path.stat()) for path in folder.rglob("*") if path.is_file()]
    return {(str(path), status.st_size, status.st_mtime_ns) for path, status in found}


def _some(files: Sequence[Path], most: int) -> list[Path]:
    """Some of the files, evenly; the others are removed."""
    kept = {files[round(i)] for i in np.linspace(0, len(files) - 1, min(most, len(files)))}
    for file in set(files) - kept:
        file.unlink()
    return sorted(kept)


def _stopped(running: Running) -> bool:
    """Stop a process; whether it had not ended before."""
    running.send(signal.SIGSTOP)
    while running.code() is None:
        if _state(running.pid) == _STOPPED:
            return True
        time.sleep(0.001)
    return False


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def moments(seed: int, *, at_most: float) -> Iterator[float]:
    """How long to wait for the next moment, without end."""
    draw = np.random.default_rng(seed)
    while True:
        yield float(draw.uniform(0.0, at_most))


@dataclass(frozen=True)
class Interruption:
    """A command that is cut while it is at work.

    Attributes:
        name: What it does.
        steps: The commands before it.
        words: The command; typed again it does what was not done.
        before: What a person does to files before it.
        settings: Environment variables.
        is_gradual: Whether what it has done so far counts, as that of an ingest.
    """

    name: str
    steps: Sequence[Step]
    words: Callable[[Facts], Sequence[object]]
    before: Callable[[Path], None] | None = None
    settings: dict[str, str] = field(default_factory=dict)
    is_gradual: bool = False

    def __str__(self) -> str:
        return self.name


def interrupt(
    system: FileSystem,
    warm: Warm,
    scratch: Path,
    make: Callable[[Path], None],
    task: Interruption,
    delays: Iterator[float],
    *,
    most: int,
) -> tuple[int, list[str]]:
    """Cut the power while a command is at work.

    Args:
        system: The file system of the disk.
        warm: What types the commands.
        scratch: Where the disk is made.
        make: Makes the photos in a folder.
        task: The command.
        delays: How long to wait before each cut.
        most: How many cuts are looked at.

    Returns:
        How many were looked at, and what was wrong after them.
    """
    with new_disk(system, scratch) as disk:
        make(disk.home)
        begin = _done(disk, warm, task.steps)
        if task.before is not None:
            task.before(disk.home)
        disk.flush()
        words = task.words(begin)
        running = warm.begin(words, cwd=disk.home, **task.settings)
        left = _some(cut_during(disk, running, delays), most)
        ran = running.finish()
        assert ran.code == 0, ran.err
        end = look(warm, disk.home)
    wrong = []
    for file in left:
        try:
            with mounted(file, scratch) as disk:
                found = _wrong_after_a_cut(disk, warm, task, words, begin, end)
        except UnmountableError as error:
            found = f"the file system is damaged: {error}"
        finally:
            file.unlink()
        if found:
            wrong.append(f"{task.name}, cut {file.stem}: {found}")
    return len(left), wrong


def _done(disk: Disk, warm: Warm, steps: Sequence[Step]) -> Facts:
    facts = Facts({})
    for step in steps:
        ran = warm.run(*step.words(facts), cwd=disk.home)
        assert ran.code == 0, f"{step.name}: {ran.err}"
        facts = look(warm, disk.home)
    return facts


def _is_between(now: Facts, begin: Facts, end: Facts, *, is_gradual: bool) -> bool:
    if is_gradual:
        return begin.clusters.items() <= now.clusters.items() and (
            now.clusters.keys() <= end.clusters.keys()
        )
    return now.groups in (begin.groups, end.groups)


def _wrong_after_a_cut(
    disk: Disk, warm: Warm, task: Interruption, words: Sequence[object], begin: Facts, end: Facts
) -> str:
    if begin.reports:
        now = look(warm, disk.home)
        if now.failure:
            return now.failure
        if not _is_between(now, begin, end, is_gradual=task.is_gradual):
            return "an image is in a cluster in which it was neither before nor after"
    ran = warm.run(*words, cwd=disk.home)
    if ran.code:
        return f"typed again: {_said(ran)}"
    after = look(warm, disk.home)
    if after.failure:
        return f"after it was typed again: {after.failure}"
    return "" if after.groups == end.groups else "typed again it does not come to the same clusters"
