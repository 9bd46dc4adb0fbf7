"""Copies of the journals of arrangements, which tell where each photo was before.

These journals only grow, so what was copied of one stays its beginning.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from organizer.atomic import replace_atomically
from organizer.durable import make_folders
from organizer.identity import file_hash
from organizer.store.safety.sealed_lines import append_lines, read_lines

_FOLDER = "arrangements"
_JOURNAL = re.compile(r"arrangement-\d{6,}\.jsonl")


class ArrangementCopies:
    """The copies of one library.

    Args:
        path: The library's folder.
        folder: That of the safety copies.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path / _FOLDER, folder / _FOLDER
        self._noted = folder / "arrangements.jsonl"

    def journals(self) -> Iterator[Path]:
        """The journals that there are, or were."""
        names = {file.name for folder in (self._path, self._folder) for file in folder.glob("*")}
        yield from (self._path / name for name in sorted(names) if _JOURNAL.fullmatch(name))

    def follow(self) -> None:
        """Copy the journals that grew."""
        for file in self.journals():
            copy = self._folder / file.name
            if not file.is_file() or (copy.is_file() and _size(copy) >= _size(file)):
                continue
            make_folders(self._folder)
            with replace_atomically(copy) as partial:
                shutil.copyfile(file, partial)
                copied = _whole_lines(partial.read_bytes())
            append_lines(
                self._noted, [{"file": file.name, "size": len(copied), "hash": file_hash(copied)}]
            )

    def begin_anew(self) -> None:
        """Forget the copies: the next write makes them again."""
        self._noted.unlink(missing_ok=True)
        for copy in self._folder.glob("arrangement-*.jsonl"):
            copy.unlink(missing_ok=True)

    def damage(self, file: Path) -> str:
        """What is wrong with a journal; empty where nothing is, or nothing is known of it."""
        noted = self._last_note(file.name)
        if noted is None:
            return ""
        if not file.is_file():
            return "is not there"
        return "" if _begins_as(file, *noted) else "has other bytes than were written"

    def copy_of(self, file: Path) -> Path | None:
        """The copy of a journal that is as it was written; None where there is none."""
        noted, copy = self._last_note(file.name), self._folder / file.name
        return copy if noted and copy.is_file() and _begins_as(copy, *noted) else None

    def _last_note(self, name: str) -> tuple[int, str] | None:
        noted = [line for line in read_lines(self._noted) if line["file"] == name]
        return (noted[-1]["size"], noted[-1]["hash"]) if noted else None


def _begins_as(file: Path, size: int, found: str) -> bool:
    with file.open("rb") as content:
        return file_hash(content.read(size)) == found


def _whole_lines(data: bytes) -> bytes:
    """The lines of a journal without the last one where that is incomplete, as a kill leaves it."""
    return data[: data.rfind(b"\n") + 1]


def _size(file: Path) -> int:
    return file.stat().st_size
