"""Folder -> ImageRef: every file under it that may hold an image, in a fixed order.

Hidden files and folders and what systems leave behind (``Thumbs.db``, ``@eaDir``) are passed over.
Links to folders are followed after the real folders, each folder once, so that a loop ends and a
file is found under its own path rather than through a link.
"""

from __future__ import annotations

import os
import stat
from collections import Counter, deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from organizer.companions import find_companions, split_name, title_in
from organizer.errors import SettingsError
from organizer.file_kinds import VIDEO_SUFFIXES, image_suffixes
from organizer.file_times import modified_ns
from organizer.live_photos import is_of_live_photo
from organizer.spelling import is_unicode
from organizer.types import ImageRef, Outcome, Problem

_SYSTEM_FOLDERS = frozenset(
    ["@eadir", "$recycle.bin", "system volume information", "lost+found", "__macosx"]
)


@dataclass(slots=True)
class Walk:
    """One walk over a folder or a single file; iterate it once.

    Attributes:
        root: Absolute folder that all paths are relative to.
        start: Absolute folder or file at or below the root where the walk begins.
        problems: After the walk: the folders that could not be listed.
        other_suffixes: After the walk: how many files of each other kind lie there.
        companions: After the walk: how many files belong to photos; see `organizer.companions`.
        videos_beside: After the walk: how many videos are images of their own though a photo has
            their name; see `organizer.live_photos`.
        beside: Those of the companions that would be photos if they were alone, so far: raw files.
        suffixes: Of the files that may hold an image.
    """

    root: Path
    start: Path
    problems: list[Problem] = field(default_factory=list)
    other_suffixes: Counter[str] = field(default_factory=Counter)
    companions: int = 0
    videos_beside: int = 0
    beside: list[ImageRef] = field(default_factory=list)
    suffixes: frozenset[str] = field(default_factory=lambda: image_suffixes())  # noqa: PLW0108 - defined below

    def __iter__(self) -> Iterator[ImageRef]:
        if not is_unicode(str(self.start)):
            self.problems.append(self._misnamed(str(self.start)))
            return
        try:
            status = self.start.stat()
        except OSError as error:  # it went since it was named
            self.problems.append(self._unlistable(str(self.start), error))
            return
        if not stat.S_ISDIR(status.st_mode):
            yield self._ref(str(self.start), status)
            return
        real, linked = deque([str(self.start)]), deque[str]()
        seen: set[tuple[int, int]] = set()
        while real or linked:
            folder = real.popleft() if real else linked.popleft()
            if not _first_visit(folder, seen):
                continue
            below: list[str] = []
            yield from self._files(folder, below, linked)
            real.extendleft(reversed(below))

    def _files(self, folder: str, below: list[str], linked: deque[str]) -> Iterator[ImageRef]:
        """The images directly in a folder; real and linked folders in it are noted for later."""
        try:
            with os.scandir(folder) as scan:
                entries = sorted(
                    (entry for entry in scan if not is_ignored(entry.name)),
                    key=lambda entry: entry.name,
                )
        except OSError as error:
            self.problems.append(self._unlistable(folder, error))
            return
        beside = self._companions(folder, entries)
        for entry in entries:
            if not entry.name.isprintable() and not is_unicode(entry.name):
                self.problems.append(self._misnamed(entry.path))
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                elif entry.is_dir():
                    linked.append(entry.path)
                elif entry.name in beside:
                    self._count_companion(entry)
                elif self._is_image(entry.name):
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        yield self._ref(entry.path, status)
            except OSError as error:  # a dangling link, or a file that went in between
                self.problems.append(self._unlistable(entry.path, error))

    def _companions(self, folder: str, entries: Sequence[os.DirEntry[str]]) -> Container[str]:
        """The files of a folder that belong to its photos."""
        found = find_companions(
            (entry.name for entry in entries if not _is_folder(entry)),
            title_of=lambda name: title_in(os.path.join(folder, name)),  # noqa: PTH118
            are_read=self.suffixes,
        )
        own = {
            name
            for name in found
            if split_name(name)[1].lower() in VIDEO_SUFFIXES
            and not is_of_live_photo(os.path.join(folder, name))  # noqa: PTH118
        }
        self.videos_beside += sum(split_name(name)[1].lower() in self.suffixes for name in own)
        return found.keys() - own

    def _count_companion(self, entry: os.DirEntry[str]) -> None:
        self.companions += 1
        if split_name(entry.name)[1].lower() in self.suffixes:
            status = entry.stat()
            if stat.S_ISREG(status.st_mode):
                self.beside.append(self._ref(entry.path, status))

    def _is_image(self, name: str) -> bool:
        suffix = split_name(name)[1].lower()
        if suffix in self.suffixes:
            return True
        if name.lower() != "thumbs.db":
            self.other_suffixes[suffix] += 1
        return False

    def _ref(self, path: str, status: os.stat_result) -> ImageRef:
        return ImageRef(self.root, self._relative(path), status.st_size, modified_ns(status))

    def _relative(self, path: str) -> str:
        # Every path was made by joining names to the root: cutting is exact, and a tenth of the
        # cost of os.path.relpath.
        relative = path[len(str(self.root)) :].lstrip(os.sep)
        return relative.replace(os.sep, "/") or "."

    def _misnamed(self, path: str) -> Problem:
        shown = self._relative(path).encode("utf-8", "backslashreplace").decode()
        reason = "its name is not valid UTF-8: rename it"
        return Problem(ImageRef(self.root, shown, 0, 0), Outcome.BROKEN, reason, lasting=False)

    def _unlistable(self, path: str, error: OSError) -> Problem:
        ref = ImageRef(self.root, self._relative(path), 0, 0)
        return Problem(ref, Outcome.BROKEN, f"cannot be read: {error.strerror}", lasting=False)


def resolve_start(path: Path) -> Path:
    """The absolute folder or file that a user's path means.

    Raises:
        SettingsError: There is nothing there, it is neither a folder nor a file, or its name is no
            text.
    """
    try:
        start = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SettingsError(f"there is no folder or file {path}", "check the path") from error
    if not is_unicode(str(start)):
        shown = str(start).encode("utf-8", "backslashreplace").decode()
        raise SettingsError(f"the name {shown} is not valid UTF-8", "rename it")
    if not start.is_dir() and not start.is_file():
        raise SettingsError(f"{path} is neither a folder nor a file", "name a folder of photos")
    return start


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is never looked at: hidden, or the system's."""
    return name.startswith(".") or name.lower() in _SYSTEM_FOLDERS


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _first_visit(folder: str, seen: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(folder)  # noqa: PTH116 - a Path for each folder costs more than the call
    except OSError:
        return True  # listing it will raise it
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True
