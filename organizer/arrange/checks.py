"""Checks of the disk: whether a step was done, half done, or not at all."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from blake3 import blake3

from organizer.arrange.disk import Disk, hash_of, is_file, link_text, status_of
from organizer.arrange.types import ArrangeMode, ArrangeStep
from organizer.file_times import modified_ns
from organizer.identity import file_hash, picture_hash
from organizer.spelling import name_key

_COARSE_NS = 2 * 10**9
"""The resolution of times on FAT: two seconds."""


class ChangedError(Exception):
    """A file has changed since the arrangement was planned."""


def reason_of(error: OSError | ChangedError) -> str:
    """The reason of an error, as a message to the user."""
    return str(getattr(error, "strerror", None) or error)


def partial_of(step: ArrangeStep, beside: Path) -> str:
    """The path of an unfinished copy: hidden, so that an ingest skips it."""
    both = f"{step.source}\0{step.target}".encode("utf-8", "surrogateescape")
    return f"{beside.parent}{os.sep}.organizer-{blake3(both).hexdigest(8)}.partial"


def folder_time(folder: str) -> int | None:
    """The modification time of a folder in nanoseconds; None where it cannot be read."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116
    except OSError:
        return None


def is_as_planned(step: ArrangeStep, status: os.stat_result | None) -> bool:
    """Whether a file still has the size and the time of the plan."""
    return (
        status is not None
        and stat.S_ISREG(status.st_mode)
        and (status.st_size, modified_ns(status)) == (step.size, step.mtime_ns)
    )


def is_about_as_planned(step: ArrangeStep, status: os.stat_result | None) -> bool:
    """As `is_as_planned`, for a disk with a coarser resolution of times."""
    return (
        status is not None
        and stat.S_ISREG(status.st_mode)
        and status.st_size == step.size
        and abs(modified_ns(status) - step.mtime_ns) < _COARSE_NS
    )


def is_ours(mode: ArrangeMode, step: ArrangeStep, inode: tuple[int, int] | None = None) -> bool:
    """Whether the file at the target of a step is the one that the step makes.

    Args:
        mode: What the step does.
        step: The step.
        inode: Device and inode number of the file before it was moved.

    Raises:
        OSError: It cannot be read.
    """
    if mode is ArrangeMode.SYMLINK:
        return is_link_to(step)
    target = status_of(str(step.target))
    if target is None or is_one_name(str(step.source), str(step.target)):
        return False
    if mode is ArrangeMode.LINK:
        try:
            return os.path.samestat(target, step.source.stat())
        except FileNotFoundError:
            return False
    if mode is ArrangeMode.MOVE and inode == (target.st_dev, target.st_ino):
        return True
    return is_about_as_planned(step, target) and holds_the_content(step)


def is_one_name(first: str, second: str) -> bool:
    """Whether two paths lead to one directory entry: removing the one removes the other.

    This happens where a person replaced a folder or a file with a link to the other, where a plan
    moves a file onto itself, and where names differ only by case or normalisation that the disk
    ignores.

    Raises:
        OSError: They cannot be read.
    """
    first, second = (
        os.path.realpath(path) if os.path.islink(path) else path  # noqa: PTH114
        for path in (first, second)
    )
    (folder, name), (other_folder, other) = os.path.split(first), os.path.split(second)
    if name_key(name) != name_key(other):
        return False
    try:
        if not os.path.samefile(folder, other_folder):  # noqa: PTH121
            return False
    except FileNotFoundError:
        return False
    return name == other or not {name, other} <= set(os.listdir(folder))  # noqa: PTH208


def is_link_to(step: ArrangeStep) -> bool:
    """Whether the target is the symbolic link that the step makes."""
    target = str(step.target)
    status = status_of(target)
    if status is None or not stat.S_ISLNK(status.st_mode):
        return False
    return link_text(target) == str(step.source)


def holds_the_content(step: ArrangeStep) -> bool:
    """Whether the target has the content that was planned.

    A sidecar is compared with its source; where that is gone, size and time have to suffice.
    """
    if step.image_id:
        return hash_of(str(step.target)) == step.content_hash
    source = _followed(step.source)
    if not is_file(source):
        return source is None
    return hash_of(str(step.target)) == hash_of(str(step.source))


def as_edited(step: ArrangeStep, place: Path) -> ArrangeStep | None:
    """A step with the file at a place as it is now, if only its metadata were edited since.

    Raises:
        OSError: It cannot be read.
    """
    status = status_of(str(place))
    if not step.picture_hash or status is None or not is_file(status):
        return None
    data = place.read_bytes()
    if picture_hash(data) != step.picture_hash:
        return None
    return replace(
        step, size=status.st_size, mtime_ns=status.st_mtime_ns, file_hash=file_hash(data)
    )


def are_halves(step: ArrangeStep, source: str, target: str) -> bool:
    """Whether source and target are the two halves of an unfinished move.

    They are two hard links, or a copy and its original. Two paths to one directory entry are not:
    removing one would remove both.

    Raises:
        OSError: They cannot be read.
    """
    if is_one_name(source, target):
        return False
    first, second = os.lstat(source), os.lstat(target)
    if os.path.samestat(first, second):
        return True
    alike = is_about_as_planned(step, first) and is_about_as_planned(step, second)
    return alike and hash_of(source) == hash_of(target)


def clear_up(disk: Disk, mode: ArrangeMode, step: ArrangeStep, *, since: str) -> None:
    """Remove the unfinished copies and empty placeholder files that a killed step leaves.

    Args:
        disk: The disk.
        mode: What the step does: a link needs no placeholder.
        step: The step.
        since: When the arrangement began: an older empty file is not a placeholder.
    """
    began = datetime.fromisoformat(since).timestamp()
    holds = mode in {ArrangeMode.COPY, ArrangeMode.MOVE}
    for place, other in ((step.target, step.source), (step.source, step.target)):
        partial = partial_of(step, place)
        if status_of(partial) is not None:
            disk.remove(partial)
        held = status_of(str(place))
        if (
            holds
            and held is not None
            and is_file(held)
            and held.st_size == 0 < step.size
            and held.st_mtime >= began
            and is_about_as_planned(step, _followed(other))
        ):
            disk.remove(str(place))


def _followed(path: Path) -> os.stat_result | None:
    """The status of a file, following a link; None where there is none."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
