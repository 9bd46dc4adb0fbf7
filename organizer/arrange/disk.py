"""The file operations of an arrangement, one method each, so that a test can fail any of them.

None replaces a file: a file at the target makes the operation fail with `FileExistsError`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable

from blake3 import blake3

from organizer import durable

_CHUNK = 1 << 20
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
_ID_BYTES = 16
_HERE = -100  # AT_FDCWD of Linux: paths are not relative to a descriptor
_NOT_OVER_LINUX, _NOT_OVER_MACOS = 1, 4  # RENAME_NOREPLACE, RENAME_EXCL

NO_LINKS = frozenset([errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV])
"""Errors of a file system without links, or without links across disks."""

FULL = frozenset([errno.ENOSPC, errno.EDQUOT])
"""Errors of a full disk, or of an exhausted quota."""

_NO_SUCH_CALL = frozenset([errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP])


class Disk:
    """The real disk. Paths are text."""

    def __init__(self) -> None:
        self._rename_new = _system_rename()
        self._sync_disk = _system_sync()

    def link(self, source: str, target: str) -> None:
        """Make a hard link; a symbolic link is followed."""
        os.link(os.path.realpath(source) if os.path.islink(source) else source, target)  # noqa: PTH114

    def symlink(self, source: str, target: str) -> None:
        """Make a symbolic link."""
        os.symlink(source, target)  # noqa: PTH211

    def rename(self, source: str, target: str) -> None:
        """Move a file on one disk without overwriting another.

        Where the system has no call for it, a hard link is made and the source removed; where there
        are no hard links, the source is renamed over an empty placeholder file.
        """
        if self._rename_new is not None:
            try:
                self._rename_new(source, target)
            except OSError as error:
                if error.errno not in _NO_SUCH_CALL:
                    raise
            else:
                return
        try:
            self.link_as_it_is(source, target)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in NO_LINKS - {errno.EXDEV}:
                raise
            self._rename_onto_own(source, target)
            return
        try:
            self.remove(source)
        except OSError:  # a network disk may report failure although it removed the file
            status = status_of(source)
            if status is None or not os.path.samestat(status, os.lstat(target)):
                return
            self.remove(target)
            raise

    def link_as_it_is(self, source: str, target: str) -> None:
        """Make a hard link, also of a symbolic link itself."""
        os.link(source, target)

    def hold(self, target: str) -> None:
        """Make an empty placeholder file."""
        os.close(os.open(target, _NEW, 0o600))

    def replace(self, source: str, target: str) -> None:
        """Rename over the empty file that `hold` made."""
        os.replace(source, target)  # noqa: PTH105

    def copy(self, source: str, target: str) -> str:
        """Copy a file with its metadata, and synchronise it to the disk.

        Returns:
            The hash of the content that was read.
        """
        made = blake3()
        descriptor = os.open(target, _NEW, 0o600)
        with open(descriptor, "wb") as out, open(source, "rb") as file:  # noqa: PTH123
            while chunk := file.read(_CHUNK):
                made.update(chunk)
                self.write(out.fileno(), chunk)
            _copy_status(source, target)
            self.sync(out.fileno())
        return made.hexdigest(_ID_BYTES)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all the data."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        """Synchronise a file to the disk."""
        os.fsync(descriptor)

    def sync_file(self, path: str) -> None:
        """Synchronise a file with its times to the disk."""
        durable.sync_file(path)

    def sync_folder(self, path: str) -> None:
        """Synchronise the names in a folder to the disk, where the system can do that."""
        durable.sync_folder(path)

    def sync_all(self, folder: str) -> None:
        """Synchronise all files of the disk that a folder is on.

        One call for a hundred thousand photos; where the system has none, it is asked to begin.
        """
        if self._sync_disk is not None:
            self._sync_disk(folder)

    def remove(self, path: str) -> None:
        """Remove a file."""
        os.unlink(path)  # noqa: PTH108

    def make_folder(self, path: str) -> None:
        """Make one folder."""
        os.mkdir(path)  # noqa: PTH102

    def remove_folder(self, path: str) -> None:
        """Remove a folder that is empty."""
        os.rmdir(path)  # noqa: PTH106

    def set_time(self, path: str, mtime_ns: int) -> None:
        """Set a modification time."""
        os.utime(path, ns=(os.stat(path).st_atime_ns, mtime_ns))  # noqa: PTH116

    def free(self, path: str) -> int:
        """The bytes that are free on the disk of a folder."""
        return shutil.disk_usage(path).free

    def _rename_onto_own(self, source: str, target: str) -> None:
        self.hold(target)
        try:
            self.replace(source, target)
        except OSError:
            if status_of(source) is None:  # it was moved in spite of the error
                return
            self.remove(target)
            raise


def status_of(path: str) -> os.stat_result | None:
    """The status of a file, not following a link; None where there is none."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def link_text(path: str) -> str:
    """What a symbolic link leads to, as it was given when the link was made.

    Raises:
        OSError: It is no symbolic link.
    """
    text = os.readlink(path)  # noqa: PTH115
    return plain_path(text) if os.name == "nt" else text


def plain_path(text: str) -> str:
    r"""A path without what Windows puts before it: ``\\?\C:\a``, ``\\?\UNC\server\a``."""
    if text.startswith("\\\\?\\UNC\\"):
        return "\\\\" + text.removeprefix("\\\\?\\UNC\\")
    return text.removeprefix("\\\\?\\")


def is_file(status: os.stat_result | None) -> bool:
    """Whether it is a regular file."""
    return status is not None and stat.S_ISREG(status.st_mode)


def hash_of(path: str) -> str:
    """The image id of a file's content, read from the disk and not a cache where possible."""
    made = blake3()
    with open(path, "rb") as file:  # noqa: PTH123
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := file.read(_CHUNK):
            made.update(chunk)
    return made.hexdigest(_ID_BYTES)


def _copy_status(source: str, target: str) -> None:
    try:
        shutil.copystat(source, target)
    except PermissionError:  # FAT has no modes
        status = os.stat(source)  # noqa: PTH116
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _system_rename() -> Callable[[str, str], None] | None:
    """The system's call that renames without replacing, where it has one."""
    if os.name == "nt":
        return os.rename
    system = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        call = getattr(system, "renamex_np", None)
    else:
        call = getattr(system, "renameat2", None)
    if call is None:
        return None

    def rename(source: str, target: str) -> None:
        old, new = os.fsencode(source), os.fsencode(target)
        if sys.platform == "darwin":
            failed = call(old, new, ctypes.c_uint(_NOT_OVER_MACOS))
        else:
            failed = call(_HERE, old, _HERE, new, ctypes.c_uint(_NOT_OVER_LINUX))
        if failed:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), source, None, target)

    return rename


def _system_sync() -> Callable[[str], None] | None:
    """The system's call that synchronises one disk, or else all of them."""
    if os.name == "nt":
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return lambda _: os.sync()

    def sync(folder: str) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if call(descriptor):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), folder)
        finally:
            os.close(descriptor)

    return sync
