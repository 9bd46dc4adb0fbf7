"""Copies that appear under their name only when they are complete and verified."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from organizer.arrange.checks import ChangedError, partial_of
from organizer.arrange.disk import Disk, hash_of, status_of
from organizer.arrange.types import ArrangeStep
from organizer.file_times import modified_ns


def copy_whole(
    disk: Disk,
    step: ArrangeStep,
    source: Path,
    target: Path,
    *,
    check: bool,
    mtime_ns: int | None = None,
) -> None:
    """Copy a file with its time and mode.

    Args:
        disk: The disk.
        step: The step that it belongs to.
        source: The file.
        target: The path of the copy.
        check: Whether the copy is read back and compared.
        mtime_ns: The modification time of the copy; the source's where None.

    Raises:
        ChangedError: The content is not what was planned, or was written wrongly.
        FileExistsError: There is a file at the target.
        OSError: It cannot be copied.
    """
    partial = partial_of(step, target)
    with suppress(FileNotFoundError):
        disk.remove(partial)
    try:
        before = source.stat()
        read = disk.copy(str(source), partial)
        _require_still(source, before)
        _require_content(step, read)
        if check:
            _require_written(partial, read)
        if mtime_ns is not None and mtime_ns != modified_ns(before):
            disk.set_time(partial, mtime_ns)
            disk.sync_file(partial)
        disk.rename(partial, str(target))
    except (OSError, ChangedError):
        with suppress(OSError):
            disk.remove(partial)
        raise


def move_across(
    disk: Disk, step: ArrangeStep, source: Path, target: Path, *, mtime_ns: int | None = None
) -> None:
    """Move a file to another disk: copy, verify, synchronise, and only then remove the source.

    Raises:
        ChangedError: See `copy_whole`.
        FileExistsError: See `copy_whole`.
        OSError: It cannot be copied, or the source cannot be removed; it stays where it was.
    """
    before = source.stat()
    copy_whole(disk, step, source, target, check=True, mtime_ns=mtime_ns)
    try:
        disk.sync_folder(str(target.parent))
        _require_still(source, before)
        disk.remove(str(source))
    except (OSError, ChangedError):
        if status_of(str(source)) is None:  # removed after all: the target may be the last copy
            return
        disk.remove(str(target))
        raise


def _require_still(source: Path, before: os.stat_result) -> None:
    after = source.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise ChangedError("it changed while it was copied")


def _require_content(step: ArrangeStep, read: str) -> None:
    if step.content_hash and read != step.content_hash:
        raise ChangedError("its content changed, though size and time did not")


def _require_written(partial: str, read: str) -> None:
    if hash_of(partial) != read:
        raise ChangedError("the copy on the disk differs from what was written")
