"""A folder of backups: contents by their hash, and a folder for each backup.

objects/ab/abcdef...        the content of a file, named by its BLAKE3 hash
2026-11-30T02-15-00Z/
backup.json             what it is of; written last
files.jsonl             path, size and hash of each file of the library
decisions.jsonl         what people decided, in readable lines
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from organizer.atomic import replace_atomically
from organizer.durable import make_folders
from organizer.errors import SettingsError, StoreError
from organizer.identity import file_hash
from organizer.store.safety.sealed_lines import content_digest, read_lines, seal

_OBJECTS = "objects"
_INFO, _FILES, _DECISIONS = "backup.json", "files.jsonl", "decisions.jsonl"
_LOCK = "lock"
_BLOCK = 1 << 20
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file of a backup.

    Attributes:
        path: Its path in the library's folder, with forward slashes.
        size: Its bytes.
        hash: Their hash.
    """

    path: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup, as its folder says.

    Attributes:
        name: The name of its folder: when it was made, UTC.
        library: The library's folder then.
        created_at: When that library was made; by it a library is known.
        schema: The format of the library.
        images: Its images.
        decisions: The decisions in it.
        files: The hash of the list of its files.
        lines: The hash of the readable decisions.
    """

    name: str
    library: str
    created_at: str
    schema: int
    images: int
    decisions: int
    files: str
    lines: str


class BackupFolder:
    """A folder of backups.

    Args:
        path: The folder; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    # Reading -------------------------------------------------------------------------------

    def all(self) -> list[BackupInfo]:
        """The backups that are whole, the oldest first."""
        found = []
        for file in sorted(self.path.glob(f"*/{_INFO}")):
            info = self._info(file)
            if info is not None:
                found.append(info)
        return found

    def unreadable(self) -> list[str]:
        """The folders of backups whose description cannot be read."""
        files = sorted(self.path.glob(f"*/{_INFO}"))
        return [file.parent.name for file in files if self._info(file) is None]

    def _info(self, file: Path) -> BackupInfo | None:
        try:
            return BackupInfo(name=file.parent.name, **json.loads(file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def named(self, at: str | None) -> BackupInfo:
        """The newest backup, or that of a name, or the newest whose name begins with a date.

        Raises:
            SettingsError: There is none.
        """
        listed = self.all()
        found = [info for info in listed if info.name == at]
        # "...Z-2" is the second backup of a second, and begins like the first.
        found = found or [info for info in listed if info.name.startswith(at or "")]
        if found:
            return found[-1]
        if not listed:
            raise SettingsError(
                f"there is no backup in {self.path}", "organizer backup FOLDER makes one"
            )
        names = ", ".join(info.name for info in listed[-5:])
        raise SettingsError(f"there is no backup of {at} in {self.path}", f"there are {names}")

    def files_of(self, info: BackupInfo) -> list[SavedFile]:
        """The files of a backup.

        Raises:
            StoreError: The list of them is damaged.
        """
        file = self.path / info.name / _FILES
        try:
            is_whole = content_digest(file)[1] == info.files
        except OSError:
            is_whole = False
        if not is_whole:
            raise _damaged(file)
        return [SavedFile(row["path"], row["size"], row["hash"]) for row in read_lines(file)]

    def has_lines(self, info: BackupInfo) -> bool:
        """Whether the readable decisions of a backup are as they were written."""
        try:
            return content_digest(self.path / info.name / _DECISIONS)[1] == info.lines
        except OSError:
            return False

    def content(self, found: str) -> Path:
        """Where a content lies, by its hash."""
        return self.path / _OBJECTS / found[:2] / found

    def objects(self) -> Iterator[Path]:
        """All contents."""
        yield from (file for file in (self.path / _OBJECTS).glob("??/*") if len(file.name) == 32)

    # Writing -------------------------------------------------------------------------------

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other backups out.

        Raises:
            StoreError: Another one is being made, or the folder cannot be written.
        """
        import portalocker

        try:
            make_folders(self.path)
            lock = portalocker.Lock(self.path / _LOCK, mode="a", timeout=0)
            lock.acquire()
        except portalocker.LockException as error:
            raise StoreError(
                f"another organizer writes to {self.path}", "wait until it has ended"
            ) from error
        except OSError as error:
            raise cannot_write(self.path, error) from error
        try:
            yield
        finally:
            lock.release()

    def add(self, source: Path) -> tuple[SavedFile, bool]:
        """Keep the content of a file; it is on the disk after that.

        Returns:
            The file, with its name as path, and whether its content was not kept yet.
        """
        partial = self.path / _OBJECTS / "partial"
        make_folders(partial.parent)
        found, size = blake3(), 0
        with source.open("rb") as content, partial.open("wb") as to:
            while block := content.read(_BLOCK):
                found.update(block)
                to.write(block)
                size += len(block)
        return self._place(partial, source.name, size, found.hexdigest(_HASH_BYTES))

    def add_bytes(self, name: str, content: bytes) -> tuple[SavedFile, bool]:
        """Keep a content; see `add`."""
        partial = self.path / _OBJECTS / "partial"
        make_folders(partial.parent)
        partial.write_bytes(content)
        return self._place(partial, name, len(content), file_hash(content))

    def _place(self, partial: Path, name: str, size: int, found: str) -> tuple[SavedFile, bool]:
        place = self.content(found)
        is_new = not place.is_file() or place.stat().st_size != size
        if is_new:
            make_folders(place.parent)
            with replace_atomically(place) as beside:
                partial.rename(beside)
        else:
            partial.unlink()
        return SavedFile(name, size, found), is_new

    def write(
        self, info: BackupInfo, files: Sequence[SavedFile], decisions: Sequence[dict[str, Any]]
    ) -> None:
        """Write down a backup whose contents are kept: with this it is there."""
        listed = b"".join(seal(asdict(file)) for file in files)
        lines = b"".join(map(seal, decisions))
        fields = asdict(info) | {
            "files": file_hash(listed),
            "lines": file_hash(lines),
        }
        del fields["name"]
        with replace_atomically(self.path / info.name, folder=True) as partial:
            (partial / _FILES).write_bytes(listed)
            (partial / _DECISIONS).write_bytes(lines)
            (partial / _INFO).write_text(f"{json.dumps(fields, indent=2)}\n", encoding="utf-8")

    def prune(self, keep: int, *, remove: Callable[[Path], object]) -> list[str]:
        """Remove the oldest backups, and the contents that no other one has.

        Args:
            keep: How many stay.
            remove: Removes a folder.

        Returns:
            The names of those that were removed.
        """
        gone = self.all()[:-keep]
        for info in gone:
            (self.path / info.name / _INFO).unlink()
            remove(self.path / info.name)
        if gone and not self.unreadable():
            used = {file.hash for info in self.all() for file in self.files_of(info)}
            for file in self.objects():
                if file.name not in used:
                    file.unlink()
        return [info.name for info in gone]


def cannot_write(path: Path, error: OSError) -> StoreError:
    """The error of a folder of backups that cannot be written."""
    return StoreError(
        f"cannot write the backup to {path}: {error.strerror or error}",
        "make room there or choose another folder, and run the command again; backups that were "
        "made before are as they were",
    )


def _damaged(file: Path) -> StoreError:
    return StoreError(
        f"the backup is damaged: {file} is not as it was written",
        "organizer backup --check says which backups of the folder are whole; --at chooses one",
    )
