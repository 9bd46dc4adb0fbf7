"""The hash of each file of a library's tables, and the content of the small ones.

Files of Lance tables never change, so each is read once, just after it was written. The small ones
are those that nothing else could be made of again: which files belong to a version, which rows are
deleted, the folders that were ingested.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from organizer.identity import file_hash
from organizer.store.lance_files import TableFiles
from organizer.store.manifest import MANIFEST
from organizer.store.safety.sealed_lines import (
    Line,
    append_lines,
    checked_lines,
    content_digest,
    write_lines,
)

_SMALL = 16_384
"""Bytes up to which the content of a file is kept."""
_SPARE_LINES = 256
"""Lines of files that are gone, besides as many as there are files, before they are dropped."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is known of a file.

    Attributes:
        size: Its bytes.
        hash: Their hash.
        content: The bytes; None where there are too many.
    """

    size: int
    hash: str
    content: bytes | None


class FileLines:
    """The lines of one library.

    Args:
        path: The library's folder.
        folder: That of the safety copies.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self.file = path, folder / "files.jsonl"
        self._known: set[str] | None = None
        self._lines = 0
        self._is_damaged = False

    def all(self) -> dict[str, KeptFile]:
        """What is known of each file, by its path in the library's folder, also of those gone."""
        found = {}
        for name, line in self._read().items():
            content = base64.b64decode(line["bytes"]) if "bytes" in line else None
            found[name] = KeptFile(line["size"], line["hash"], content)
        return found

    def _read(self) -> dict[str, Line]:
        found: dict[str, Line] = {}
        self._lines, self._is_damaged = 0, False
        for line in checked_lines(self.file):
            self._lines += 1
            if line is None:
                self._is_damaged = True
            elif "gone" in line:
                found = {name: kept for name, kept in found.items() if not _is_of(name, line)}
            else:
                found[line["file"]] = line
        return found

    def follow(self) -> None:
        """Note the files that came, each in the state in which it is now."""
        there, known = set(self._names()), self._loaded()
        came = [self._line(name) for name in sorted(there - known)]
        self._known = there
        self._lines += len(came)
        if self._is_damaged or self._lines > 2 * len(there) + _SPARE_LINES:
            kept = self._read() | {line["file"]: line for line in came}
            write_lines(self.file, [kept[name] for name in sorted(there & kept.keys())])
            self._lines, self._is_damaged = len(there), False
        elif came:
            append_lines(self.file, came)

    def forget_table(self, name: str) -> None:
        """Forget the files of a table that is removed: another one may get its name."""
        gone = {"gone": name}
        self._known = {kept for kept in self._loaded() if not _is_of(kept, gone)}
        with suppress(OSError):  # the table is gone all the same
            if self.file.exists():
                append_lines(self.file, [gone])

    def _loaded(self) -> set[str]:
        if self._known is None:
            self._known = set(self._read())
        return self._known

    def _names(self) -> Iterator[str]:
        if (self._path / MANIFEST).is_file():
            yield MANIFEST
        for folder in self._path.glob("*.lance"):
            for name in TableFiles.read(folder).names:
                yield Path(name).relative_to(self._path).as_posix()

    def _line(self, name: str) -> Line:
        file = self._path / name
        if file.stat().st_size > _SMALL:
            size, found = content_digest(file)
            return {"file": name, "size": size, "hash": found}
        content = file.read_bytes()
        return {
            "file": name,
            "size": len(content),
            "hash": file_hash(content),
            "bytes": base64.b64encode(content).decode(),
        }


def _is_of(name: str, gone: Line) -> bool:
    """Whether a file was one of a table that was removed."""
    return name.startswith(f"{gone['gone']}.lance/")
