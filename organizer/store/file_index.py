"""What the library knows of the files below some places: mark and sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3
from numpy.typing import NDArray

from organizer.store.database import Database
from organizer.store.ids import IdSet, pack_ids, unpack_ids
from organizer.types import FileState, ImageRef, Outcome

_PRESENT, _MISSING, _BROKEN, _TOO_LARGE, _RETRY = range(5)
_OUTCOMES = {
    _PRESENT: Outcome.UNCHANGED,
    _MISSING: Outcome.UNCHANGED,
    _BROKEN: Outcome.BROKEN,
    _TOO_LARGE: Outcome.TOO_LARGE,
}

FileImage = tuple[str, str]
"""A file: its path id and its image id. A path may have held several images, one after another."""


@dataclass(frozen=True, slots=True)
class PhotoRoot:
    """A folder that was ingested, where it is now."""

    root_id: int
    folder: Path


class FileIndex:
    """What the library knows of the files below some places, at about 50 bytes a file.

    It answers for many files at once whether they are as they were, and remembers which were asked
    for: the others are gone (mark and sweep).

    Args:
        database: The library.
        roots: Its roots.
        starts: The places.
        embedded: The images that have a vector.
        unread: The images of which too little is known by their files: format 6 kept less.

    Attributes:
        trusts_times: Whether a file with the size and time that it had is taken to be as it was;
            otherwise each has to be read.
    """

    def __init__(
        self,
        database: Database,
        roots: Sequence[PhotoRoot],
        starts: Sequence[Path],
        embedded: IdSet,
        unread: IdSet,
    ) -> None:
        self._database = database
        self._roots = roots
        files = files_below(database.read("files"), roots, starts)
        problems = files_below(database.read("problems"), roots, starts)
        images = pack_ids(files["image_id"].to_pylist())
        present = _column(files, "state") == FileState.PRESENT.value
        lasting = _column(problems, "lasting").astype(bool)
        too_large = _column(problems, "outcome") == Outcome.TOO_LARGE.value
        kind = np.concatenate(
            [
                np.where(present, _PRESENT, _MISSING),
                np.where(lasting, np.where(too_large, _TOO_LARGE, _BROKEN), _RETRY),
            ]
        )
        nothing = np.zeros(len(problems), dtype="S16")
        ids = pack_ids(files["path_id"].to_pylist() + problems["path_id"].to_pylist())
        # A path may have rows from former contents, which are missing. The row to compare with is
        # the one that is there, or the last one written: it comes last of its path.
        order = np.lexsort((kind == _PRESENT, ids))
        self._ids = ids[order]
        self._images = np.concatenate([images, nothing])[order]
        self._kind = kind[order].astype(np.int8)
        self._size = _both(files, problems, "size")[order]
        self._mtime = _both(files, problems, "mtime_ns")[order]
        is_read = embedded.holds(images) & ~unread.holds(images)
        self._is_read = np.concatenate([is_read, nothing == b""])[order]
        self.trusts_times = True
        self._seen = np.zeros(len(order), dtype=bool)
        self._again = np.zeros(len(order), dtype=bool)

    def __len__(self) -> int:
        return len(self._ids)

    def look_up(self, refs: Sequence[ImageRef], root_ids: dict[Path, int]) -> list[Outcome | None]:
        """For each file UNCHANGED, or BROKEN or TOO_LARGE and unchanged, or None: read it.

        All of them count as seen from now on.
        """
        if not len(self._ids):
            return [None] * len(refs)
        ids = pack_ids(path_id(root_ids[ref.root], ref.path) for ref in refs)
        ends = np.searchsorted(self._ids, ids, side="right")
        places = ends - 1
        known = (places >= 0) & (self._ids[places] == ids)
        sizes = np.array([ref.size for ref in refs], dtype=np.int64)
        mtimes = np.array([ref.mtime_ns for ref in refs], dtype=np.int64)
        same = known & (self._size[places] == sizes) & (self._mtime[places] == mtimes)
        # A changed file's former row is dealt with when the file is written, not by the sweep.
        self._seen[places[known]] = True
        kind = self._kind[places]
        self._again[places[same & (kind == _MISSING)]] = True
        fine = same & self._is_read[places] & self.trusts_times
        # The problem of a file that is known, but has to be read: what is found out now counts.
        begins = np.searchsorted(self._ids, ids, side="left")
        for i in np.flatnonzero(~fine & (ends - begins > 1)):
            rows = slice(begins[i], ends[i])
            self._seen[rows] |= self._is_problem(self._kind[rows])
        return [
            _OUTCOMES.get(k) if ok else None
            for k, ok in zip(kind.tolist(), fine.tolist(), strict=True)
        ]

    def found_again(self) -> list[FileImage]:
        """Files that were missing and have been seen unchanged."""
        return self._pairs(self._again)

    def vanished(self, *, except_below: Sequence[Path]) -> list[FileImage]:
        """Files that were there and have not been seen."""
        gone = self._pairs(~self._seen & (self._kind == _PRESENT))
        if not except_below:
            return gone
        ids = [path for path, _ in gone]
        rows = self._database.read_by_id("files", "path_id", ids, ["path_id", "root_id", "path"])
        blind = set(files_below(rows, self._roots, except_below)["path_id"].to_pylist())
        return [(path, image) for path, image in gone if path not in blind]

    def vanished_problems(self) -> list[str]:
        """Path ids of unusable files that have not been seen, or are usable as they were."""
        return [path for path, _ in self._pairs(~self._seen & self._is_problem(self._kind))]

    @staticmethod
    def _is_problem(kind: NDArray[np.int8]) -> NDArray[np.bool_]:
        return np.isin(kind, (_BROKEN, _TOO_LARGE, _RETRY))

    def _pairs(self, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[FileImage]:
        return list(zip(unpack_ids(self._ids[mask]), unpack_ids(self._images[mask]), strict=True))


def path_id(root_id: int, path: str) -> str:
    """The key of a path: 128 bits of a hash, in hexadecimal."""
    text = f"{root_id}/{path}".encode("utf-8", "surrogateescape")
    return blake3(text).hexdigest(16)


def files_below(table: pa.Table, roots: Sequence[PhotoRoot], starts: Sequence[Path]) -> pa.Table:
    """The rows whose file is one of `starts` or lies below one."""
    mask = np.zeros(len(table), dtype=bool)
    for root in roots:
        of_root = _column(table, "root_id") == root.root_id
        for start in starts:
            if root.folder.is_relative_to(start):
                mask |= of_root
            elif start.is_relative_to(root.folder):
                path = start.relative_to(root.folder).as_posix()
                inside = pc.or_(
                    pc.equal(table["path"], path), pc.starts_with(table["path"], f"{path}/")
                )
                mask |= of_root & inside.to_numpy()
    return table.filter(pa.array(mask))


def _both(
    files: pa.Table, problems: pa.Table, name: str
) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    return np.concatenate([_column(files, name), _column(problems, name)])


def _column(table: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    return np.asarray(table[name].to_numpy())
