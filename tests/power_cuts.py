"""Power cuts after commands that were done, and during commands.

After a cut the disk is mounted again, and the library on it is asked what it knows: what a command
reported must be there, and nothing may be damaged.
"""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.cut_disks import Disk, FileSystem, UnmountableError, mounted, new_disk
from tests.library_facts import Facts, look, what_failed
from tests.strict_disk import recorded
from tests.warm import Running, Warm

_COPIES = 200
_STOPPED = "T"
_NONE = "there is no library"


# Cut after commands that were done ----------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A command, as it is typed.

    Attributes:
        name: What it does.
        words: What is typed, from what was reported before it.
        before: What a person does to files before it.
        folders: The folders into which it writes.
        settings: Environment variables.
        is_final: Whether an ingest after it finds nothing to add to what is known of the images.
    """

    name: str
    words: Callable[[Facts], Sequence[object]]
    before: Callable[[Path], None] | None = None
    folders: Sequence[str] = ()
    settings: dict[str, str] = field(default_factory=dict)
    is_final: bool = True


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
        is_last: Whether it is the last of its command, and an ingest is to change nothing.
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
    each_by_itself: bool = False,
    from_step: int = 0,
) -> list[Cut]:
    """Type commands one after another, and cut the power after each.

    Args:
        disk: Where the library is.
        warm: What asks the library.
        steps: The commands.
        moments: When the power is cut after each, in this order.
        each_by_itself: Whether what commands before it left is flushed before each.
        from_step: The number of the first command after which the power is cut.
    """
    cuts = []
    facts = Facts({})
    for number, step in enumerate(steps):
        if step.before is not None:
            step.before(disk.home)
        if each_by_itself:
            disk.flush()
        ran = warm.run(*step.words(facts), cwd=disk.home, **step.settings)
        ended = time.monotonic()
        assert ran.code == 0, f"{step.name}: {ran.err}"
        left = []
        for place, moment in enumerate(moments if number >= from_step else ()):
            time.sleep(max(0.0, ended + moment.after - time.monotonic()))
            moment.act(disk)
            file = disk.file.with_name(f"{disk.file.stem}-{number:02}-{place}.cut")
            is_last = moment is moments[-1] and step.is_final
            left.append((f"{step.name}, {moment.name}", disk.cut(file), is_last))
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
        whole = home.rename(scratch / "whole")  # links and moved files keep their inodes
        shutil.copytree(whole, home, symlinks=True)
        # What the upkeep removed of old versions may come back: nothing refers to it.
        back = [name for name in record.cut() if ".lance/" not in str(name)]
        unknown = [f"{name} comes back" for name in back]
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
        return [f"the next ingest: {what_failed(ran)}"]
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
        ran = warm.run(*step.words(facts), cwd=disk.home, **step.settings)
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
    now = look(warm, disk.home)
    if now.failure and (begin.reports or _NONE not in now.failure):
        return now.failure
    if begin.reports and not _is_between(now, begin, end, is_gradual=task.is_gradual):
        return "an image is in a cluster in which it was neither before nor after"
    ran = warm.run(*words, cwd=disk.home)
    if ran.code:
        return f"typed again: {what_failed(ran)}"
    after = look(warm, disk.home)
    if after.failure:
        return f"after it was typed again: {after.failure}"
    return "" if after.groups == end.groups else "typed again it does not come to the same clusters"
